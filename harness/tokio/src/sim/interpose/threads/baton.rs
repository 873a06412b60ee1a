//! Whose turn it is. The wait is the kernel's own, which no filter sees.

use crate::sim::interpose::guard::wait_in_kernel;
use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

/// Who executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Simulations,
    Threads,
}

/// The turn of a thread, or of the simulation's.
#[derive(Debug)]
pub(super) struct Baton(AtomicU32);

impl Baton {
    pub fn new() -> Baton {
        Baton(AtomicU32::new(Turn::Simulations as u32))
    }

    /// Gives the turn away.
    pub fn pass(&self, to: Turn) {
        self.0.store(to as u32, Release);
        wait_in_kernel::wake(&self.0);
    }

    /// Returns when it is this one's turn.
    pub fn wait_for(&self, turn: Turn) {
        loop {
            let now = self.0.load(Acquire);
            if now == turn as u32 {
                return;
            }
            wait_in_kernel::wait(&self.0, now);
        }
    }
}
