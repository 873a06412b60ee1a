//! Free/busy time from iCalendar that is in no file: a calendar, published free/busy time, and the objects of a calendar.

use super::budget::Budget;
use super::components::Broken;
use super::expand::expand;
use super::ics::{self, EVENTS_MAX, Parsed};
use super::moment::Zone;
use crate::browse_log::{self, Event as Noteworthy};
use crate::freebusy::{Interval, Slot, State, Window, merge_overlapping, slots};

/// Returns the free/busy time of a calendar that is no file. Times without a time zone are in `zone`.
///
/// # Errors
/// The line, from 1, with what makes the calendar unusable.
pub fn slots_of(text: &str, zone: &Zone, window: Window) -> Result<Vec<Slot>, (usize, String)> {
    let parsed = read(text, zone)?;
    let expansion = expand(&parsed.events, window, Budget::default());
    Ok(slots(window, &merge_overlapping(&expansion.taken)))
}

/// Returns published free/busy time (RFC 5545, 3.6.4). What it does not cover is unknown.
///
/// # Errors
/// The line, from 1, with what makes it unusable.
pub fn slots_published(text: &str, zone: &Zone, window: Window) -> Result<Vec<Slot>, (usize, String)> {
    let parsed = read(text, zone)?;
    if parsed.published.is_empty() {
        return Err((1, "no VFREEBUSY in it".to_owned()));
    }
    let covered = parsed.published.iter().map(|covered| Interval { window: *covered, state: State::Busy });
    let gaps = slots(window, &merge_overlapping(&covered.collect::<Vec<_>>())).into_iter();
    let unknown = gaps
        .filter(|slot| slot.state == State::Free)
        .map(|slot| Interval { window: Window::new(slot.from, slot.to), state: State::Unknown });
    let mut taken = expand(&parsed.events, window, Budget::default()).taken;
    taken.extend(unknown);
    Ok(slots(window, &merge_overlapping(&taken)))
}

/// Returns the free/busy time of a calendar in several texts, each behind its name. The time that it takes too long to expand is
/// reported, and unknown.
///
/// # Errors
/// The name and the line, from 1, with what makes the calendar unusable.
pub fn slots_of_all<'a>(
    texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    zone: &Zone,
    window: Window,
) -> Result<Vec<Slot>, (String, usize, String)> {
    let (mut events, mut first) = (Vec::new(), None);
    for (name, text) in texts {
        first.get_or_insert(name);
        let parsed = read(text, zone).map_err(|(line, what)| (name.to_owned(), line, what))?;
        events.extend(parsed.events.into_iter().map(|event| event.within(name)));
        if events.len() > EVENTS_MAX {
            return Err((name.to_owned(), 1, format!("the calendar has more than {EVENTS_MAX} events")));
        }
    }
    let expansion = expand(&events, window, Budget::default());
    if let Some(line) = expansion.over_budget {
        let what = format!("{} and others, line {line}", first.unwrap_or_default());
        browse_log::report(&Noteworthy::OverBudget { what, from: window.from, to: window.to });
    }
    Ok(slots(window, &merge_overlapping(&expansion.taken)))
}

fn read(text: &str, zone: &Zone) -> Result<Parsed, (usize, String)> {
    ics::read(text, zone).map_err(|Broken { line, what }| (line, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn day(day: u32) -> DateTime<Utc> {
        format!("2026-08-{day:02}T00:00:00Z").parse().expect("a time")
    }

    fn published(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\n{lines}END:VFREEBUSY\nEND:VCALENDAR\n")
    }

    #[test]
    fn what_published_time_does_not_cover_is_unknown() {
        let covered = "DTSTART:20260803T000000Z\nDTEND:20260804T000000Z\nFREEBUSY:20260803T000000Z/PT12H\n";
        let text = [published(covered), published("DTSTART:20260805T000000Z\nDTEND:20260901T000000Z\n")].concat();
        let slots = slots_published(&text, &Zone::UTC, Window::new(day(2), day(6))).expect("good");
        let states: Vec<State> = slots.iter().map(|slot| slot.state).collect();
        assert_eq!(states, [State::Unknown, State::Busy, State::Free, State::Unknown, State::Free]);
        assert_eq!([slots[0].to, slots[2].to, slots[3].to], [day(3), day(4), day(5)]);
    }

    #[test]
    fn published_time_without_a_window_tells_about_all_time() {
        let slots = slots_published(&published(""), &Zone::UTC, Window::new(day(2), day(6))).expect("good");
        assert_eq!(slots, [Slot { from: day(2), to: day(6), state: State::Free }]);
    }

    #[test]
    fn a_calendar_that_publishes_nothing_is_not_free() {
        let window = Window::new(day(2), day(6));
        for text in ["BEGIN:VCALENDAR\nEND:VCALENDAR\n", "", "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nEND:VFREEBUSY\n"] {
            assert!(slots_published(text, &Zone::UTC, window).is_err(), "{text}");
        }
    }

    #[test]
    fn events_of_two_texts_are_not_joined() {
        let event = |lines: &str| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
        let [first, second] = [
            event("UID:1\nDTSTART:20260803T000000Z\nDURATION:P1D"),
            event("UID:1\nRECURRENCE-ID:20260803T000000Z\nDTSTART:20260804T000000Z\nDURATION:P1D"),
        ];
        let window = Window::new(day(3), day(5));
        let slots = slots_of_all([("a", &*first), ("b", &*second)], &Zone::UTC, window).expect("good");
        assert_eq!(slots, [Slot { from: day(3), to: day(5), state: State::Busy }]);
        let broken = [("a", &*first), ("b", &*event("UID:1"))];
        let (name, line, what) = slots_of_all(broken, &Zone::UTC, window).expect_err("refused");
        assert_eq!((name.as_str(), line, what.as_str()), ("b", 2, "DTSTART: missing"));
    }
}
