//! What a run shows to the worker that watches it, in a page that both share.

use std::{
    panic::Location,
    ptr,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed},
};

/// How many polls a run has made, and which task it polls now.
#[derive(Debug)]
pub struct Heartbeat {
    polls: AtomicU64,
    pub place: AtomicPtr<Location<'static>>,
}

impl Heartbeat {
    /// Of a run that has not begun.
    pub fn clear(&self) {
        self.polls.store(0, Relaxed);
        self.place.store(ptr::null_mut(), Relaxed);
    }

    /// A task is polled; without a place it is the test's own.
    pub fn tick(&self, place: Option<&'static Location<'static>>) {
        self.polls.fetch_add(1, Relaxed);
        self.place.store(place.map_or(ptr::null_mut(), |place| ptr::from_ref(place).cast_mut()), Relaxed);
    }

    /// How many polls there were.
    pub fn count(&self) -> u64 {
        self.polls.load(Relaxed)
    }
}
