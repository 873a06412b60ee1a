//! Counts what faults can wait for, and begins those that waited for it.

use super::{HostId, Kernel};
use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    hash::BuildHasherDefault,
};

/// What a fault can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum TriggerKind {
    Connects,
    Accepts,
    Writes,
    Reads,
    Closes,
    Receives,
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
    /// Looked up at every event and never walked through. Its hasher has no chance in it.
    seen: HashMap<(TriggerKind, HostId, HostId), u32, BuildHasherDefault<DefaultHasher>>,
    waiting: BTreeMap<Trigger, Vec<usize>>,
}

impl Kernel {
    /// Begins `fault` when `trigger` occurs; never, if it has occurred already.
    pub fn await_trigger(&mut self, trigger: Trigger, fault: usize) {
        self.triggers.waiting.entry(trigger).or_default().push(fault);
    }

    /// How often something has happened so far.
    pub fn occurred(&self, kind: TriggerKind, from: HostId, to: HostId) -> u32 {
        self.triggers.seen.get(&(kind, from, to)).copied().unwrap_or_default()
    }

    pub(super) fn occurs(&mut self, kind: TriggerKind, from: HostId, to: HostId) {
        self.occurs_times(kind, from, to, 1);
    }

    /// So many bytes arrive: as many as [`Kernel::bytes_until_fault`] allows.
    pub(super) fn bytes_arrive(&mut self, from: HostId, to: HostId, bytes: usize) {
        if bytes > 0 {
            self.occurs_times(TriggerKind::Receives, from, to, bytes.try_into().unwrap_or(u32::MAX));
        }
    }

    /// How many bytes may arrive until one does for which a fault waits: no more may arrive before that begins.
    pub(super) fn bytes_until_fault(&self, from: HostId, to: HostId) -> Option<usize> {
        if self.triggers.waiting.is_empty() {
            return None;
        }
        let seen = self.occurred(TriggerKind::Receives, from, to);
        let nth = |nth| Trigger { kind: TriggerKind::Receives, from, to, nth };
        let next = self.triggers.waiting.range(nth(seen.saturating_add(1))..=nth(u32::MAX)).next();
        next.map(|(trigger, _)| (trigger.nth - seen) as usize)
    }

    /// Begins what waited for the last of them.
    fn occurs_times(&mut self, kind: TriggerKind, from: HostId, to: HostId, times: u32) {
        let seen = self.triggers.seen.entry((kind, from, to)).or_default();
        *seen = seen.saturating_add(times);
        let trigger = Trigger { kind, from, to, nth: *seen };
        if self.triggers.waiting.is_empty() {
            return;
        }
        for fault in self.triggers.waiting.remove(&trigger).unwrap_or_default() {
            self.begin_fault(fault);
        }
    }
}
