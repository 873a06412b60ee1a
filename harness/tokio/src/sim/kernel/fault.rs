//! Faults: what goes wrong, from when to when, and how `heal` mends it.

use super::{Action, HostId, Kernel, Kind, Trigger, host::HostAction};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FaultKind {
    Cut(HostId, HostId),
    CutOneWay(HostId, HostId),
    Reset(HostId, HostId),
    Kill(HostId),
    Crash(HostId),
    Pause(HostId),
    /// And by how many nanoseconds.
    Slow(HostId, HostId, u64),
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
    Excused,
}

/// A fault of this run.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub lasts: Option<u64>,
    pub stage: Stage,
    /// The fault as its plan prints it, without when.
    pub text: String,
}

impl Fault {
    /// Whether it touches what goes on between two hosts, or on one.
    pub fn touches(&self, a: HostId, b: HostId) -> bool {
        match self.kind {
            FaultKind::Cut(x, y) | FaultKind::CutOneWay(x, y) | FaultKind::Reset(x, y) | FaultKind::Slow(x, y, _) => {
                (x, y) == (a, b) || (x, y) == (b, a) || a == b && (a == x || a == y)
            }
            FaultKind::Kill(h) | FaultKind::Crash(h) | FaultKind::Pause(h) => h == a || h == b,
        }
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
        match kind {
            FaultKind::Cut(a, b) => [(a, b), (b, a)].into_iter().for_each(|(a, b)| self.link(a, b).cuts += 1),
            FaultKind::CutOneWay(a, b) => self.link(a, b).cuts += 1,
            FaultKind::Slow(a, b, by) => {
                [(a, b), (b, a)].into_iter().for_each(|(a, b)| self.link(a, b).slow_by.push(by))
            }
            FaultKind::Reset(a, b) => self.reset_between(a, b),
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
        match self.faults[index].kind {
            FaultKind::Cut(a, b) => [(a, b), (b, a)].into_iter().for_each(|(a, b)| self.link(a, b).cuts -= 1),
            FaultKind::CutOneWay(a, b) => self.link(a, b).cuts -= 1,
            FaultKind::Slow(a, b, by) => {
                [(a, b), (b, a)].into_iter().for_each(|(a, b)| self.link(a, b).slow_no_more(by))
            }
            FaultKind::Reset(..) => {}
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
                Stage::Waiting => self.faults[index].stage = Stage::Excused,
                Stage::Active(_) => self.end_fault(index),
                Stage::Over(..) | Stage::Excused => {}
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
        let between = |k: &Kernel, conn: usize| {
            let [x, y] = [k.conns[conn].ends[0].host, k.conns[conn].ends[1].host];
            (x, y) == (a, b) || (x, y) == (b, a)
        };
        let mut conns = self.hosts[a].conns.iter().chain(&self.hosts[b].conns).copied().collect::<Vec<_>>();
        conns.sort_unstable();
        conns.dedup();
        for conn in conns {
            if between(self, conn) && self.conns[conn].ends[0].established {
                self.reset_end(conn, 0);
                self.reset_end(conn, 1);
            }
        }
    }
}
