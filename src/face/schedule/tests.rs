//! Requests and responses of `getSchedule`.

use super::*;
use serde_json::json;

fn request(changes: &Value) -> Value {
    let mut body = json!({
        "schedules": ["ada@notes.example"],
        "startTime": {"dateTime": "2026-08-03T09:00:00", "timeZone": "W. Europe Standard Time"},
        "endTime": {"dateTime": "2026-08-03T10:00:00.0000000Z"},
    });
    let changes = changes.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(changes);
    body
}

fn read(body: &Value) -> Result<Wanted, Fault> {
    Wanted::read(body.to_string().as_bytes(), &HeaderMap::new())
}

/// Returns the JSON of the fault with which a request is refused.
fn refused(changes: &Value) -> String {
    format!("{:?}", read(&request(changes)).expect_err("refused"))
}

fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    chrono::TimeZone::with_ymd_and_hms(&Utc, 2026, 8, 3, hour, minute, 0).unwrap()
}

#[test]
fn a_request_is_read_as_graph_has_it() {
    let wanted = read(&request(&json!({}))).expect("valid");
    assert_eq!((wanted.window, wanted.interval), (Window::new(at(7, 0), at(10, 0)), TimeDelta::minutes(30)));
    let query = wanted.queries().next().expect("one schedule");
    assert_eq!((query.user.as_str(), query.from, query.to), ("ada@notes.example", at(7, 0), at(10, 0)));
}

#[test]
fn names_are_read_in_either_case_and_an_interval_as_a_text() {
    let body = json!({
        "Schedules": ["ada@notes.example"],
        "StartTime": {"DateTime": "2026-08-03T07:00:00Z"},
        "ENDTIME": {"dateTime": "2026-08-03T10:00:00", "timeZone": "UTC"},
        "availabilityViewInterval": "15",
    });
    let expected = Wanted { interval: TimeDelta::minutes(15), ..read(&request(&json!({}))).expect("valid") };
    assert_eq!(read(&body), Ok(expected));
}

#[test]
fn each_limit_is_named() {
    let many: Vec<String> = (0..21).map(|n| format!("{n}@notes.example")).collect();
    assert!(refused(&json!({"schedules": many})).contains("1 to 20 mail addresses: there are 21"));
    assert!(refused(&json!({"schedules": []})).contains("there are 0"));
    assert!(refused(&json!({"schedules": ["a", 1]})).contains("one is no text"));
    assert!(refused(&json!({"schedules": ["a".repeat(255)]})).contains("of up to 254 bytes"));
    for minutes in [json!(4), json!(1441), json!("x"), json!(30.5), json!(-30), json!({})] {
        assert!(refused(&json!({"availabilityViewInterval": minutes})).contains("from 5 to 1440"), "{minutes}");
    }
    let end = |time: &str| json!({"endTime": {"dateTime": time, "timeZone": "UTC"}});
    assert!(refused(&end("2026-10-04T07:00:01")).contains("ErrorTimeIntervalTooBig"));
    assert!(read(&request(&end("2026-10-04T07:00:00"))).is_ok());
    assert!(refused(&end("2026-08-03T07:00:00")).contains("endTime must be after startTime"));
    assert!(refused(&end("tomorrow")).contains("endTime must be {"));
    assert!(
        refused(&json!({"startTime": {"dateTime": "2026-08-03T09:00:00", "timeZone": "Mars/Olympus"}}))
            .contains("Mars")
    );
    assert!(format!("{:?}", Wanted::read(b"[1", &HeaderMap::new())).contains("no JSON object"));
}

#[test]
fn an_answer_has_a_view_and_what_is_not_free_in_the_preferred_zone() {
    let mut headers = HeaderMap::new();
    headers.insert("prefer", "outlook.timezone=\"Europe/Berlin\"".parse().expect("a value"));
    let wanted = Wanted::read(request(&json!({})).to_string().as_bytes(), &headers).expect("valid");
    let slots = [(7, 8, State::Free), (8, 9, State::Unknown), (9, 10, State::OutOfOffice)];
    let slots = slots.map(|(from, to, state)| Slot { from: at(from, 0), to: at(to, 0), state }).to_vec();
    let (from, to) = (at(7, 0), at(10, 0));
    let answer = Answer { user: "ada@notes.example".to_owned(), from, to, slots, source: Source::Stale, age_secs: 7 };
    let response: Value = serde_json::from_slice(&wanted.response(&[Ok(answer)], &Rendered::default())).expect("JSON");
    let moment = |time: &str| json!({"dateTime": format!("2026-08-03T{time}:00.0000000"), "timeZone": "Europe/Berlin"});
    let expected = json!({"value": [{
        "scheduleId": "ada@notes.example",
        "availabilityView": "002233",
        "scheduleItems": [
            {"status": "unknown", "start": moment("10:00"), "end": moment("11:00")},
            {"status": "oof", "start": moment("11:00"), "end": moment("12:00")},
        ],
        "@calcon.source": "stale",
        "@calcon.ageSeconds": 7,
    }]});
    assert_eq!(response, expected);
}

#[test]
fn a_schedule_without_an_answer_has_an_error_and_no_view() {
    let wanted = read(&request(&json!({}))).expect("valid");
    let codes = [Code::UnknownUser, Code::Unreadable, Code::LinkDown, Code::TimedOut, Code::Busy, Code::BadQuery];
    for code in codes {
        let response = wanted.response(&[Err(Refusal::new(code, "because"))], &Rendered::default());
        let response: Value = serde_json::from_slice(&response).expect("JSON");
        let one = response["value"][0].as_object().expect("an object");
        assert_eq!(one.keys().collect::<Vec<_>>(), ["error", "scheduleId"], "{code:?}");
        assert_eq!(one["error"]["message"], "because");
        assert!(one["error"]["responseCode"].as_str().is_some_and(|code| code.starts_with("Error")));
    }
}
