//! The running digest of a run, and its events while somebody records.

use super::{Kernel, current_task};

/// The kinds of event, as refrain's traces name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
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
}

/// When, where and by which task something happened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stamp {
    /// Virtual time in nanoseconds.
    pub at: u64,
    /// The host's name; empty for the test.
    pub host: String,
    /// The task, `src/link.rs:88#2`; empty where none did it, and for the test itself.
    pub task: String,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Record {
    /// When, where and by whom.
    pub stamp: Stamp,
    /// What kind.
    pub kind: Kind,
    /// What, for people.
    pub text: String,
}

/// Folds everything that happens into one number; keeps the events only for a sink.
#[derive(Default)]
pub(crate) struct Recorder {
    pub digest: u64,
    pub count: u64,
    pub sink: Option<Box<dyn FnMut(Record)>>,
}

/// Spreads two numbers over 64 bits (the finalizer of splitmix64).
pub(crate) fn mix(stream: u64, n: u64) -> u64 {
    let mut z = stream.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The same number for the same text, on every machine and in every build (FNV-1a).
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
    /// Notes that something happened to `a` and `b`; `text` is asked for only while somebody records.
    pub fn event(&mut self, kind: Kind, a: usize, b: usize, text: impl FnOnce(&Kernel) -> String) {
        let task = current_task();
        self.record.count += 1;
        self.record.fold(self.now, ((kind as u64) << 56) ^ ((task as u64) << 32) ^ a as u64, b as u64);
        if self.record.sink.is_some() {
            let record = Record { stamp: self.stamp(), kind, text: text(self) };
            self.push(record);
        }
    }

    /// The same for what the network does by itself to a host's sockets.
    pub fn event_on(&mut self, kind: Kind, host: super::HostId, b: usize, text: impl FnOnce(&Kernel) -> String) {
        self.record.count += 1;
        self.record.fold(self.now, ((kind as u64) << 56) ^ host as u64, b as u64);
        if self.record.sink.is_some() {
            let stamp = Stamp { at: self.now, host: self.hosts[host].name.clone(), task: String::new() };
            let record = Record { stamp, kind, text: text(self) };
            self.push(record);
        }
    }

    /// Now, and the current task.
    pub fn stamp(&self) -> Stamp {
        let task = &self.tasks[current_task()];
        Stamp { at: self.now, host: self.hosts[task.host].name.clone(), task: task.name() }
    }

    fn push(&mut self, record: Record) {
        if let Some(sink) = &mut self.record.sink {
            sink(record);
        }
    }
}
