//! Progress of a run, in a memory page shared with the worker that monitors it.

use std::{
    panic::Location,
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::Relaxed},
};
use tokio::control::Spawned;

/// A run's number of polls, and the task that it polls now.
#[derive(Debug)]
pub struct Heartbeat {
    polls: AtomicU64,
    pub place: AtomicPtr<Location<'static>>,
    /// If it is a thread, the number of the calls that started it; otherwise 0.
    pub thread: AtomicU64,
    is_over: AtomicBool,
}

impl Heartbeat {
    /// Resets it before a run starts.
    pub fn clear(&self) {
        self.polls.store(0, Relaxed);
        self.place.store(ptr::null_mut(), Relaxed);
        self.thread.store(0, Relaxed);
        self.is_over.store(false, Relaxed);
    }

    /// Records the start of a task's poll; no place means the test's own task.
    pub fn tick(&self, place: Option<Spawned>) {
        self.polls.fetch_add(1, Relaxed);
        let (place, thread) = match place {
            None => (ptr::null(), 0),
            Some(Spawned::At(place)) => (ptr::from_ref(place), 0),
            Some(Spawned::Thread(place)) => (ptr::null(), place.path),
        };
        self.place.store(place.cast_mut(), Relaxed);
        self.thread.store(thread, Relaxed);
    }

    /// Records how far the run has come, without a poll.
    pub fn comes_to(&self, place: &'static Location<'static>) {
        self.place.store(ptr::from_ref(place).cast_mut(), Relaxed);
    }

    /// Records that all code of the run has ended: what is left is the engine's.
    pub fn end(&self) {
        self.polls.fetch_add(1, Relaxed);
        self.is_over.store(true, Relaxed);
    }

    /// Returns whether all code of the run has ended.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// Returns the number of polls.
    pub fn count(&self) -> u64 {
        self.polls.load(Relaxed)
    }
}
