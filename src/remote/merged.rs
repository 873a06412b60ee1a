//! Free/busy time as Exchange gives it: a view, which has a digit for each half hour, and items with exact times.

use crate::freebusy::{Interval, Slot, State, Window, merge_overlapping, slots, stretches};
use chrono::{DateTime, TimeDelta, Utc};
use std::iter;

/// What a digit of a view stands for.
pub(super) const STRETCH: TimeDelta = TimeDelta::minutes(30);
const SECONDS: i64 = 30 * 60;

/// Returns the windows of whole half hours that cover a window, each of `days_max` days at the most.
pub(super) fn parts(window: Window, days_max: i64) -> Vec<Window> {
    let from = window.from.timestamp().div_euclid(SECONDS);
    let to =
        (window.to.timestamp() + i64::from(window.to.timestamp_subsec_nanos() > 0) + SECONDS - 1).div_euclid(SECONDS);
    let at = |half_hours: i64| DateTime::from_timestamp(half_hours * SECONDS, 0);
    let step = days_max * 48;
    let starts = (from..to).step_by(usize::try_from(step).unwrap_or(1));
    starts.filter_map(|start| Some(Window::new(at(start)?, at((start + step).min(to))?))).collect()
}

/// Returns what is taken within a window of whole half hours. The items have exact times; a half hour that the view shows as taken, or as
/// unknown, and no item does, is taken or unknown nevertheless: those who may see only the view get no items. What the view does not cover
/// is unknown.
pub(super) fn taken(window: Window, view: &str, items: Vec<Interval>) -> Vec<Interval> {
    let known = slots(window, &merge_overlapping(&items));
    let states = view.trim().chars().map(state).chain(iter::repeat(State::Unknown));
    let more = stretches(window, &known, STRETCH).zip(states);
    let more = more.filter(|((_, strongest), state)| *state == State::Unknown || state > strongest);
    let mut taken: Vec<Interval> = more.map(|((window, _), state)| Interval { window, state }).collect();
    taken.extend(items.into_iter().filter(|item| item.state != State::Free));
    taken
}

/// Returns the state that a digit of a view stands for. 4 is no data in the one protocol, and is not used in the other.
fn state(digit: char) -> State {
    match digit {
        '0' => State::Free,
        '1' => State::Tentative,
        '2' => State::Busy,
        '3' => State::OutOfOffice,
        _ => State::Unknown,
    }
}

/// Returns the state that a name stands for, which is written in either case.
pub(super) fn named(name: &str) -> State {
    let names = [
        ("free", State::Free),
        ("workingelsewhere", State::WorkingElsewhere),
        ("tentative", State::Tentative),
        ("busy", State::Busy),
        ("oof", State::OutOfOffice),
    ];
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map_or(State::Unknown, |(_, state)| *state)
}

/// Returns the slots of a window, by what is taken in its parts.
pub(super) fn slots_in(window: Window, taken: &[Interval]) -> Vec<Slot> {
    slots(window, &merge_overlapping(taken))
}

/// Returns an interval, unless it ends before it begins.
pub(super) fn item(from: DateTime<Utc>, to: DateTime<Utc>, state: State) -> Result<Interval, String> {
    match from <= to {
        true => Ok(Interval { window: Window::new(from, to), state }),
        false => Err(format!("an item begins at {from} and ends at {to}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_542_400 + minute * 60, 0).expect("in range")
    }

    fn window(from: i64, to: i64) -> Window {
        Window::new(at(from), at(to))
    }

    /// Returns the states of a window of two hours, with the minute at which each begins.
    fn states(view: &str, items: &[(i64, i64, State)]) -> Vec<(i64, State)> {
        let items = items.iter().map(|(from, to, state)| item(at(*from), at(*to), *state).expect("in order"));
        let slots = slots_in(window(0, 120), &taken(window(0, 120), view, items.collect()));
        slots.iter().map(|slot| ((slot.from - at(0)).num_minutes(), slot.state)).collect()
    }

    #[test]
    fn items_are_more_exact_than_the_view() {
        use State::{Busy, Free};
        assert_eq!(states("0220", &[(45, 70, Busy)]), [(0, Free), (45, Busy), (70, Free)]);
        assert_eq!(states("0220", &[]), [(0, Free), (30, Busy), (90, Free)]);
    }

    #[test]
    fn what_the_view_shows_and_no_item_does_is_not_free() {
        use State::{Busy, Free, OutOfOffice, Tentative};
        assert_eq!(
            states("1203", &[(0, 10, Tentative)]),
            [(0, Tentative), (10, Free), (30, Busy), (60, Free), (90, OutOfOffice)]
        );
        assert_eq!(states("2000", &[(0, 10, Tentative)]), [(0, Busy), (30, Free)]);
    }

    #[test]
    fn what_the_view_does_not_cover_or_not_say_is_unknown() {
        use State::{Busy, Free, Unknown};
        assert_eq!(states("00", &[]), [(0, Free), (60, Unknown)]);
        assert_eq!(states("", &[]), [(0, Unknown)]);
        assert_eq!(states("0400", &[(30, 40, Busy)]), [(0, Free), (30, Busy), (40, Unknown), (60, Free)]);
        assert_eq!(states("0x00", &[]), [(0, Free), (30, Unknown), (60, Free)]);
        assert_eq!(states("0000", &[(0, 10, named("something new"))]), [(0, Unknown), (10, Free)]);
    }

    #[test]
    fn who_works_elsewhere_is_free_in_a_view() {
        let elsewhere = named("workingElsewhere");
        assert_eq!(states("0000", &[(30, 60, elsewhere)]), [(0, State::Free), (30, elsewhere), (60, State::Free)]);
    }

    #[test]
    fn an_item_that_ends_before_it_begins_is_refused() {
        assert!(item(at(1), at(0), State::Busy).is_err());
    }

    proptest! {
        #[test]
        fn parts_are_whole_half_hours_that_cover_the_window(from in -100_000..100_000_i64, long in 1..100_000_i64, days in 1..70_i64) {
            let window = Window::new(at(from), at(from + long) + TimeDelta::milliseconds(from.rem_euclid(2)));
            let parts = parts(window, days);
            prop_assert!(parts.iter().all(|part| part.from < part.to && part.to - part.from <= TimeDelta::days(days)));
            prop_assert!(parts.iter().all(|part| part.from.timestamp() % SECONDS == 0 && part.to.timestamp() % SECONDS == 0));
            prop_assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from));
            let (first, last) = (parts[0].from, parts[parts.len() - 1].to);
            prop_assert!(first <= window.from && window.from - first < STRETCH);
            prop_assert!(window.to <= last && last - window.to < STRETCH);
        }
    }
}
