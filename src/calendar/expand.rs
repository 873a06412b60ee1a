//! Expands events into intervals within a window and a budget: recurrence, exceptions and changed instances.

use super::budget::{Budget, OverBudget};
use super::event::{Event, Length};
use super::moment::Zone;
use super::recurrence::starts;
use crate::freebusy::{Interval, State, Window};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The expansion of a calendar.
#[derive(Debug)]
pub(super) struct Expansion {
    /// The intervals that overlap the window, not merged.
    pub(super) taken: Vec<Interval>,
    /// The line of the event at which the budget was spent. What is not expanded may be anywhere, so all of the window
    /// is unknown, except for what is known to be busy.
    pub(super) over_budget: Option<usize>,
}

/// Expands events within a window.
pub(super) fn expand(events: &[Event], window: Window, mut budget: Budget) -> Expansion {
    let mut by_uid: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        by_uid.entry(&event.uid).or_default().push(event);
    }
    let mut taken = Vec::new();
    for family in by_uid.values() {
        if let Err(line) = Family::of(family).expand(window, &mut budget, &mut taken) {
            taken.push(Interval { window, state: State::Unknown });
            return Expansion { taken, over_budget: Some(line) };
        }
    }
    Expansion { taken, over_budget: None }
}

/// An event and its changed instances, by their original start; of several for one start, the latest version.
struct Family<'a> {
    originals: Vec<&'a Event>,
    changed: BTreeMap<DateTime<Utc>, &'a Event>,
    /// Those that change all later instances, too.
    futures: BTreeMap<DateTime<Utc>, Future<'a>>,
    /// The longest of these, and the furthest that one moves an instance: computed once, because a calendar may have thousands of
    /// originals and of changes.
    longest: TimeDelta,
    furthest: TimeDelta,
}

/// A change of an instance and all later ones.
struct Future<'a> {
    event: &'a Event,
    /// By how much it moves them, in local time.
    shift: TimeDelta,
}

impl<'a> Family<'a> {
    fn of(events: &[&'a Event]) -> Self {
        let originals = events.iter().copied().filter(|event| event.instance.is_none()).collect();
        let zero = TimeDelta::zero();
        let (changed, futures) = (BTreeMap::new(), BTreeMap::new());
        let mut family = Self { originals, changed, futures, longest: zero, furthest: zero };
        for event in events {
            let Some(instance) = event.instance else { continue };
            let newer = family.changed.get(&instance.start).is_none_or(|known| known.sequence <= event.sequence);
            if newer {
                family.changed.insert(instance.start, event);
            }
        }
        for (start, event) in &family.changed {
            if event.instance.is_some_and(|instance| instance.and_future) {
                let zone = &event.zone;
                let shift = zone.local(zone.instant(event.start)) - zone.local(*start);
                family.longest = family.longest.max(event.length.most());
                family.furthest = family.furthest.max(shift.abs());
                family.futures.insert(*start, Future { event, shift });
            }
        }
        family
    }

    /// Adds the intervals of all instances that overlap the window.
    ///
    /// # Errors
    /// The line of the event at which the budget was spent.
    fn expand(&self, window: Window, budget: &mut Budget, taken: &mut Vec<Interval>) -> Result<(), usize> {
        for event in self.changed.values() {
            budget.spend(1).map_err(|OverBudget| event.line)?;
            push(taken, window, &event.zone, event.state, Start::of(event.start, &event.zone), event.length);
        }
        for event in &self.originals {
            self.expand_one(event, window, budget, taken).map_err(|OverBudget| event.line)?;
        }
        Ok(())
    }

    fn expand_one(
        &self,
        event: &Event,
        window: Window,
        budget: &mut Budget,
        taken: &mut Vec<Interval>,
    ) -> Result<(), OverBudget> {
        budget.spend(1 + event.except.len() as u64 + event.also.len() as u64)?;
        if event.state.is_none() && self.futures.is_empty() {
            return Ok(());
        }
        let except: BTreeSet<DateTime<Utc>> = event.except.iter().copied().collect();
        let takes_place = |instant| !except.contains(&instant) && !self.changed.contains_key(&instant);
        let reaches = |instant| event.rule.as_ref().is_none_or(|rule| rule.reaches(instant));
        let mut instance = |start: NaiveDateTime| {
            let start = Start::of(start, &event.zone);
            if !reaches(start.instant) || !takes_place(start.instant) {
                return;
            }
            match self.futures.range(..start.instant).next_back() {
                Some((_, Future { event: future, shift })) => {
                    if let Some(moved) = start.local.checked_add_signed(*shift) {
                        let moved = Start::of(moved, &event.zone);
                        push(taken, window, &event.zone, future.state, moved, future.length);
                    }
                }
                None => push(taken, window, &event.zone, event.state, start, event.length),
            }
        };
        match &event.rule {
            Some(rule) => {
                let (from, to) = self.reach(event, window);
                starts(rule, from..=to, budget, instance)?;
            }
            None => instance(event.start),
        }
        for (instant, length) in event.also.iter().filter(|(instant, _)| takes_place(*instant)) {
            let start = Start { local: event.zone.local(*instant), instant: *instant };
            push(taken, window, &event.zone, event.state, start, length.unwrap_or(event.length));
        }
        Ok(())
    }

    /// Returns the local times between which an instance must start to overlap the window, or more.
    fn reach(&self, event: &Event, window: Window) -> (NaiveDateTime, NaiveDateTime) {
        let (longest, shift) = (self.longest.max(event.length.most()), self.furthest);
        // A day more than the longest change of a clock.
        let margin = TimeDelta::days(1);
        let from = event.zone.local(window.from).checked_sub_signed(longest);
        let from =
            from.and_then(|from| from.checked_sub_signed(shift)).and_then(|from| from.checked_sub_signed(margin));
        let to = event.zone.local(window.to).checked_add_signed(shift).and_then(|to| to.checked_add_signed(margin));
        (from.unwrap_or(NaiveDateTime::MIN), to.unwrap_or(NaiveDateTime::MAX))
    }
}

/// Adds an instance if it overlaps the window. One that ends beyond the years of the calendar never ends.
fn push(taken: &mut Vec<Interval>, window: Window, zone: &Zone, state: Option<State>, start: Start, length: Length) {
    let Some(state) = state else { return };
    let end = length.end(start.local, start.instant, zone).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let whole = Window::new(start.instant, end);
    if !whole.is_empty() && !whole.intersect(&window).is_empty() {
        taken.push(Interval { window: whole, state });
    }
}

/// A start, converted once: that takes most of the time of an expansion.
#[derive(Clone, Copy)]
struct Start {
    local: NaiveDateTime,
    instant: DateTime<Utc>,
}

impl Start {
    fn of(local: NaiveDateTime, zone: &Zone) -> Self {
        Self { local, instant: zone.instant(local) }
    }
}
