//! An answer as a string of digits, one for each stretch of equal length, as `availabilityView` of Microsoft Graph's `getSchedule` has it.

use super::{Slot, State, Window};
use chrono::{DateTime, TimeDelta, Utc};
use std::mem;

/// Returns a digit for each stretch of the window, the last of which may be shorter: 0 free or working elsewhere, 1 tentative, 2 busy,
/// 3 out of office, as Graph documents its `scheduleInformation`; it has no 4, which clients of Exchange 2010 do not know. Of several
/// states in a stretch the greatest counts. What is unknown is busy, and so is what the slots do not cover: neither may look free.
///
/// # Panics
/// If `stretch` is not positive.
pub fn availability_view(window: Window, slots: &[Slot], stretch: TimeDelta) -> String {
    states(window, slots, stretch).into_iter().map(digit).collect()
}

/// Returns each stretch of the window, the last of which may be shorter, with the greatest state in it. What the slots do not cover is
/// unknown.
///
/// # Panics
/// If `stretch` is not positive.
pub fn stretches(window: Window, slots: &[Slot], stretch: TimeDelta) -> impl Iterator<Item = (Window, State)> {
    let mut at = window.from;
    states(window, slots, stretch).into_iter().map(move |state| {
        let end = at.checked_add_signed(stretch).map_or(window.to, |end| end.min(window.to));
        (Window::new(mem::replace(&mut at, end), end), state)
    })
}

/// Returns the greatest state of each stretch. A slot is filled in where it is: a request may have thousands of stretches, and each has few
/// slots.
fn states(window: Window, slots: &[Slot], stretch: TimeDelta) -> Vec<State> {
    assert!(stretch > TimeDelta::zero(), "a stretch takes time");
    if window.is_empty() {
        return Vec::new();
    }
    let length = nanos(stretch);
    // The first stretch that ends behind a time of the window, and the first that begins at it or behind it.
    let holding = |at: DateTime<Utc>| (nanos(at - window.from) / length) as usize;
    let from = |at: DateTime<Utc>| nanos(at - window.from).div_ceil(length) as usize;
    let mut states = vec![State::Free; from(window.to)];
    let mut fill = |span: Window, state: State| {
        let span = span.intersect(&window);
        if !span.is_empty() && state != State::Free {
            states[holding(span.from)..from(span.to)].iter_mut().for_each(|known| *known = state.max(*known));
        }
    };
    let mut covered_to = window.from;
    for slot in slots {
        fill(Window::new(covered_to, slot.from), State::Unknown);
        fill(Window::new(slot.from, slot.to), slot.state);
        covered_to = covered_to.max(slot.to);
    }
    fill(Window::new(covered_to, window.to), State::Unknown);
    states
}

/// Returns a time that is not negative, in nanoseconds.
fn nanos(time: TimeDelta) -> u128 {
    time.num_seconds().unsigned_abs() as u128 * 1_000_000_000 + time.subsec_nanos().unsigned_abs() as u128
}

fn digit(state: State) -> char {
    match state {
        State::Free | State::WorkingElsewhere => '0',
        State::Tentative => '1',
        State::Busy | State::Unknown => '2',
        State::OutOfOffice => '3',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freebusy::{Interval, merge_overlapping, slots};
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_000_000 + minute * 60, 0).expect("in range")
    }

    fn window(from: i64, to: i64) -> Window {
        Window::new(at(from), at(to))
    }

    fn view(taken: &[(i64, i64, State)], to: i64) -> String {
        let taken = taken.iter().map(|(from, to, state)| Interval { window: window(*from, *to), state: *state });
        let merged = merge_overlapping(&taken.collect::<Vec<_>>());
        availability_view(window(0, to), &slots(window(0, to), &merged), TimeDelta::minutes(30))
    }

    #[test]
    fn each_state_has_its_digit() {
        use State::{Busy, OutOfOffice, Tentative, Unknown, WorkingElsewhere};
        let states = [Tentative, Busy, OutOfOffice, WorkingElsewhere, Unknown];
        let taken: Vec<_> = (1..).zip(states).map(|(n, state)| (n * 30, n * 30 + 30, state)).collect();
        assert_eq!(view(&taken, 210), "0123020");
    }

    #[test]
    fn an_event_fills_each_stretch_that_it_touches_and_no_other() {
        assert_eq!(view(&[(29, 31, State::Busy)], 90), "220");
        assert_eq!(view(&[(30, 60, State::Busy)], 90), "020");
        assert_eq!(view(&[(0, 90, State::Tentative), (30, 31, State::OutOfOffice)], 90), "131");
    }

    #[test]
    fn the_last_stretch_may_be_shorter() {
        assert_eq!(view(&[(60, 61, State::Busy)], 61), "002");
    }

    #[test]
    fn what_is_not_covered_is_not_free() {
        let half = slots(window(0, 45), &[]);
        assert_eq!(availability_view(window(0, 90), &half, TimeDelta::minutes(30)), "022");
        assert_eq!(availability_view(window(0, 30), &[], TimeDelta::minutes(30)), "2");
    }

    proptest! {
        #[test]
        fn a_stretch_is_free_only_if_each_of_its_minutes_is(
            taken in prop::collection::vec((0..200_i64, 1..40_i64), 0..10), long in 1..200_i64, stretch in 1..50_i64,
        ) {
            let taken: Vec<_> = taken
                .iter()
                .map(|(from, long)| Interval { window: window(*from, from + long), state: State::Busy })
                .collect();
            let slots = slots(window(0, long), &merge_overlapping(&taken));
            let view = availability_view(window(0, long), &slots, TimeDelta::minutes(stretch));
            let minutes = |n: i64| n * stretch..(n * stretch + stretch).min(long);
            let is_free = |minute| taken.iter().all(|i| at(minute) < i.window.from || i.window.to <= at(minute));
            let expected = (0..(long + stretch - 1) / stretch).map(|n| if minutes(n).all(is_free) { '0' } else { '2' });
            prop_assert_eq!(view, expected.collect::<String>());
        }
    }
}
