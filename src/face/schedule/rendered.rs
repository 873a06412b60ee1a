//! Keeps what was rendered. Clients ask for the same people and the same time again and again, and most of the time that a response takes is
//! its text.

use super::{Shown, Wanted};
use crate::freebusy::{Slot, Window};
use chrono::TimeDelta;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Maximum number of schedules whose text is kept. With the next one all are forgotten.
const SCHEDULES_KEPT_MAX: usize = 1024;
/// Longer answers are not kept: their texts could take much memory, at about 160 bytes for each slot.
const SLOTS_KEPT_MAX: usize = 64;

/// The text that each schedule had in the last response, for as long as it would be the same.
#[derive(Debug, Default)]
pub struct Rendered {
    kept: Mutex<HashMap<String, Kept>>,
}

/// A text, and all that it is made of.
#[derive(Debug)]
struct Kept {
    window: Window,
    interval: TimeDelta,
    zone: String,
    slots: Vec<Slot>,
    text: Arc<str>,
}

impl Rendered {
    /// Returns the properties of a schedule whose slots are known, in JSON: what is within the braces.
    pub(super) fn text(&self, schedule: &str, wanted: &Wanted, slots: &[Slot]) -> Arc<str> {
        // Nothing panics while it is locked.
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = lock().get(schedule)
            && (kept.window, kept.interval) == (wanted.window, wanted.interval)
            && kept.zone == wanted.zone.0
            && kept.slots == slots
        {
            return Arc::clone(&kept.text);
        }
        let text = Shown::of(wanted, slots).text();
        if slots.len() <= SLOTS_KEPT_MAX {
            let (window, interval, zone) = (wanted.window, wanted.interval, wanted.zone.0.clone());
            let kept = Kept { window, interval, zone, slots: slots.to_vec(), text: Arc::clone(&text) };
            let mut all = lock();
            if all.len() >= SCHEDULES_KEPT_MAX {
                all.clear();
            }
            all.insert(schedule.to_owned(), kept);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freebusy::State;
    use axum::http::HeaderMap;
    use chrono::DateTime;
    use proptest::prelude::*;

    fn wanted(from: usize, minutes: u32, zone: &str) -> Wanted {
        let body = serde_json::json!({
            "schedules": ["ada@notes.example", "bob@notes.example"],
            "startTime": {"dateTime": format!("2026-08-03T0{from}:00:00")},
            "endTime": {"dateTime": "2026-08-03T10:00:00"},
            "availabilityViewInterval": minutes,
        });
        let mut headers = HeaderMap::new();
        headers.insert("prefer", format!("outlook.timezone=\"{zone}\"").parse().expect("a value"));
        Wanted::read(body.to_string().as_bytes(), &headers).expect("a request")
    }

    fn slots(hours: &[(i64, State)]) -> Vec<Slot> {
        let at = |hour| DateTime::from_timestamp(1_785_715_200 + hour * 3600, 0).expect("in range");
        hours.iter().map(|(hour, state)| Slot { from: at(*hour), to: at(hour + 1), state: *state }).collect()
    }

    proptest! {
        /// Whoever asked for what before.
        #[test]
        fn a_text_is_what_it_would_be_if_nothing_was_kept(
            asked in prop::collection::vec((0..2_usize, 0..3_usize, 0..2_usize, 0..2_usize, 0..3_usize), 1..40),
        ) {
            let rendered = Rendered::default();
            let known = [
                slots(&[(0, State::Busy)]),
                slots(&[(0, State::Tentative)]),
                slots(&[(0, State::Busy), (2, State::OutOfOffice)]),
            ];
            for (whose, from, minutes, zone, slots) in asked {
                let wanted = wanted(from, [15, 30][minutes], ["UTC", "Europe/Berlin"][zone]);
                let schedule = &wanted.schedules[whose];
                let expected = Shown::of(&wanted, &known[slots]).text();
                prop_assert_eq!(rendered.text(schedule, &wanted, &known[slots]), expected);
            }
        }
    }

    #[test]
    fn the_same_text_is_kept_and_not_made_again() {
        let (rendered, wanted, slots) = (Rendered::default(), wanted(0, 30, "UTC"), slots(&[(0, State::Busy)]));
        let text = || rendered.text("ada@notes.example", &wanted, &slots);
        assert!(Arc::ptr_eq(&text(), &text()));
    }

    #[test]
    fn no_more_is_kept_than_the_limits_say() {
        let (rendered, wanted) = (Rendered::default(), wanted(0, 30, "UTC"));
        for n in 0..=SCHEDULES_KEPT_MAX {
            rendered.text(&n.to_string(), &wanted, &[]);
        }
        let long = slots(&(0..SLOTS_KEPT_MAX as i64 + 1).map(|hour| (hour, State::Busy)).collect::<Vec<_>>());
        rendered.text("long", &wanted, &long);
        assert_eq!(rendered.kept.lock().expect("locked").keys().collect::<Vec<_>>(), [&SCHEDULES_KEPT_MAX.to_string()]);
    }
}
