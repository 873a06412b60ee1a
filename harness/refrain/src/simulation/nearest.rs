//! Finds the parts of a plan that were not triggered, and what came closest to triggering them.

use super::{
    apply::resolve,
    state::{PlanSource, State},
};
use crate::{
    place::Place,
    plan::{Fault, Hold, Nearest, NotTriggered, Part, Trigger},
};
use tokio::control;

/// Maximum number of places named.
const PLACES_MAX: usize = 3;

impl State {
    /// Returns the faults and holds that were not triggered.
    pub fn not_triggered(&self) -> Vec<NotTriggered> {
        if !self.record {
            return vec![];
        }
        let fault = |fault: &Fault, nearest| NotTriggered { part: Part::Fault(fault.clone()), nearest };
        let stages = self.plan.faults.iter().zip(control::faults());
        let is_idle = |stage| matches!(stage, control::Stage::Waiting | control::Stage::Canceled);
        let waiting = stages.filter(|(_, (stage, _))| is_idle(*stage));
        let waiting = waiting.map(|(idle, _)| fault(idle, to_fault(self, idle)));
        let not_asked: &[Fault] = match &self.given {
            PlanSource::Planned(left) => left,
            PlanSource::Drawn => &[],
        };
        let not_asked = not_asked.iter().map(|idle| fault(idle, Nearest::NotAsked));
        let holds = self.holds.iter().filter(|hold| !self.plan.holds.contains(hold));
        let holds = holds.map(|hold| NotTriggered { part: Part::Hold(hold.clone()), nearest: to_hold(self, hold) });
        waiting.chain(not_asked).chain(holds).collect()
    }
}

/// Returns what came closest to triggering a fault.
fn to_fault(state: &State, fault: &Fault) -> Nearest {
    match &fault.trigger {
        Trigger::At(at) if u64::try_from(at.as_nanos()).is_ok_and(|at| at <= control::now()) => Nearest::Healed,
        Trigger::At(_) => Nearest::Ended(control::now()),
        Trigger::On { event, nth } => match resolve(state, event) {
            Ok((trigger, route)) => match control::occurred(trigger, route) {
                times if times >= *nth => Nearest::Healed,
                times => Nearest::Happened(times),
            },
            Err(_) => Nearest::Nothing,
        },
    }
}

/// Returns what came closest to triggering a hold: fewer polls of the task, fewer tasks at its place, or tasks
/// elsewhere on the host.
fn to_hold(state: &State, hold: &Hold) -> Nearest {
    let Some(host) = state.host(&hold.host) else { return Nearest::Nothing };
    let spawned = control::spawned(host);
    let there: Vec<_> = spawned.iter().filter(|(task, _)| task.place.to_string() == hold.place).collect();
    if let Some((_, polls)) = there.iter().find(|(task, _)| task.nth == hold.nth) {
        return Nearest::Polled(*polls);
    }
    if !there.is_empty() {
        return Nearest::Spawned(there.len().try_into().unwrap_or(u32::MAX));
    }
    let mut places: Vec<Place> = spawned.into_iter().map(|(task, _)| task.place).collect();
    let (file, line) = hold.place.rsplit_once(':').unwrap_or((&hold.place, ""));
    let line: u32 = line.parse().unwrap_or_default();
    places.sort_by_key(|place| (place.file != file, place.line.abs_diff(line), place.clone()));
    places.dedup();
    places.truncate(PLACES_MAX);
    if places.is_empty() { Nearest::Nothing } else { Nearest::SpawnedAt(places) }
}
