//! Converts calendar contents into the slots of an answer: intervals, their merge, slots. Pure functions.

mod vfreebusy;
mod view;

pub use vfreebusy::{vfreebusy, vfreebusy_reply};
pub use view::{availability_view, stretches};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A half-open span of time, `from..to`. Empty if `to <= from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// First instant of the span.
    pub from: DateTime<Utc>,
    /// First instant after the span.
    pub to: DateTime<Utc>,
}

impl Window {
    /// Creates the span from `from` up to, but not including, `to`.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self { from, to }
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }

    /// Returns whether it contains all of `other`.
    pub fn covers(&self, other: &Window) -> bool {
        other.is_empty() || (self.from <= other.from && other.to <= self.to)
    }

    /// Returns the intersection, which may be empty.
    pub fn intersect(&self, other: &Window) -> Window {
        Window::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// Returns the shortest span that covers both.
    pub fn hull(&self, other: &Window) -> Window {
        Window::new(self.from.min(other.from), self.to.max(other.to))
    }
}

/// The state of a person's time. Of several at the same time the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is planned.
    Free,
    /// Available, at another place than usual.
    WorkingElsewhere,
    /// Planned, not confirmed. Never shown as free (Q199643).
    Tentative,
    /// Not known: an old record does not reach this far, or the calendar takes too long to expand. Never shown as free.
    Unknown,
    /// Taken.
    Busy,
    /// Taken, and away.
    OutOfOffice,
}

impl State {
    /// The number of states.
    const COUNT: usize = State::OutOfOffice as usize + 1;
}

/// A span of time that an event occupies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// When.
    pub window: Window,
    /// Its state: any but free.
    pub state: State,
}

/// A span of an answer. The slots of an answer are contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// First instant of the slot.
    pub from: DateTime<Utc>,
    /// First instant after the slot.
    pub to: DateTime<Utc>,
    /// The state from `from` to `to`.
    pub state: State,
}

/// Merges intervals into sorted, disjoint ones; where events overlap, the greatest state wins. Adjacent intervals of the
/// same state are joined, so that an answer does not reveal the number of events.
pub fn merge_overlapping(intervals: &[Interval]) -> Vec<Interval> {
    let taken = intervals.iter().filter(|interval| !interval.window.is_empty());
    let mut changes: Vec<(DateTime<Utc>, State, i64)> = taken
        .flat_map(|interval| [(interval.window.from, interval.state, 1), (interval.window.to, interval.state, -1)])
        .collect();
    changes.sort_unstable();
    let mut merged: Vec<Interval> = Vec::new();
    let mut running = [0; State::COUNT];
    let mut since: Option<DateTime<Utc>> = None;
    let mut strongest: Option<State> = None;
    for (at, state, count) in changes {
        if let (Some(from), Some(state)) = (since, strongest) {
            push_joined(&mut merged, Interval { window: Window::new(from, at), state });
        }
        running[state as usize] += count;
        let states = [State::OutOfOffice, State::Busy, State::Unknown, State::Tentative, State::WorkingElsewhere];
        (since, strongest) = (Some(at), states.into_iter().find(|state| running[*state as usize] > 0));
    }
    merged
}

fn push_joined(merged: &mut Vec<Interval>, next: Interval) {
    match merged.last_mut() {
        _ if next.window.is_empty() => {}
        Some(last) if last.window.to == next.window.from && last.state == next.state => last.window.to = next.window.to,
        _ => merged.push(next),
    }
}

/// Returns slots that fill `window`: the merged intervals, and free time between them.
pub fn slots(window: Window, merged: &[Interval]) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut at = window.from;
    let first = merged.partition_point(|interval| interval.window.to <= window.from);
    for interval in merged[first..].iter().take_while(|interval| interval.window.from < window.to) {
        let taken = interval.window.intersect(&window);
        push_slot(&mut slots, at, taken.from, State::Free);
        push_slot(&mut slots, taken.from, taken.to, interval.state);
        at = taken.to;
    }
    push_slot(&mut slots, at, window.to, State::Free);
    slots
}

/// Returns the slots, which are sorted and disjoint, clipped to another window, with unknown slots where they do not reach.
pub fn clip(window: Window, slots: &[Slot]) -> Vec<Slot> {
    let mut clipped = Vec::new();
    let mut at = window.from;
    let first = slots.partition_point(|slot| slot.to <= window.from);
    for slot in slots[first..].iter().take_while(|slot| slot.from < window.to) {
        let seen = Window::new(slot.from, slot.to).intersect(&window);
        push_slot(&mut clipped, at, seen.from, State::Unknown);
        push_slot(&mut clipped, seen.from, seen.to, slot.state);
        at = seen.to;
    }
    push_slot(&mut clipped, at, window.to, State::Unknown);
    clipped
}

fn push_slot(slots: &mut Vec<Slot>, from: DateTime<Utc>, to: DateTime<Utc>, state: State) {
    if from < to {
        slots.push(Slot { from, to, state });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAKEN: [State; 5] =
        [State::WorkingElsewhere, State::Tentative, State::Unknown, State::Busy, State::OutOfOffice];

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_000_000 + minute * 60, 0).expect("in range")
    }

    fn window(from: i64, to: i64) -> Window {
        Window::new(at(from), at(to))
    }

    prop_compose! {
        fn interval()(
            from in 0..200_i64,
            long in 0..40_i64,
            state in prop::sample::select(TAKEN.to_vec()),
        ) -> Interval {
            Interval { window: window(from, from + long), state }
        }
    }

    /// Returns the strongest state at an instant, by checking every interval: the specification of the merge.
    fn state_at(intervals: &[Interval], minute: i64) -> State {
        let holds = |interval: &&Interval| interval.window.from <= at(minute) && at(minute) < interval.window.to;
        intervals.iter().filter(holds).map(|interval| interval.state).max().unwrap_or(State::Free)
    }

    proptest! {
        #[test]
        fn merging_twice_changes_nothing(intervals in prop::collection::vec(interval(), 0..30)) {
            let once = merge_overlapping(&intervals);
            prop_assert_eq!(merge_overlapping(&once), once);
        }

        #[test]
        fn merged_is_sorted_disjoint_and_never_empty(intervals in prop::collection::vec(interval(), 0..30)) {
            let merged = merge_overlapping(&intervals);
            prop_assert!(merged.iter().all(|interval| !interval.window.is_empty()));
            for pair in merged.windows(2) {
                prop_assert!(pair[0].window.to <= pair[1].window.from);
                prop_assert!(pair[0].window.to < pair[1].window.from || pair[0].state != pair[1].state);
            }
        }

        #[test]
        fn the_strongest_state_wins_at_every_instant(intervals in prop::collection::vec(interval(), 0..30)) {
            let merged = merge_overlapping(&intervals);
            for minute in 0..240 {
                prop_assert_eq!(state_at(&merged, minute), state_at(&intervals, minute));
            }
        }

        #[test]
        fn slots_fill_the_window_without_a_gap(
            intervals in prop::collection::vec(interval(), 0..30), from in 0..200_i64, long in 1..100_i64,
        ) {
            let asked = window(from, from + long);
            let slots = slots(asked, &merge_overlapping(&intervals));
            prop_assert_eq!(slots.first().map(|slot| slot.from), Some(asked.from));
            prop_assert_eq!(slots.last().map(|slot| slot.to), Some(asked.to));
            prop_assert!(slots.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert!(slots.iter().all(|slot| slot.from < slot.to));
        }

        #[test]
        fn clipped_slots_are_unknown_where_the_record_does_not_reach(from in 0..200_i64, long in 1..100_i64) {
            let known = window(50, 100);
            let asked = window(from, from + long);
            let clipped = clip(asked, &slots(known, &[]));
            for slot in &clipped {
                let free = known.covers(&Window::new(slot.from, slot.to));
                prop_assert_eq!(slot.state, if free { State::Free } else { State::Unknown });
            }
            prop_assert_eq!(clipped.first().map(|slot| slot.from), Some(asked.from));
            prop_assert_eq!(clipped.last().map(|slot| slot.to), Some(asked.to));
        }
    }

    #[test]
    fn out_of_office_wins_over_busy_over_unknown_over_tentative_over_working_elsewhere() {
        let intervals =
            TAKEN.iter().enumerate().map(|(n, state)| Interval { window: window(n as i64, 9), state: *state });
        let merged = merge_overlapping(&intervals.collect::<Vec<_>>());
        let seen = merged.iter().map(|interval| (interval.window.from, interval.state)).collect::<Vec<_>>();
        assert_eq!(seen, (0..).map(at).zip(TAKEN).collect::<Vec<_>>());
    }

    #[test]
    fn intervals_are_half_open() {
        let touching = [window(0, 5), window(5, 9)].map(|window| Interval { window, state: State::Busy });
        assert_eq!(merge_overlapping(&touching), [Interval { window: window(0, 9), state: State::Busy }]);
        let slots = slots(window(5, 9), &merge_overlapping(&touching[..1]));
        assert_eq!(slots, [Slot { from: at(5), to: at(9), state: State::Free }]);
    }

    #[test]
    fn an_event_of_no_length_takes_no_time() {
        let moment = Interval { window: window(5, 5), state: State::Busy };
        assert_eq!(merge_overlapping(&[moment]), vec![]);
    }
}
