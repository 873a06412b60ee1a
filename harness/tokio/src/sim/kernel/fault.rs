//! Faults: their start and end, and healing.

use super::{Action, End, HostId, Kernel, Kind, RuleId, Trigger, What, host::HostAction, ns};
use refrain_core::plan::{self, fault::HostEffect};

/// One effect of a fault on the simulated network.
pub type Effect = refrain_core::plan::fault::Effect<HostId, RuleId>;

/// The stage of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not started.
    Waiting,
    /// It started at this time.
    Active(u64),
    /// It started and ended at these times.
    Over(u64, u64),
    /// It will never start, because the network was healed first.
    Canceled,
}

/// A fault of this run.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// What it does. All of these are reverted when it ends.
    pub effects: Vec<Effect>,
    /// The fault as the plan states it.
    pub plan: plan::Fault,
    pub stage: Stage,
    /// The states of the affected connections when it started.
    pub states_at_start: Vec<&'static str>,
}

impl Fault {
    /// Creates a fault that has not started.
    pub fn new(plan: plan::Fault, effects: Vec<Effect>) -> Fault {
        Fault { effects, plan, stage: Stage::Waiting, states_at_start: vec![] }
    }

    /// Returns whether it affects traffic between two hosts, or one host if both are the same.
    pub fn touches(&self, a: HostId, b: HostId) -> bool {
        self.effects.iter().map(Effect::hosts).any(|(x, y)| match x == y {
            true => x == a || x == b,
            false => (x, y) == (a, b) || (x, y) == (b, a) || a == b && (a == x || a == y),
        })
    }

    /// Returns whether it affects the host itself rather than one of its routes.
    pub fn is_on(&self, host: HostId) -> bool {
        self.effects.iter().any(|effect| effect.hosts() == (host, host))
    }

    /// Lets it never start, unless it has.
    pub fn cancel(&mut self) {
        if self.stage == Stage::Waiting {
            self.stage = Stage::Canceled;
        }
    }

    fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Active(_))
    }
}

impl Kernel {
    /// Adds a fault that starts at a virtual time.
    pub fn fault_at(&mut self, fault: Fault, at: u64) {
        self.faults.push(fault);
        self.later(at.max(self.now), Action::Fault(self.faults.len() - 1));
    }

    /// Adds a fault that starts when a trigger occurs.
    pub fn fault_on(&mut self, fault: Fault, trigger: Trigger) {
        self.faults.push(fault);
        self.await_trigger(trigger, self.faults.len() - 1);
    }

    pub(super) fn begin_fault(&mut self, index: usize) {
        if self.faults[index].stage != Stage::Waiting {
            return;
        }
        self.event(Kind::Fault, index, 1, |k| What::FaultBegins(k.faults[index].plan.clone()));
        self.faults[index].stage = Stage::Active(self.now);
        let effects = self.faults[index].effects.clone();
        let hosts = effects.first().map(Effect::hosts);
        self.faults[index].states_at_start = hosts.map(|(a, b)| self.states_between(a, b)).unwrap_or_default();
        for effect in &effects {
            self.begin_effect(effect);
        }
        if effects.iter().all(|effect| matches!(effect, Effect::Reset(..))) {
            self.faults[index].stage = Stage::Over(self.now, self.now);
        } else if let Some(lasts) = self.faults[index].plan.duration {
            self.later(self.now.saturating_add(ns(lasts)), Action::FaultOver(index));
        }
    }

    fn begin_effect(&mut self, effect: &Effect) {
        match *effect {
            Effect::Route { from, to, effect } => self.impair(from, to, effect),
            Effect::Reset(a, b) => self.reset_between(a, b),
            Effect::Rule { from, to, rule } => self.rules.begin((from, to), rule),
            Effect::Host { host, effect: HostEffect::Kill } => {
                self.hosts[host].downs += 1;
                self.kill_process(host, End::Killed);
            }
            Effect::Host { host, effect: HostEffect::Crash } => {
                for host in self.on_machine_of(host) {
                    self.hosts[host].downs += 1;
                }
                self.crash(host);
            }
            Effect::Host { host, effect: HostEffect::Pause } => {
                self.hosts[host].pauses += 1;
                self.host_do(HostAction::Pause, host);
            }
            Effect::Host { effect: HostEffect::FailLookups | HostEffect::FailAccepts, .. } => {}
        }
    }

    pub(super) fn end_fault(&mut self, index: usize) {
        let Stage::Active(began) = self.faults[index].stage else { return };
        self.event(Kind::Fault, index, 2, |k| What::FaultEnds(k.faults[index].plan.clone()));
        self.faults[index].stage = Stage::Over(began, self.now);
        for effect in self.faults[index].effects.clone() {
            self.end_effect(&effect);
        }
    }

    fn end_effect(&mut self, effect: &Effect) {
        match *effect {
            Effect::Route { from, to, effect } => self.repair(from, to, effect),
            Effect::Reset(..) | Effect::Host { effect: HostEffect::FailLookups, .. } => {}
            Effect::Rule { from, to, rule } => self.rules.end((from, to), rule),
            Effect::Host { host, effect: HostEffect::FailAccepts } => self.wake_accepting(host),
            Effect::Host { host, effect: HostEffect::Kill } => self.end_downtime(host),
            Effect::Host { host, effect: HostEffect::Crash } => {
                for host in self.on_machine_of(host) {
                    self.end_downtime(host);
                }
            }
            Effect::Host { host, effect: HostEffect::Pause } => {
                self.hosts[host].pauses -= 1;
                if self.hosts[host].pauses == 0 {
                    self.host_do(HostAction::Resume, host);
                }
            }
        }
    }

    /// Heals the network: ends every active fault, cancels the pending ones, and lets no more tasks be held for a
    /// duration.
    pub fn heal(&mut self) {
        self.event(Kind::Fault, 0, 3, |_| What::Heal);
        self.healed = true;
        for index in 0..self.faults.len() {
            match self.faults[index].stage {
                Stage::Waiting => self.faults[index].stage = Stage::Canceled,
                Stage::Active(_) => self.end_fault(index),
                Stage::Over(..) | Stage::Canceled => {}
            }
        }
    }

    /// Ends one fault that keeps the host down. The host has power unless another crash is active, and its process
    /// restarts when no such fault is left, unless an operator has already started one.
    fn end_downtime(&mut self, host: HostId) {
        self.hosts[host].up =
            !self.on_machine_of(host).into_iter().any(|host| self.is_affected(host, HostEffect::Crash));
        self.hosts[host].downs -= 1;
        if self.hosts[host].downs == 0 && !self.hosts[host].running {
            self.host_do(HostAction::Restart, host);
        }
    }

    fn reset_between(&mut self, a: HostId, b: HostId) {
        for conn in self.conns_between(a, b) {
            if self.conns[conn].ends[0].established {
                self.reset_end(conn, 0);
                self.reset_end(conn, 1);
            }
        }
    }

    /// Returns whether this effect is active on the host.
    pub(super) fn is_affected(&self, host: HostId, effect: HostEffect) -> bool {
        let wanted = Effect::Host { host, effect };
        self.faults.iter().any(|fault| fault.is_active() && fault.effects.contains(&wanted))
    }
}
