//! What came nearest to a part of a plan that was not triggered.

use super::{apply::way, state::State};
use crate::{
    place::Place,
    plan::{Fault, Hold, Nearest, Trigger},
};
use tokio::control;

/// How many places are named at most.
const PLACES_MAX: usize = 3;

/// What came nearest to a fault.
pub(super) fn to_fault(state: &State, fault: &Fault) -> Nearest {
    match &fault.trigger {
        Trigger::At(at) if u64::try_from(at.as_nanos()).is_ok_and(|at| at <= control::now()) => Nearest::Healed,
        Trigger::At(_) => Nearest::Ended(control::now()),
        Trigger::On { event, .. } => match way(state, event) {
            Ok((trigger, way)) => Nearest::Happened(control::occurred(trigger, way)),
            Err(_) => Nearest::Nothing,
        },
    }
}

/// What came nearest to a hold: fewer polls of the task, fewer tasks at the place, tasks at other places of the host.
pub(super) fn to_hold(state: &State, hold: &Hold) -> Nearest {
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
