//! Counts the events that faults can wait for, and starts the faults that wait.

use super::{HostId, Kernel};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// An event that can trigger a fault.
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

impl TriggerKind {
    const COUNT: usize = TriggerKind::Receives as usize + 1;
}

/// The nth occurrence of an event between two hosts; for accepts, both are the accepting host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trigger {
    pub kind: TriggerKind,
    pub from: HostId,
    pub to: HostId,
    pub nth: u32,
}

/// Occurrence counts, and the faults that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    /// By kind. Looked up at every event and never iterated; the hasher is not seeded.
    counts: FxHashMap<(HostId, HostId), [u32; TriggerKind::COUNT]>,
    waiting: BTreeMap<Trigger, Vec<usize>>,
}

impl Kernel {
    /// Starts `fault` when `trigger` occurs. If it already has, the fault never starts.
    pub fn await_trigger(&mut self, trigger: Trigger, fault: usize) {
        self.triggers.waiting.entry(trigger).or_default().push(fault);
    }

    /// Returns how often an event has occurred.
    pub fn occurred(&self, kind: TriggerKind, from: HostId, to: HostId) -> u32 {
        self.triggers.counts.get(&(from, to)).map_or(0, |counts| counts[kind as usize])
    }

    pub(super) fn occurs(&mut self, kind: TriggerKind, from: HostId, to: HostId) {
        self.occurs_times(kind, from, to, 1);
    }

    /// Counts delivered bytes; at most [`Kernel::bytes_until_fault`] may be delivered at once.
    pub(super) fn bytes_arrive(&mut self, from: HostId, to: HostId, bytes: usize) {
        if bytes > 0 {
            self.occurs_times(TriggerKind::Receives, from, to, bytes.try_into().unwrap_or(u32::MAX));
        }
    }

    /// Returns how many bytes may be delivered before a waiting fault starts. `None` means no limit.
    pub(super) fn bytes_until_fault(&self, from: HostId, to: HostId) -> Option<usize> {
        if self.triggers.waiting.is_empty() {
            return None;
        }
        let count = self.occurred(TriggerKind::Receives, from, to);
        let nth = |nth| Trigger { kind: TriggerKind::Receives, from, to, nth };
        let next = self.triggers.waiting.range(nth(count.saturating_add(1))..=nth(u32::MAX)).next();
        next.map(|(trigger, _)| (trigger.nth - count) as usize)
    }

    /// Counts `times` occurrences and starts the faults that wait for the last of them.
    fn occurs_times(&mut self, kind: TriggerKind, from: HostId, to: HostId, times: u32) {
        let count = &mut self.triggers.counts.entry((from, to)).or_default()[kind as usize];
        *count = count.saturating_add(times);
        let trigger = Trigger { kind, from, to, nth: *count };
        if self.triggers.waiting.is_empty() {
            return;
        }
        for fault in self.triggers.waiting.remove(&trigger).unwrap_or_default() {
            self.begin_fault(fault);
        }
    }
}
