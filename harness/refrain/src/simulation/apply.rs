//! Plans to the simulated network and back: names become hosts, durations nanoseconds.

use super::state::State;
use crate::plan::{Fault, Hold, Route, Trigger, Until, What, When};
use std::time::Duration;
use tokio::control::{self, FaultKind, HeldUntil, HoldTaken, Holds, HostId, TriggerKind};

/// Arms the faults of a plan, or says why it does not fit the test.
pub(crate) fn apply(state: &State, faults: &[Fault]) -> Result<(), String> {
    for fault in faults {
        let kind = kind(state, &fault.what)?;
        let lasts = fault.lasts.map(ns);
        let text = fault.what.to_string();
        match &fault.when {
            When::At(at) => control::fault_at(kind, lasts, text, ns(*at)),
            When::On { trigger, nth } => {
                let (trigger, way) = way(state, trigger)?;
                control::fault_on(kind, lasts, text, trigger, way, *nth);
            }
        }
    }
    Ok(())
}

fn kind(state: &State, what: &What) -> Result<FaultKind, String> {
    let host = |name: &str| host(state, name);
    Ok(match what {
        What::Cut(link) => FaultKind::Cut(host(&link.0)?, host(&link.1)?),
        What::CutOneWay(route) => FaultKind::CutOneWay(host(&route.from)?, host(&route.to)?),
        What::Reset(link) => FaultKind::Reset(host(&link.0)?, host(&link.1)?),
        What::Kill(name) => FaultKind::Kill(service(state, name)?),
        What::Crash(name) => FaultKind::Crash(service(state, name)?),
        What::Pause(name) => FaultKind::Pause(service(state, name)?),
        What::Slow(link, by) => FaultKind::Slow(host(&link.0)?, host(&link.1)?, ns(*by)),
    })
}

fn way(state: &State, trigger: &Trigger) -> Result<(TriggerKind, (HostId, HostId)), String> {
    let between = |route: &Route| Ok::<_, String>((host(state, &route.from)?, host(state, &route.to)?));
    Ok(match trigger {
        Trigger::Connects(route) => (TriggerKind::Connects, between(route)?),
        Trigger::Accepts(name) => (TriggerKind::Accepts, (host(state, name)?, host(state, name)?)),
        Trigger::Writes(route) => (TriggerKind::Writes, between(route)?),
        Trigger::Reads(route) => (TriggerKind::Reads, between(route)?),
        Trigger::Closes(route) => (TriggerKind::Closes, between(route)?),
    })
}

fn service(state: &State, name: &str) -> Result<HostId, String> {
    let id = host(state, name)?;
    if state.services().iter().any(|service| service == name) {
        return Ok(id);
    }
    Err(format!(
        "a fault of the plan kills, crashes or pauses {name:?}, which runs no process of the service; these do: {}",
        state.services().join(", ")
    ))
}

fn host(state: &State, name: &str) -> Result<HostId, String> {
    state.host(name).ok_or_else(|| {
        let known: Vec<_> = state.hosts.iter().map(|(name, _)| name.as_str()).collect();
        format!(
            "a fault of the plan names the host {name:?}; when the test asks for its faults it has these: {}",
            known.join(", ")
        )
    })
}

/// The holds of a plan.
pub(crate) fn holds(holds: &[Hold]) -> Holds {
    let taken = |hold: &Hold| HoldTaken {
        host: hold.host.clone(),
        place: hold.place.clone(),
        nth: hold.nth,
        poll: hold.poll,
        until: match hold.until {
            Until::Idle => HeldUntil::Idle,
            Until::For(lasts) => HeldUntil::For(ns(lasts)),
        },
    };
    Holds::Listed(holds.iter().map(taken).collect())
}

/// The holds that took place so far.
pub(crate) fn holds_taken() -> Vec<Hold> {
    let hold = |taken: HoldTaken| Hold {
        host: taken.host,
        place: taken.place,
        nth: taken.nth,
        poll: taken.poll,
        until: match taken.until {
            HeldUntil::Idle => Until::Idle,
            HeldUntil::For(ns) => Until::For(Duration::from_nanos(ns)),
        },
    };
    control::holds_taken().into_iter().map(hold).collect()
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
