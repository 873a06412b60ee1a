//! Plans to the simulated network: names become hosts, durations nanoseconds.

use super::state::{PlanSource, State};
use crate::plan::{Fault, FaultKind, Route, Trigger, TriggerEvent, fault};
use std::time::Duration;
use tokio::control::{self, Effect, HostId, TriggerKind};

impl State {
    /// The faults are decided: they are armed.
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

    /// A fault that the test itself demands. It is part of every run and of its plan, whether or not the plan that the
    /// run was given names it: without it, the test would be another one, and shrinking would lead there.
    pub fn script_fault(&mut self, fault: Fault) -> Result<(), String> {
        // Asked for after `world.faults()`, it came with the others of the plan.
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
        self.plan.faults.extend(faults);
        self.tell_plan();
        Ok(())
    }
}

/// Arms the faults of a plan, or says why it does not fit the test.
fn apply(state: &State, faults: &[Fault]) -> Result<(), String> {
    for fault in faults {
        let effects = effects(state, &fault.kind)?;
        match &fault.trigger {
            Trigger::At(at) => control::fault_at(fault.clone(), effects, ns(*at)),
            Trigger::On { event, nth } => {
                let (trigger, way) = way(state, event)?;
                match control::occurred(trigger, way) {
                    seen if seen >= *nth => return Err(too_late(fault, seen)),
                    _ => control::fault_on(fault.clone(), effects, trigger, way, *nth),
                }
            }
        }
    }
    Ok(())
}

/// A drawn fault counts from when the test asks for its faults; a plan has the numbers from the start of the run.
fn from_now_on(state: &State, mut fault: Fault) -> Fault {
    if let Trigger::On { event, nth } = &mut fault.trigger
        && let Ok((trigger, way)) = way(state, event)
    {
        *nth = nth.saturating_add(control::occurred(trigger, way));
    }
    fault
}

fn too_late(fault: &Fault, seen: u32) -> String {
    format!(
        "the fault `{fault}` can never begin: when the test asks for it that has happened {seen} times; name a later one, \
         or ask for the fault before"
    )
}

/// What a kind of fault does, on the hosts that have its names.
fn effects(state: &State, kind: &FaultKind) -> Result<Vec<Effect>, String> {
    let resolved = |effect: fault::Effect| {
        let needs_process = matches!(&effect, fault::Effect::Host { effect, .. } if effect.needs_process());
        let named = |name: String| if needs_process { service(state, &name) } else { host(state, &name) };
        effect.try_map(named, |rule| state.rules.make(&rule.name, &rule.arguments).map(control::add_rule))
    };
    kind.effects().into_iter().map(resolved).collect()
}

pub(super) fn way(state: &State, event: &TriggerEvent) -> Result<(TriggerKind, (HostId, HostId)), String> {
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
            "a fault of the plan names the host {name:?}; when the test asks for its faults it has these: {}",
            known.join(", ")
        )
    })
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
