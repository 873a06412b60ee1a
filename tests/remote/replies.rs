//! What Domino, Graph and Exchange say of one calendar and two days, in the forms that their vendors document.

use super::mood::{Mood, user};
use serde_json::{Value, json};

/// The half hours of two days: busy, tentative and away on the first, and busy on all of the second.
fn view() -> String {
    let first = [("0", 16), ("2", 3), ("0", 5), ("1", 2), ("0", 2), ("3", 2), ("0", 18)];
    first.iter().map(|(digit, count)| digit.repeat(*count)).collect::<String>() + &"2".repeat(48)
}

fn period(from: &str, to: &str) -> Value {
    let moment = |time: &str| json!({"date": &time[..10], "time": &time[11..], "utc": true});
    json!({"start": moment(from), "end": moment(to)})
}

/// Returns whether a request to Domino is as it should be, and the reply. Domino tells who is busy, and not how.
pub fn domino(path: &str, is_icalendar: bool, mood: Mood) -> (bool, u16, String) {
    let format = if is_icalendar { "&format=icalendar" } else { "" };
    let expected = format!(
        "/api/freebusy/busytime?name=alice@exchange.example&since=2026-03-02T00:00:00Z&before=2026-03-04T00:00:00Z{format}"
    );
    let is_expected = path == expected;
    if mood == Mood::NoAnswer {
        let body = json!({"code": 400, "text": "Bad Request", "message": "The busy time is not available"});
        return (is_expected, 400, body.to_string());
    }
    // A reply does not say whose it is: one about another user is one about nobody.
    if mood == Mood::OtherUser {
        return (is_expected, 200, json!({"busyTimes": []}).to_string());
    }
    let body = if is_icalendar {
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Domino//EN\r\nMETHOD:REPLY\r\nBEGIN:VFREEBUSY\r\nDTSTART:20260302T000000Z\r\n\
         DTEND:20260304T000000Z\r\nFREEBUSY:20260302T080000Z/20260302T093000Z,20260302T120000Z/20260302T130000Z,\r\n \
         20260302T140000Z/20260302T150000Z,20260303T000000Z/20260304T000000Z\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
            .to_owned()
    } else {
        let mut whole = period("2026-03-02T00:00:00", "2026-03-04T00:00:00");
        whole["busyTimes"] = json!([
            period("2026-03-03T00:00:00", "2026-03-04T00:00:00"),
            period("2026-03-02T08:00:00", "2026-03-02T09:30:00"),
            period("2026-03-02T12:00:00", "2026-03-02T13:00:00"),
            period("2026-03-02T14:00:00", "2026-03-02T15:00:00"),
        ]);
        whole.to_string()
    };
    let other = mood == Mood::OtherDays;
    (is_expected, 200, if other { body.replace("2026030", "2026031").replace("2026-03-0", "2026-03-1") } else { body })
}

/// Returns whether a request to Graph is as it should be, and the reply.
pub fn graph(path: &str, text: &str, mood: Mood) -> (bool, u16, String) {
    let moment = |time: &str| json!({"dateTime": time, "timeZone": "UTC"});
    let expected = json!({
        "schedules": ["alice@exchange.example"],
        "startTime": moment("2026-03-02T00:00:00"),
        "endTime": moment("2026-03-04T00:00:00"),
        "availabilityViewInterval": 30,
    });
    let is_expected = path == "/v1.0/users/calcon@exchange.example/calendar/getSchedule"
        && serde_json::from_str::<Value>(text).is_ok_and(|asked| asked == expected);
    let item = |status: &str, from: &str, to: &str| {
        let moment = |time: &str| moment(&format!("{time}.0000000"));
        json!({"isPrivate": false, "status": status, "subject": "a subject", "start": moment(from), "end": moment(to)})
    };
    let mut one = json!({
        "scheduleId": user(mood),
        "availabilityView": if mood == Mood::OtherDays { String::new() } else { view() },
        "scheduleItems": [
            item("busy", "2026-03-02T08:00:00", "2026-03-02T09:30:00"),
            item("tentative", "2026-03-02T12:00:00", "2026-03-02T13:00:00"),
            item("oof", "2026-03-02T14:00:00", "2026-03-02T15:00:00"),
            item("busy", "2026-03-03T00:00:00", "2026-03-04T00:00:00"),
        ],
        "workingHours": {"daysOfWeek": ["monday"], "startTime": "08:00:00.0000000", "timeZone": {"name": "UTC"}},
    });
    if mood == Mood::OtherDays {
        one["scheduleItems"] = json!([]);
    }
    if mood == Mood::NoAnswer {
        let error = json!({"message": "The mailbox is not available.", "responseCode": "ErrorMailboxFailover"});
        one = json!({"scheduleId": user(mood), "availabilityView": "", "error": error});
    }
    (is_expected, 200, json!({"@odata.context": "https://graph/v1.0/$metadata", "value": [one]}).to_string())
}

/// Returns whether a request to Exchange Web Services is as it should be, and the reply.
pub fn ews(path: &str, text: &str, mood: Mood) -> (bool, u16, String) {
    const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
    const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
    let asks = [
        "<t:Address>alice@exchange.example</t:Address>",
        "<t:StartTime>2026-03-02T00:00:00</t:StartTime><t:EndTime>2026-03-04T00:00:00</t:EndTime>",
        "<t:RequestedView>FreeBusyMerged</t:RequestedView>",
    ];
    let is_expected = path == "/EWS/Exchange.asmx" && asks.iter().all(|asked| text.contains(asked));
    let event = |from: &str, to: &str, kind: &str| {
        format!(
            "<CalendarEvent><StartTime>{from}</StartTime><EndTime>{to}</EndTime><BusyType>{kind}</BusyType></CalendarEvent>"
        )
    };
    let events = [
        event("2026-03-02T08:00:00", "2026-03-02T09:30:00", "Busy"),
        event("2026-03-02T12:00:00", "2026-03-02T13:00:00", "Tentative"),
        event("2026-03-02T14:00:00", "2026-03-02T15:00:00", "OOF"),
        event("2026-03-03T00:00:00", "2026-03-04T00:00:00", "Busy"),
    ];
    let view = |kind: &str, more: String| {
        format!("<FreeBusyView><FreeBusyViewType xmlns=\"{TYPES}\">{kind}</FreeBusyViewType>{more}</FreeBusyView>")
    };
    let full = view(
        "FreeBusyMerged",
        format!(
            "<MergedFreeBusy xmlns=\"{TYPES}\">{}</MergedFreeBusy><CalendarEventArray xmlns=\"{TYPES}\">{}</CalendarEventArray>",
            view_of(mood),
            if mood == Mood::OtherDays { String::new() } else { events.concat() },
        ),
    );
    let (code, view) = match mood {
        Mood::NoAnswer => ("ErrorMailboxFailover", String::new()),
        // A reply does not say whose it is: who may see nothing gets this one.
        Mood::OtherUser => ("NoError", view("None", String::new())),
        _ => ("NoError", full),
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Header>\
         <t:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"2\" xmlns:t=\"{TYPES}\"/></soap:Header><soap:Body>\
         <GetUserAvailabilityResponse xmlns=\"{MESSAGES}\"><FreeBusyResponseArray><FreeBusyResponse>\
         <ResponseMessage ResponseClass=\"Success\"><ResponseCode>{code}</ResponseCode></ResponseMessage>{view}</FreeBusyResponse>\
         </FreeBusyResponseArray></GetUserAvailabilityResponse></soap:Body></soap:Envelope>"
    );
    (is_expected, 200, body)
}

fn view_of(mood: Mood) -> String {
    // Fewer digits than half hours.
    if mood == Mood::OtherDays { "x".to_owned() } else { view() }
}
