//! What threads wait for in libc and std: an address in memory, as with the kernel's futexes. Locks, condition variables, channels and
//! `park` are made of them.

use super::{Kernel, TaskId, current_task};
use std::{
    collections::{BTreeMap, VecDeque},
    task::Waker,
};

/// A wait at an address. Never the same twice in a run.
pub(crate) type FutexId = u64;

/// The waits at each address, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Futexes {
    waits: BTreeMap<usize, VecDeque<Waiting>>,
    count: FutexId,
}

#[derive(Debug)]
struct Waiting {
    id: FutexId,
    task: TaskId,
    /// Which wakes are for it.
    bits: u32,
    waker: Waker,
}

impl Kernel {
    /// Begins a wait of the current task.
    pub fn futex_waits(&mut self, at: usize, bits: u32, waker: Waker) -> FutexId {
        self.futexes.count += 1;
        let id = self.futexes.count;
        let waiting = Waiting { id, task: current_task(), bits, waker };
        self.futexes.waits.entry(at).or_default().push_back(waiting);
        id
    }

    /// Whether a wait goes on.
    pub fn futex_is_waiting(&self, at: usize, id: FutexId) -> bool {
        self.futexes.waits.get(&at).is_some_and(|waits| waits.iter().any(|waiting| waiting.id == id))
    }

    /// Ends a wait that was not woken.
    pub fn futex_gives_up(&mut self, at: usize, id: FutexId) {
        self.futex_take(at, 1, |_, waiting| waiting.id == id);
    }

    /// Wakes at most so many of the waits at an address that these bits are for. Returns how many.
    pub fn futex_wakes(&mut self, at: usize, most: usize, bits: u32) -> usize {
        let taken = self.futex_take(at, most, |k, waiting| waiting.bits & bits != 0 && !k.is_dead(waiting.task));
        let count = taken.len();
        taken.into_iter().for_each(|waiting| self.wake(Some(waiting.waker)));
        count
    }

    fn futex_take(&mut self, at: usize, most: usize, is_meant: impl Fn(&Kernel, &Waiting) -> bool) -> Vec<Waiting> {
        let Some(waits) = self.futexes.waits.remove(&at) else { return vec![] };
        let (mut taken, mut left) = (vec![], VecDeque::new());
        for waiting in waits {
            if taken.len() < most && is_meant(self, &waiting) {
                taken.push(waiting);
            } else {
                left.push_back(waiting);
            }
        }
        if !left.is_empty() {
            self.futexes.waits.insert(at, left);
        }
        taken
    }
}
