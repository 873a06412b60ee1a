//! Counts what faults can wait for, and begins those that waited for it.

use super::{HostId, Kernel};
use std::collections::BTreeMap;

/// What a fault can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum TriggerKind {
    Connects,
    Accepts,
    Writes,
    Reads,
    Closes,
}

/// The nth time that something happens between two hosts; for accepts both are the one that accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trigger {
    pub kind: TriggerKind,
    pub from: HostId,
    pub to: HostId,
    pub nth: u32,
}

/// How often each thing has happened, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    seen: BTreeMap<(TriggerKind, HostId, HostId), u32>,
    waiting: BTreeMap<Trigger, Vec<usize>>,
}

impl Kernel {
    /// Begins `fault` when `trigger` occurs; never, if it has occurred already.
    pub fn await_trigger(&mut self, trigger: Trigger, fault: usize) {
        self.triggers.waiting.entry(trigger).or_default().push(fault);
    }

    pub(super) fn occurs(&mut self, kind: TriggerKind, from: HostId, to: HostId) {
        let seen = self.triggers.seen.entry((kind, from, to)).or_default();
        *seen += 1;
        let trigger = Trigger { kind, from, to, nth: *seen };
        if self.triggers.waiting.is_empty() {
            return;
        }
        for fault in self.triggers.waiting.remove(&trigger).unwrap_or_default() {
            self.begin_fault(fault);
        }
    }
}
