//! `getSchedule` as Microsoft Graph has it: its request, and the answer for each schedule. Pure functions.

mod rendered;
mod stamp;

pub use rendered::Rendered;

use super::reply::Fault;
use crate::answer::{Answer, Code, Query, Refusal, Source, USER_BYTES_MAX};
use crate::calendar::Zone;
use crate::freebusy::{Slot, State, Window, availability_view};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use stamp::Stamp;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Maximum number of schedules of a request, as in Graph.
pub const SCHEDULES_MAX: usize = 20;
/// Maximum window of a request, in days, as in Graph.
pub const DAYS_MAX: i64 = 62;
/// Limits of the interval of a view, in minutes, as in Graph.
const MINUTES: RangeInclusive<i64> = 5..=1440;
/// About how long a schedule of a response is, and an item of it, in bytes.
const SCHEDULE_BYTES: usize = 256;
const ITEM_BYTES: usize = 160;
/// The interval of a request that has none, in minutes.
const MINUTES_USUAL: i64 = 30;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose time is asked for.
    schedules: Vec<String>,
    window: Window,
    interval: TimeDelta,
    zone: (String, Zone),
}

impl Wanted {
    /// Reads a request. The header `Prefer: outlook.timezone="NAME"` chooses the zone of the answer's times.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(body: &[u8], headers: &HeaderMap) -> Result<Self, Fault> {
        let body: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| Fault::bad(format!("the body is no JSON object: {error}")))?;
        let [from, to] = ["startTime", "endTime"].map(|name| instant(&body, name));
        let (window, interval) = (Window::new(from?, to?), interval(&body)?);
        if window.is_empty() {
            return Err(Fault::bad("endTime must be after startTime"));
        }
        if window.to.signed_duration_since(window.from) > TimeDelta::days(DAYS_MAX) {
            let why = format!("startTime and endTime are more than {DAYS_MAX} days apart: ask for less at once");
            return Err(Fault::new(StatusCode::BAD_REQUEST, "ErrorTimeIntervalTooBig", why));
        }
        Ok(Self { schedules: schedules(&body)?, window, interval, zone: preferred_zone(headers)? })
    }

    /// Returns the query for each schedule.
    pub fn queries(&self) -> impl Iterator<Item = Query> {
        let query = |user: &String| Query { user: user.clone(), from: self.window.from, to: self.window.to };
        self.schedules.iter().map(query)
    }

    /// Returns the body of the response. The outcomes are in the order of the schedules. Texts that were rendered before are used again.
    pub fn response(&self, outcomes: &[Result<Answer, Refusal>], rendered: &Rendered) -> Vec<u8> {
        let slots = outcomes.iter().flatten().map(|answer| answer.slots.len()).sum::<usize>();
        let mut body = Vec::with_capacity(SCHEDULE_BYTES * outcomes.len() + ITEM_BYTES * slots);
        body.extend_from_slice(b"{\"value\":[");
        for (nth, (schedule, outcome)) in self.schedules.iter().zip(outcomes).enumerate() {
            if nth > 0 {
                body.push(b',');
            }
            match outcome {
                Ok(answer) => {
                    let known = Known { schedule_id: schedule, source: answer.source, age_secs: answer.age_secs };
                    write(&mut body, &known);
                    // Both are objects: of the first the brace is taken back that closes it.
                    body.pop();
                    body.push(b',');
                    body.extend_from_slice(rendered.text(schedule, self, &answer.slots).as_bytes());
                    body.push(b'}');
                }
                Err(refusal) => write(&mut body, &Unknown::of(schedule, refusal)),
            }
        }
        body.extend_from_slice(b"]}");
        body
    }
}

/// Appends a value in JSON.
fn write(body: &mut Vec<u8>, value: &impl Serialize) {
    // Plain data can always be serialized.
    let _ = serde_json::to_writer(body, value);
}

/// What is another one in each response, of Graph's `scheduleInformation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known<'a> {
    schedule_id: &'a str,
    #[serde(rename = "@calcon.source")]
    source: Source,
    #[serde(rename = "@calcon.ageSeconds")]
    age_secs: u64,
}

/// What is rendered from the slots.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    availability_view: String,
    schedule_items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    status: &'static str,
    start: Moment<'a>,
    end: Moment<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Moment<'a> {
    date_time: Stamp,
    time_zone: &'a str,
}

/// A schedule with an error has no view that could look free.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unknown<'a> {
    schedule_id: &'a str,
    error: Failure<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    message: &'a str,
    response_code: &'static str,
}

impl<'a> Shown<'a> {
    fn of(wanted: &'a Wanted, slots: &[Slot]) -> Self {
        let taken = slots.iter().filter(|slot| slot.state != State::Free);
        Self {
            availability_view: availability_view(wanted.window, slots, wanted.interval),
            schedule_items: taken.map(|slot| Item::of(slot, wanted)).collect(),
        }
    }

    /// Returns its properties in JSON: what is within the braces.
    fn text(&self) -> Arc<str> {
        let object = serde_json::to_string(self).unwrap_or_default();
        object.trim_start_matches('{').trim_end_matches('}').into()
    }
}

impl<'a> Unknown<'a> {
    fn of(schedule_id: &'a str, refusal: &'a Refusal) -> Self {
        let response_code = match refusal.code {
            Code::UnknownUser => "ErrorMailRecipientNotFound",
            Code::Unreadable => "ErrorFreeBusyGenerationFailed",
            Code::LinkDown => "ErrorProxyRequestProcessingFailed",
            Code::TimedOut => "ErrorTimeoutExpired",
            Code::Busy => "ErrorServerBusy",
            Code::BadQuery => "ErrorInvalidRequest",
            Code::Denied => "ErrorNoFreeBusyAccess",
            Code::Other => "ErrorInternalServerError",
        };
        Self { schedule_id, error: Failure { message: &refusal.text, response_code } }
    }
}

impl<'a> Item<'a> {
    fn of(slot: &Slot, wanted: &'a Wanted) -> Self {
        let (name, zone) = &wanted.zone;
        let moment = |at: DateTime<Utc>| Moment { date_time: Stamp::of(zone.local(at)), time_zone: name };
        Self { status: status(slot.state), start: moment(slot.from), end: moment(slot.to) }
    }
}

fn status(state: State) -> &'static str {
    match state {
        State::Free => "free",
        State::WorkingElsewhere => "workingElsewhere",
        State::Tentative => "tentative",
        State::Unknown => "unknown",
        State::Busy => "busy",
        State::OutOfOffice => "oof",
    }
}

/// Returns a property, whose name clients write in either case.
fn property<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    of.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn schedules(body: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    let bad = |why: &str| Fault::bad(format!("schedules must be a list of 1 to {SCHEDULES_MAX} mail addresses{why}"));
    let list = property(body, "schedules").and_then(Value::as_array).ok_or_else(|| bad(""))?;
    if list.is_empty() || list.len() > SCHEDULES_MAX {
        return Err(bad(&format!(": there are {}", list.len())));
    }
    let schedule = |schedule: &Value| {
        let schedule = schedule.as_str().ok_or_else(|| bad(": one is no text"))?;
        let is_short = schedule.len() <= USER_BYTES_MAX;
        is_short.then(|| schedule.to_owned()).ok_or_else(|| bad(&format!(" of up to {USER_BYTES_MAX} bytes")))
    };
    list.iter().map(schedule).collect()
}

fn instant(body: &Map<String, Value>, name: &str) -> Result<DateTime<Utc>, Fault> {
    let bad = |why: &str| Fault::bad(format!("{name} must be {{\"dateTime\": TIME, \"timeZone\": NAME}}{why}"));
    let moment = property(body, name).and_then(Value::as_object).ok_or_else(|| bad(""))?;
    let text = |name| property(moment, name).and_then(Value::as_str);
    let time = text("dateTime").ok_or_else(|| bad(""))?;
    if let Ok(instant) = DateTime::parse_from_rfc3339(time) {
        return Ok(instant.to_utc());
    }
    let local: NaiveDateTime = time.parse().map_err(|_| bad(": the time is none, such as 2026-08-03T09:00:00"))?;
    Ok(zone(text("timeZone").unwrap_or("UTC"))?.instant(local))
}

fn interval(body: &Map<String, Value>) -> Result<TimeDelta, Fault> {
    let minutes = match property(body, "availabilityViewInterval") {
        None | Some(Value::Null) => Some(MINUTES_USUAL),
        // Graph's own examples have it as a text.
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_i64(),
    };
    let (least, most) = (MINUTES.start(), MINUTES.end());
    let bad = || Fault::bad(format!("availabilityViewInterval must be a number of minutes from {least} to {most}"));
    minutes.filter(|minutes| MINUTES.contains(minutes)).map(TimeDelta::minutes).ok_or_else(bad)
}

fn preferred_zone(headers: &HeaderMap) -> Result<(String, Zone), Fault> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'));
    let named = values.filter_map(|value| value.split_once('=')).find(|(key, _)| key.trim() == "outlook.timezone");
    match named.map(|(_, name)| name.trim().trim_matches('"')) {
        Some(name) => Ok((name.to_owned(), zone(name)?)),
        None => Ok(("UTC".to_owned(), Zone::UTC)),
    }
}

fn zone(name: &str) -> Result<Zone, Fault> {
    name.parse().map_err(|error: crate::calendar::UnknownTimeZone| Fault::bad(error.to_string()))
}

#[cfg(test)]
#[path = "schedule/tests.rs"]
mod tests;
