//! The running digest of a run, and its events while recording.

use super::{HostId, Kernel, What, current::before_change, current_task};
use crate::sim::section::unguarded;
use refrain_core::{event::Event, place::Task};

/// The kinds of event that the digest distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    End,
    Listen,
    Connect,
    Accept,
    Write,
    Read,
    Close,
    Reset,
    Fault,
    Hold,
    Test,
    Wait,
}

/// When, where and by which task an event happened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stamp {
    /// Virtual time in nanoseconds.
    pub at: u64,
    /// The host's name; empty for the test's own host.
    pub host: String,
    /// The task; `None` if no task caused it, and for the test itself.
    pub task: Option<Task>,
}

/// Folds every event into a digest, and passes the events on if a sink is set.
#[derive(Default)]
pub(crate) struct Recorder {
    pub digest: u64,
    pub count: u64,
    pub sink: Option<Box<dyn FnMut(Event)>>,
}

/// Mixes two numbers into 64 bits (the finalizer of splitmix64).
pub(crate) fn mix(stream: u64, n: u64) -> u64 {
    let mut z = stream.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hashes text, stably across machines and builds (FNV-1a).
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

impl Recorder {
    pub fn fold(&mut self, now: u64, a: u64, b: u64) {
        let word = (a ^ now.rotate_left(20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b;
        self.digest = (self.digest.rotate_left(29) ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
}

impl Kernel {
    /// Whether the run is recorded.
    pub fn is_recorded(&self) -> bool {
        self.record.sink.is_some()
    }

    /// Records an event about `a` and `b`. `what` is called only while recording.
    pub fn event(&mut self, kind: Kind, a: usize, b: usize, what: impl FnOnce(&Kernel) -> What) {
        let task = current_task();
        self.record.count += 1;
        self.record.fold(self.now, ((kind as u64) << 56) ^ ((task as u64) << 32) ^ a as u64, b as u64);
        if self.record.sink.is_some() {
            unguarded(|| {
                let (Stamp { at, host, task }, kind) = (self.stamp(), what(self));
                self.push(Event { at, host, task, kind });
            });
        }
    }

    /// Like [`Kernel::event`], for what the network does to a host's sockets without a task.
    pub fn event_on(&mut self, kind: Kind, host: HostId, b: usize, what: impl FnOnce(&Kernel) -> What) {
        self.record.count += 1;
        self.record.fold(self.now, ((kind as u64) << 56) ^ host as u64, b as u64);
        if self.record.sink.is_some() {
            unguarded(|| {
                let (at, host, kind) = (self.now, self.hosts[host].name.clone(), what(self));
                self.push(Event { at, host, task: None, kind });
            });
        }
    }

    /// Returns the current time, host and task.
    pub fn stamp(&self) -> Stamp {
        let task = &self.tasks[current_task()];
        Stamp { at: self.now, host: self.hosts[task.host].name.clone(), task: task.name() }
    }

    fn push(&mut self, event: Event) {
        if let Some(sink) = &mut self.record.sink {
            sink(event);
        }
        before_change(self);
    }
}
