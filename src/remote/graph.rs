//! `getSchedule` of Microsoft Graph: the request about one user, and what the reply says. Pure functions.

use super::client::Request;
use super::failure::Failure;
use super::merged::{self, STRETCH};
use crate::calendar::Zone;
use crate::freebusy::{Interval, Window};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::json;

/// The longest window of a request, in days.
pub(super) const DAYS_MAX: i64 = 62;
/// What the server says of somebody whom it does not know.
const NOBODY: &str = "ErrorMailRecipientNotFound";

/// Asks about a window of whole half hours.
pub(super) fn request(user: &str, window: Window) -> Request {
    let moment = |at: DateTime<Utc>| json!({"dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC"});
    let body = json!({
        "schedules": [user],
        "startTime": moment(window.from),
        "endTime": moment(window.to),
        "availabilityViewInterval": STRETCH.num_minutes(),
    });
    let headers = &[("content-type", "application/json"), ("prefer", "outlook.timezone=\"UTC\"")];
    Request { method: "POST", headers, body: body.to_string() }
}

#[derive(Debug, Deserialize)]
struct Reply {
    value: Vec<Information>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Information {
    schedule_id: String,
    availability_view: Option<String>,
    schedule_items: Option<Vec<Item>>,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
struct Item {
    status: Option<String>,
    start: Moment,
    end: Moment,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    date_time: String,
    time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    response_code: Option<String>,
    message: Option<String>,
}

impl Moment {
    fn instant(&self) -> Result<DateTime<Utc>, Failure> {
        let text = self.date_time.as_str();
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(instant.to_utc());
        }
        let local: NaiveDateTime = text.parse().map_err(|_| Failure::reply(format!("{text:?} is no time")))?;
        let zone: Zone = match self.time_zone.as_deref() {
            Some(name) => name.parse().map_err(Failure::reply)?,
            None => Zone::UTC,
        };
        Ok(zone.instant(local))
    }
}

/// Reads the reply about a user and a window of whole half hours: what is taken. What the reply does not cover is unknown.
///
/// # Errors
/// What is not as it should be, or why the server has no answer.
pub fn read(body: &[u8], user: &str, window: Window) -> Result<Vec<Interval>, Failure> {
    let reply: Reply = serde_json::from_slice(body).map_err(Failure::reply)?;
    let mut ours = reply.value.into_iter().filter(|one| one.schedule_id.trim().to_lowercase() == user);
    let (Some(one), None) = (ours.next(), ours.next()) else {
        return Err(Failure::reply("it has not one schedule of this user"));
    };
    if let Some(Problem { response_code, message }) = one.error {
        let code = response_code.unwrap_or_default();
        return Err(match code.as_str() {
            NOBODY => Failure::NoCalendar,
            code => Failure::refused(&format!("{code}: {}", message.unwrap_or_default())),
        });
    }
    let Some(view) = one.availability_view else { return Err(Failure::reply("it has no availabilityView")) };
    let item = |item: &Item| {
        let state = merged::named(item.status.as_deref().unwrap_or_default());
        merged::item(item.start.instant()?, item.end.instant()?, state).map_err(Failure::reply)
    };
    let items = one.schedule_items.unwrap_or_default();
    Ok(merged::taken(window, &view, items.iter().map(item).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freebusy::State;
    use serde_json::Value;

    const ADA: &str = "ada@exchange.example";

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_715_200 + hour * 3600, 0).expect("in range")
    }

    /// Returns the states of three hours from 6:00 on, with the minute at which each begins.
    fn states(reply: &Value) -> Result<Vec<(i64, State)>, Failure> {
        let window = Window::new(at(6), at(9));
        let taken = read(reply.to_string().as_bytes(), ADA, window)?;
        let slots = merged::slots_in(window, &taken);
        Ok(slots.iter().map(|slot| ((slot.from - at(6)).num_minutes(), slot.state)).collect())
    }

    fn item(status: &str, from: &str, to: &str, zone: &str) -> Value {
        let moment = |time: &str| json!({"dateTime": format!("2026-08-03T{time}:00.0000000"), "timeZone": zone});
        json!({"isPrivate": false, "status": status, "subject": "x", "start": moment(from), "end": moment(to)})
    }

    fn reply(view: &str, items: Value) -> Value {
        let hours = json!({"daysOfWeek": ["monday"], "startTime": "08:00:00.0000000", "timeZone": {"name": "Pacific Standard Time"}});
        let one = json!({"scheduleId": "Ada@Exchange.Example", "availabilityView": view, "scheduleItems": items, "workingHours": hours});
        json!({"@odata.context": "https://graph/$metadata#Collection(microsoft.graph.scheduleInformation)", "value": [one]})
    }

    #[test]
    fn items_are_read_in_the_zone_that_they_name_and_their_status_in_either_case() {
        use State::{Busy, Free, OutOfOffice, Tentative, WorkingElsewhere};
        let items = json!([
            item("Tentative", "08:15", "08:30", "W. Europe Standard Time"),
            item("busy", "06:30", "07:00", "UTC"),
            item("oof", "07:00", "07:30", "Etc/UTC"),
            item("workingElsewhere", "07:30", "08:00", "UTC"),
            item("free", "08:00", "09:00", "UTC"),
        ]);
        let expected = [(0, Free), (15, Tentative), (30, Busy), (60, OutOfOffice), (90, WorkingElsewhere), (120, Free)];
        assert_eq!(states(&reply("123000", items)).expect("good"), expected);
    }

    #[test]
    fn who_sees_no_items_sees_the_view() {
        use State::{Busy, Free, Unknown};
        let expected = [(0, Free), (30, Busy), (60, Free), (90, Unknown)];
        for items in [json!([]), json!(null)] {
            assert_eq!(states(&reply("020", items)).expect("good"), expected);
        }
    }

    #[test]
    fn a_status_that_is_not_known_is_not_free() {
        let items = json!([item("elsewhere in time", "06:00", "06:30", "UTC")]);
        assert_eq!(states(&reply("000000", items)).expect("good"), [(0, State::Unknown), (30, State::Free)]);
    }

    #[test]
    fn an_error_is_no_answer() {
        let error = |code: &str| json!({"value": [{"scheduleId": ADA, "availabilityView": "", "error": {"message": "m", "responseCode": code}}]});
        assert!(matches!(states(&error(NOBODY)), Err(Failure::NoCalendar)));
        let why = states(&error("5008")).expect_err("refused").to_string();
        assert_eq!(why, "the server has no answer: \"5008: m\"");
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        let other = |id: &str| json!({"value": [{"scheduleId": id, "availabilityView": "000000"}]});
        let mut twice = reply("000000", json!([]));
        let one = twice["value"][0].clone();
        twice["value"].as_array_mut().expect("a list").push(one);
        let replies = [
            json!({}),
            json!({"value": []}),
            other("bob@exchange.example"),
            twice,
            json!({"value": [{"scheduleId": ADA}]}),
            reply("000000", json!([item("busy", "07:00", "06:00", "UTC")])),
            reply("000000", json!([item("busy", "06:00", "25:00", "UTC")])),
            reply("000000", json!([item("busy", "06:00", "07:00", "Mars/Olympus")])),
            reply("000000", json!([{"status": "busy", "start": {}}])),
        ];
        for reply in replies {
            let why = states(&reply).expect_err("refused").to_string();
            assert!(why.starts_with("the reply: ") && why.len() < 300, "{why}");
        }
    }

    #[test]
    fn a_request_is_about_one_user_in_utc() {
        let request = request("a\"b@exchange.example", Window::new(at(6), at(9)));
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        let moment = |hour: u32| json!({"dateTime": format!("2026-08-03T{hour:02}:00:00"), "timeZone": "UTC"});
        let expected = json!({
            "schedules": ["a\"b@exchange.example"], "startTime": moment(6), "endTime": moment(9), "availabilityViewInterval": 30,
        });
        assert_eq!(body, expected);
    }
}
