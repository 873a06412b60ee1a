//! Domino's `GET /api/freebusy/busytime`: the parameters, and what the JSON says. Pure functions.

use super::client::Request;
use super::failure::Failure;
use crate::calendar::Zone;
use crate::freebusy::{Interval, Slot, State, Window, merge_overlapping, slots};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

/// Returns the request.
pub(super) fn request() -> Request {
    Request { method: "GET", headers: &[("accept", "application/json, text/calendar")], body: String::new() }
}

/// Returns the parameters for a window, which go behind the name of the user. Domino has no fractions of seconds.
pub(super) fn parameters(window: Window, is_icalendar: bool) -> String {
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ");
    let partial = window.to.timestamp_subsec_nanos() != 0;
    let to = if partial { window.to + TimeDelta::seconds(1) } else { window.to };
    let format = if is_icalendar { "&format=icalendar" } else { "" };
    format!("since={}&before={}{format}", time(window.from), time(to))
}

/// What the server says, between its start and its end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    start: Moment,
    end: Moment,
    busy_times: Vec<Period>,
}

#[derive(Debug, Deserialize)]
struct Period {
    start: Moment,
    end: Moment,
}

#[derive(Debug, Deserialize)]
struct Moment {
    date: NaiveDate,
    time: NaiveTime,
    #[serde(default)]
    utc: bool,
}

impl Moment {
    fn instant(&self, zone: &Zone) -> DateTime<Utc> {
        let local = self.date.and_time(self.time);
        if self.utc { local.and_utc() } else { zone.instant(local) }
    }
}

/// Reads the reply about a window. What is before its start and behind its end is unknown.
///
/// # Errors
/// What is not as it should be.
pub fn read(body: &[u8], zone: &Zone, window: Window) -> Result<Vec<Slot>, Failure> {
    let reply: Reply = serde_json::from_slice(body).map_err(Failure::reply)?;
    let span = |start: &Moment, end: &Moment| {
        let span = Window::new(start.instant(zone), end.instant(zone));
        if span.from <= span.to {
            Ok(span)
        } else {
            Err(Failure::reply(format!("{} is before {}", span.to, span.from)))
        }
    };
    let covered = span(&reply.start, &reply.end)?;
    let outside =
        [Window::new(window.from, covered.from.min(window.to)), Window::new(covered.to.max(window.from), window.to)];
    let unknown = outside.into_iter().map(|window| Ok(Interval { window, state: State::Unknown }));
    let busy = reply.busy_times.iter().map(|busy| {
        let window = span(&busy.start, &busy.end)?;
        Ok(Interval { window, state: State::Busy })
    });
    let taken = unknown.chain(busy).collect::<Result<Vec<_>, Failure>>()?;
    Ok(slots(window, &merge_overlapping(&taken)))
}

/// Returns what a bad request means: the server has no such user, or does not say what it does not like.
pub(super) fn refusal(body: &[u8]) -> Failure {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { message }) if message.to_lowercase().contains("not found") => Failure::NoCalendar,
        Ok(Refusal { message }) => Failure::refused(&message),
        Err(_) => Failure::Status(hyper::StatusCode::BAD_REQUEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn at(time: &str) -> DateTime<Utc> {
        format!("2026-08-03T{time}:00Z").parse().expect("a time")
    }

    fn moment(time: &str) -> Value {
        json!({"date": "2026-08-03", "time": format!("{time}:00"), "utc": true})
    }

    fn period(from: &str, to: &str) -> Value {
        json!({"start": moment(from), "end": moment(to)})
    }

    fn reply(busy: Value) -> Value {
        json!({"start": moment("08:00"), "end": moment("16:00"), "busyTimes": busy})
    }

    fn states(reply: &Value) -> Result<Vec<(String, State)>, String> {
        let window = Window::new(at("07:00"), at("18:00"));
        let berlin = "Europe/Berlin".parse().expect("known");
        let slots = read(reply.to_string().as_bytes(), &berlin, window).map_err(|failure| failure.to_string())?;
        Ok(slots.iter().map(|slot| (slot.from.format("%H:%M").to_string(), slot.state)).collect())
    }

    fn known(states: &[(&str, State)]) -> Result<Vec<(String, State)>, String> {
        Ok(states.iter().map(|(from, state)| ((*from).to_owned(), *state)).collect())
    }

    #[test]
    fn busy_times_are_busy_and_what_is_not_covered_is_unknown() {
        use State::{Busy, Free, Unknown};
        let busy = json!([
            period("14:00", "15:30"),
            period("09:00", "10:00"),
            period("09:30", "11:00"),
            period("07:30", "08:30")
        ]);
        let expected = [
            ("07:00", Unknown),
            ("07:30", Busy),
            ("08:30", Free),
            ("09:00", Busy),
            ("11:00", Free),
            ("14:00", Busy),
            ("15:30", Free),
            ("16:00", Unknown),
        ];
        assert_eq!(states(&reply(busy)), known(&expected));
        assert_eq!(states(&reply(json!([]))), known(&[("07:00", Unknown), ("08:00", Free), ("16:00", Unknown)]));
    }

    #[test]
    fn a_reply_about_another_time_says_nothing() {
        for day in ["2026-08-02", "2026-08-04"] {
            let other = reply(json!([])).to_string().replace("2026-08-03", day);
            assert_eq!(states(&serde_json::from_str(&other).expect("JSON")), known(&[("07:00", State::Unknown)]));
        }
    }

    #[test]
    fn a_time_that_is_not_in_utc_is_in_the_zone_of_the_settings() {
        let busy = json!([{"start": {"date": "2026-08-03", "time": "11:00:00"}, "end": moment("10:00")}]);
        let expected = [
            ("07:00", State::Unknown),
            ("08:00", State::Free),
            ("09:00", State::Busy),
            ("10:00", State::Free),
            ("16:00", State::Unknown),
        ];
        assert_eq!(states(&reply(busy)), known(&expected));
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        let replies = [
            json!({}),
            json!([]),
            json!({"start": moment("08:00"), "end": moment("16:00")}),
            json!({"start": moment("16:00"), "end": moment("08:00"), "busyTimes": []}),
            reply(json!([period("10:00", "09:00")])),
            reply(json!([{"start": moment("09:00")}])),
            reply(json!([{"start": moment("09:00"), "end": {"date": "2026-08-03", "time": "25:00:00", "utc": true}}])),
            reply(json!([{"start": moment("09:00"), "end": {"date": "tomorrow", "time": "10:00:00", "utc": true}}])),
            reply(json!(null)),
        ];
        for reply in replies {
            let why = states(&reply).expect_err("refused");
            assert!(why.starts_with("the reply: ") && why.len() < 300, "{why}");
        }
    }

    #[test]
    fn a_bad_request_may_mean_that_there_is_no_such_user() {
        let refused = |body: &str| refusal(body.as_bytes());
        let body = r#"{"code": 400, "text": "Bad Request", "message": "Name not found"}"#;
        assert!(matches!(refused(body), Failure::NoCalendar));
        assert!(matches!(refused(&body.replace("Name not found", "Unparseable date")), Failure::Refused(_)));
        assert!(matches!(refused("<html>"), Failure::Status(_)));
    }

    #[test]
    fn parameters_are_whole_seconds_of_which_none_is_missing() {
        let window = Window::new(
            "2026-08-03T00:00:00.5Z".parse().expect("a time"),
            "2026-08-04T00:00:00.1Z".parse().expect("a time"),
        );
        assert_eq!(parameters(window, false), "since=2026-08-03T00:00:00Z&before=2026-08-04T00:00:01Z");
        assert!(parameters(window, true).ends_with("Z&format=icalendar"));
    }
}
