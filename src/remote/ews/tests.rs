//! Replies of Exchange, and what is no reply of it.

use super::*;
use crate::freebusy::State;
use proptest::prelude::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_785_715_200 + hour * 3600, 0).expect("in range")
}

fn window() -> Window {
    Window::new(at(6), at(9))
}

/// Returns the states of three hours from 6:00 on, with the minute at which each begins.
fn states(reply: &str) -> Result<Vec<(i64, State)>, Failure> {
    let slots = merged::slots_in(window(), &read(reply, window())?);
    Ok(slots.iter().map(|slot| ((slot.from - at(6)).num_minutes(), slot.state)).collect())
}

fn event(from: &str, to: &str, busy_type: &str) -> String {
    format!(
        "<CalendarEvent><StartTime>{from}</StartTime><EndTime>{to}</EndTime><BusyType>{busy_type}</BusyType></CalendarEvent>"
    )
}

fn response(code: &str, view: &str) -> String {
    let class = if code == "NoError" { "Success" } else { "Error" };
    format!(
        "<FreeBusyResponse><ResponseMessage ResponseClass=\"{class}\"><MessageText>busy</MessageText>\
         <ResponseCode>{code}</ResponseCode></ResponseMessage>{view}</FreeBusyResponse>"
    )
}

fn view(merged: &str, events: &str) -> String {
    format!(
        "<FreeBusyView><FreeBusyViewType xmlns=\"{TYPES}\">FreeBusyMerged</FreeBusyViewType>\
         <MergedFreeBusy xmlns=\"{TYPES}\">{merged}</MergedFreeBusy><CalendarEventArray xmlns=\"{TYPES}\">{events}</CalendarEventArray>\
         <WorkingHours xmlns=\"{TYPES}\"><TimeZone><Bias>480</Bias><StandardTime><Bias>0</Bias></StandardTime></TimeZone></WorkingHours>\
         </FreeBusyView>"
    )
}

fn reply(responses: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{SOAP}\"><s:Header><t:ServerVersionInfo MajorVersion=\"15\" \
         xmlns:t=\"{TYPES}\"/></s:Header><s:Body><GetUserAvailabilityResponse xmlns=\"{MESSAGES}\"><FreeBusyResponseArray>{responses}\
         </FreeBusyResponseArray></GetUserAvailabilityResponse></s:Body></s:Envelope>"
    )
}

fn good(merged: &str, events: &str) -> String {
    reply(&response("NoError", &view(merged, events)))
}

#[test]
fn events_are_more_exact_than_the_view() {
    use State::{Busy, Free, OutOfOffice, Tentative, Unknown};
    let events = [
        event("2026-08-03T06:10:00", "2026-08-03T06:40:00", "Tentative"),
        event("2026-08-03T09:00:00+02:00", "2026-08-03T07:30:00Z", "OOF"),
        event("2026-08-03T08:00:00", "2026-08-03T08:10:00", "NoData"),
        event("2026-08-03T08:30:00", "2026-08-03T09:30:00", "Busy"),
    ];
    let expected = [
        (0, Free),
        (10, Tentative),
        (40, Free),
        (60, OutOfOffice),
        (90, Free),
        (120, Unknown),
        (130, Free),
        (150, Busy),
    ];
    assert_eq!(states(&good("113002", &events.concat())).expect("good"), expected);
}

#[test]
fn a_view_without_events_counts() {
    use State::{Busy, Free, Unknown};
    assert_eq!(states(&good("020", "")).expect("good"), [(0, Free), (30, Busy), (60, Free), (90, Unknown)]);
    assert_eq!(states(&good("044000", "")).expect("good"), [(0, Free), (30, Unknown), (90, Free)]);
}

#[test]
fn who_may_see_nothing_gets_no_answer() {
    let none = format!("<FreeBusyView><FreeBusyViewType xmlns=\"{TYPES}\">None</FreeBusyViewType></FreeBusyView>");
    let why = states(&reply(&response("NoError", &none))).expect_err("refused").to_string();
    assert!(why.contains("None"), "{why}");
    assert!(states(&reply(&response("NoError", ""))).is_err());
}

#[test]
fn an_error_is_no_answer() {
    assert!(matches!(states(&reply(&response(NOBODY, ""))), Err(Failure::NoCalendar)));
    let why = states(&reply(&response("ErrorNoFreeBusyAccess", &view("000000", "")))).expect_err("refused").to_string();
    assert_eq!(why, "the server has no answer: \"ErrorNoFreeBusyAccess\"");
}

#[test]
fn what_is_not_in_order_is_refused() {
    let fine = response("NoError", &view("000000", ""));
    let replies = [
        String::new(),
        "<html/>".to_owned(),
        reply(""),
        reply(&fine.repeat(2)),
        good("000000", &event("2026-08-03T07:00:00", "2026-08-03T06:00:00", "Busy")),
        good("000000", &event("2026-08-03T07:00:00", "soon", "Busy")),
        good("000000", "<CalendarEvent/>"),
        good("000000", "").replace(MESSAGES, "urn:x"),
        good("000000", "").replace(SOAP, "urn:x"),
        format!("<!DOCTYPE a>{}", good("000000", "")),
    ];
    for reply in replies {
        assert!(states(&reply).is_err(), "{reply}");
    }
}

#[test]
fn no_part_of_a_reply_is_taken_for_all_of_it() {
    let whole = good("000000", &event("2026-08-03T06:10:00", "2026-08-03T06:40:00", "Busy"));
    assert!((0..whole.len()).all(|cut| states(&whole[..cut]).is_err()));
}

#[test]
fn a_name_stays_within_its_element() {
    let body = request("a<b>&c@exchange.example", window()).body;
    assert!(body.contains("<t:Address>a&lt;b&gt;&amp;c@exchange.example</t:Address>"), "{body}");
    assert!(
        body.contains("<t:StartTime>2026-08-03T06:00:00</t:StartTime><t:EndTime>2026-08-03T09:00:00</t:EndTime>"),
        "{body}"
    );
    xml::each(&body, |_| Ok(())).expect("XML");
}

proptest! {
    #[test]
    fn a_reply_with_any_change_is_read_or_refused(at in 0..1000_usize, cut in 0..20_usize, piece in "[<>/&;a-zA-Z0-9 ]{0,8}") {
        let whole = good("000000", &event("2026-08-03T06:10:00", "2026-08-03T06:40:00", "Busy"));
        let at = at % whole.len();
        let _ = states(&format!("{}{piece}{}", &whole[..at], &whole[(at + cut).min(whole.len())..]));
    }
}
