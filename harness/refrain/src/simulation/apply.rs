//! Applies plans to the simulated network: resolves names to hosts and durations to nanoseconds.

use super::state::{PlanSource, State};
use crate::{
    engine::counters,
    plan::{Fault, FaultKind, Route, Trigger, TriggerEvent, fault},
};
use std::time::Duration;
use tokio::control::{self, Effect, HostId, TriggerKind};

impl State {
    /// Adds the drawn faults to the plan and arms them.
    pub fn decide_faults(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        let faults = match &mut self.given {
            PlanSource::Drawn => faults.into_iter().map(|fault| from_now_on(self, fault)).collect(),
            PlanSource::Planned(planned) => {
                self.planned_ahead.clone_from(planned);
                std::mem::take(planned)
            }
        };
        self.has_faults = true;
        self.arm(faults)
    }

    /// Adds a fault that the test itself requests. It belongs to every run and its plan, whether or not the given plan
    /// contains it: without it the test would be a different one, and shrinking would tend towards that.
    pub fn script_fault(&mut self, fault: Fault) -> Result<(), String> {
        self.scripted.push(fault.clone());
        // If `world.faults()` was called before, it was armed with the plan's other faults.
        if let Some(at) = self.planned_ahead.iter().position(|other| *other == fault) {
            self.planned_ahead.remove(at);
            return Ok(());
        }
        if let PlanSource::Planned(planned) = &mut self.given
            && let Some(at) = planned.iter().position(|other| *other == fault)
        {
            planned.remove(at);
        }
        self.arm(vec![fault])
    }

    fn arm(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        apply(self, &faults)?;
        faults.iter().for_each(|fault| counters::has(fault.kind.index()));
        self.plan.faults.extend(faults);
        self.tell_plan();
        Ok(())
    }
}

/// Arms the faults of a plan, or returns why it does not match the test.
fn apply(state: &State, faults: &[Fault]) -> Result<(), String> {
    for fault in faults {
        let effects = effects(state, &fault.kind)?;
        match &fault.trigger {
            Trigger::At(at) => control::fault_at(fault.clone(), effects, ns(*at)),
            Trigger::On { event, nth } => {
                let (trigger, route) = resolve(state, event)?;
                match control::occurred(trigger, route) {
                    seen if seen >= *nth => return Err(too_late(fault, seen)),
                    _ => control::fault_on(fault.clone(), effects, trigger, route, *nth),
                }
            }
        }
    }
    Ok(())
}

/// Converts a drawn fault's trigger count, which starts when the test requests its faults, to a count since the start
/// of the run, as in plans.
fn from_now_on(state: &State, mut fault: Fault) -> Fault {
    if let Trigger::On { event, nth } = &mut fault.trigger
        && let Ok((trigger, route)) = resolve(state, event)
    {
        *nth = nth.saturating_add(control::occurred(trigger, route));
    }
    fault
}

fn too_late(fault: &Fault, seen: u32) -> String {
    format!(
        "the fault `{fault}` can never start: when the test requests it, its trigger has already occurred {seen} times; \
         use a later occurrence, or request the fault earlier"
    )
}

/// Returns the effects of a fault on the hosts that it names.
fn effects(state: &State, kind: &FaultKind) -> Result<Vec<Effect>, String> {
    let resolved = |effect: fault::Effect| {
        let needs_process = matches!(&effect, fault::Effect::Host { effect, .. } if effect.needs_process());
        let named = |name: String| if needs_process { service(state, &name) } else { host(state, &name) };
        effect.try_map(named, |rule| state.rules.make(&rule.name, &rule.arguments).map(control::add_rule))
    };
    kind.effects().into_iter().map(resolved).collect()
}

pub(super) fn resolve(state: &State, event: &TriggerEvent) -> Result<(TriggerKind, (HostId, HostId)), String> {
    let between = |route: &Route| Ok::<_, String>((host(state, &route.from)?, host(state, &route.to)?));
    Ok(match event {
        TriggerEvent::Connects(route) => (TriggerKind::Connects, between(route)?),
        TriggerEvent::Accepts(name) => (TriggerKind::Accepts, (host(state, name)?, host(state, name)?)),
        TriggerEvent::Writes(route) => (TriggerKind::Writes, between(route)?),
        TriggerEvent::Reads(route) => (TriggerKind::Reads, between(route)?),
        TriggerEvent::Closes(route) => (TriggerKind::Closes, between(route)?),
        TriggerEvent::Receives(route) => (TriggerKind::Receives, between(route)?),
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
            "a fault of the plan refers to the host {name:?}; when the test requests its faults, its hosts are: {}",
            known.join(", ")
        )
    })
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
