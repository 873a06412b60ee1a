//! Converts calendar contents into the slots of an answer: intervals, their merge, slots. Pure functions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// The state of a person's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is planned.
    Free,
    /// Planned, not confirmed. Never shown as free (Q199643).
    Tentative,
    /// Taken.
    Busy,
    /// Not known: an old record does not reach this far. Never shown as free.
    Unknown,
}

/// A span of time that an event occupies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// When.
    pub window: Window,
    /// Its state: busy or tentative.
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

/// Merges intervals into sorted, disjoint ones; where events overlap, busy wins over tentative. Adjacent intervals of
/// the same state are joined, so that an answer does not reveal the number of events.
pub fn merge_overlapping(intervals: &[Interval]) -> Vec<Interval> {
    // At each instant, the number of events of each state that begin, minus those that end.
    let mut changes: BTreeMap<DateTime<Utc>, BTreeMap<State, i64>> = BTreeMap::new();
    for interval in intervals.iter().filter(|interval| !interval.window.is_empty()) {
        *changes.entry(interval.window.from).or_default().entry(interval.state).or_default() += 1;
        *changes.entry(interval.window.to).or_default().entry(interval.state).or_default() -= 1;
    }
    let mut merged: Vec<Interval> = Vec::new();
    let mut running: BTreeMap<State, i64> = BTreeMap::new();
    let mut since: Option<(DateTime<Utc>, State)> = None;
    for (at, change) in changes {
        if let Some((from, state)) = since {
            push_joined(&mut merged, Interval { window: Window::new(from, at), state });
        }
        for (state, count) in change {
            *running.entry(state).or_default() += count;
        }
        let strongest = running.iter().rev().find(|(_, count)| **count > 0);
        since = strongest.map(|(state, _)| (at, *state));
    }
    merged
}

fn push_joined(merged: &mut Vec<Interval>, next: Interval) {
    match merged.last_mut() {
        Some(last) if last.window.to == next.window.from && last.state == next.state => last.window.to = next.window.to,
        _ => merged.push(next),
    }
}

/// Returns slots that fill `window`: the merged intervals, and free time between them.
pub fn slots(window: Window, merged: &[Interval]) -> Vec<Slot> {
    let mut slots = Vec::new();
    let mut at = window.from;
    for interval in merged {
        let taken = interval.window.intersect(&window);
        if taken.is_empty() {
            continue;
        }
        push_slot(&mut slots, at, taken.from, State::Free);
        push_slot(&mut slots, taken.from, taken.to, interval.state);
        at = taken.to;
    }
    push_slot(&mut slots, at, window.to, State::Free);
    slots
}

/// Returns the slots clipped to another window, with unknown slots where they do not reach.
pub fn clip(window: Window, slots: &[Slot]) -> Vec<Slot> {
    let mut clipped = Vec::new();
    let mut at = window.from;
    for slot in slots {
        let seen = Window::new(slot.from, slot.to).intersect(&window);
        if seen.is_empty() {
            continue;
        }
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

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_000_000 + minute * 60, 0).expect("in range")
    }

    fn window(from: i64, to: i64) -> Window {
        Window::new(at(from), at(to))
    }

    prop_compose! {
        fn interval()(from in 0..200_i64, long in 0..40_i64, busy: bool) -> Interval {
            let state = if busy { State::Busy } else { State::Tentative };
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
    fn an_event_of_no_length_takes_no_time() {
        let moment = Interval { window: window(5, 5), state: State::Busy };
        assert_eq!(merge_overlapping(&[moment]), vec![]);
    }
}
