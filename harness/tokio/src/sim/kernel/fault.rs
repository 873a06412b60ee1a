//! Faults: what goes wrong, from when to when, and how `heal` mends it.

use super::{Action, HostId, Impairment, Kernel, Kind, Trigger, host::HostAction};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FaultKind {
    /// From the first host to the second, and back if `both`.
    Impair {
        way: (HostId, HostId),
        both: bool,
        how: Impairment,
    },
    Reset(HostId, HostId),
    Kill(HostId),
    Crash(HostId),
    Pause(HostId),
    FailLookups(HostId),
    FailAccepts(HostId),
}

/// Where a fault is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not begun.
    Waiting,
    /// It began at this time.
    Active(u64),
    /// It began and ended at these times.
    Over(u64, u64),
    /// It never will begin: everything was healed first.
    Canceled,
}

/// A fault of this run.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub lasts: Option<u64>,
    pub stage: Stage,
    /// The fault as its plan prints it, without when.
    pub text: String,
    /// The states of the connections that it touched when it began.
    pub met: Vec<&'static str>,
}

impl Fault {
    /// One that has not begun.
    pub fn new(kind: FaultKind, lasts: Option<u64>, text: String) -> Fault {
        Fault { kind, lasts, stage: Stage::Waiting, text, met: vec![] }
    }

    /// Whether it touches what goes on between two hosts, or on one.
    pub fn touches(&self, a: HostId, b: HostId) -> bool {
        let (x, y) = self.kind.hosts();
        match x == y {
            true => x == a || x == b,
            false => (x, y) == (a, b) || (x, y) == (b, a) || a == b && (a == x || a == y),
        }
    }
}

impl FaultKind {
    /// The two hosts between which it is, or one twice.
    fn hosts(self) -> (HostId, HostId) {
        match self {
            FaultKind::Impair { way, .. } => way,
            FaultKind::Reset(a, b) => (a, b),
            FaultKind::Kill(h)
            | FaultKind::Crash(h)
            | FaultKind::Pause(h)
            | FaultKind::FailLookups(h)
            | FaultKind::FailAccepts(h) => (h, h),
        }
    }

    /// What it does to which ways.
    fn ways(self) -> impl Iterator<Item = (HostId, HostId, Impairment)> {
        let ways = match self {
            FaultKind::Impair { way: (a, b), both: true, how } if a != b => [Some((a, b, how)), Some((b, a, how))],
            FaultKind::Impair { way: (a, b), how, .. } => [Some((a, b, how)), None],
            _ => [None, None],
        };
        ways.into_iter().flatten()
    }
}

impl Kernel {
    /// Adds a fault that begins at a virtual time.
    pub fn fault_at(&mut self, fault: Fault, at: u64) {
        self.faults.push(fault);
        self.later(at.max(self.now), Action::Fault(self.faults.len() - 1));
    }

    /// Adds a fault that begins when something happens.
    pub fn fault_on(&mut self, fault: Fault, trigger: Trigger) {
        self.faults.push(fault);
        self.await_trigger(trigger, self.faults.len() - 1);
    }

    pub(super) fn begin_fault(&mut self, index: usize) {
        let Fault { kind, lasts, stage, .. } = self.faults[index];
        if stage != Stage::Waiting {
            return;
        }
        self.event(Kind::Fault, index, 1, |k| k.faults[index].text.clone());
        self.faults[index].stage = Stage::Active(self.now);
        let (a, b) = kind.hosts();
        self.faults[index].met = self.states_between(a, b);
        match kind {
            FaultKind::Impair { .. } => kind.ways().for_each(|(from, to, how)| self.impair(from, to, how)),
            FaultKind::Reset(a, b) => self.reset_between(a, b),
            FaultKind::FailLookups(_) | FaultKind::FailAccepts(_) => {}
            FaultKind::Kill(host) => {
                self.hosts[host].downs += 1;
                self.process_ends(host, "is killed");
                self.host_do(HostAction::Kill, host);
            }
            FaultKind::Crash(host) => {
                self.hosts[host].downs += 1;
                self.crash(host);
                self.host_do(HostAction::Kill, host);
            }
            FaultKind::Pause(host) => {
                self.hosts[host].pauses += 1;
                self.host_do(HostAction::Pause, host);
            }
        }
        match lasts {
            _ if matches!(kind, FaultKind::Reset(..)) => self.faults[index].stage = Stage::Over(self.now, self.now),
            Some(lasts) => self.later(self.now.saturating_add(lasts), Action::FaultOver(index)),
            None => {}
        }
    }

    pub(super) fn end_fault(&mut self, index: usize) {
        let Stage::Active(began) = self.faults[index].stage else { return };
        self.event(Kind::Fault, index, 2, |k| format!("over: {}", k.faults[index].text));
        self.faults[index].stage = Stage::Over(began, self.now);
        let kind = self.faults[index].kind;
        match kind {
            FaultKind::Impair { .. } => kind.ways().for_each(|(from, to, how)| self.repair(from, to, how)),
            FaultKind::Reset(..) | FaultKind::FailLookups(_) => {}
            FaultKind::FailAccepts(host) => self.wake_accepting(host),
            FaultKind::Kill(host) | FaultKind::Crash(host) => self.down_no_more(host),
            FaultKind::Pause(host) => {
                self.hosts[host].pauses -= 1;
                if self.hosts[host].pauses == 0 {
                    self.host_do(HostAction::Resume, host);
                }
            }
        }
    }

    /// Repairs everything: every fault is over, those that have not begun never will, no task is held for a time.
    pub fn heal(&mut self) {
        self.event(Kind::Fault, 0, 3, |_| "everything is healed".into());
        self.healed = true;
        for index in 0..self.faults.len() {
            match self.faults[index].stage {
                Stage::Waiting => self.faults[index].stage = Stage::Canceled,
                Stage::Active(_) => self.end_fault(index),
                Stage::Over(..) | Stage::Canceled => {}
            }
        }
    }

    /// One fault less keeps a host down. It has power when no crash lasts, and a process when no fault lasts; an operator
    /// may have started one before.
    fn down_no_more(&mut self, host: HostId) {
        let crashed = |fault: &Fault| fault.kind == FaultKind::Crash(host) && matches!(fault.stage, Stage::Active(_));
        self.hosts[host].up = !self.faults.iter().any(crashed);
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

    /// Whether a fault of this kind lasts now.
    pub(super) fn suffers(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|fault| fault.kind == kind && matches!(fault.stage, Stage::Active(_)))
    }
}
