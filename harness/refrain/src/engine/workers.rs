//! The interface through which engines have workers execute runs while exploring and shrinking.

use super::slots::Slot;
use crate::{
    job::{Answer, Job},
    protocol::{Isolation, Progress},
};
use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

/// Why the harness could not do its work.
pub type Refusal = String;

/// Executes jobs, one at a time: a worker process.
pub trait Ask: Send {
    /// Waits for a slot. A test's first worker always gets one in the end; for the others this returns `None` if all
    /// are in use for now.
    fn slot(&mut self) -> Option<Slot>;

    /// Executes one job.
    ///
    /// # Errors
    /// Fails if the worker cannot be reached or has died.
    fn ask(&mut self, job: &Job, slot: Slot) -> Result<Answer, Refusal>;
}

/// The workers of one test.
pub trait Workers {
    /// Returns how they keep the runs of an exploration apart.
    fn isolation(&self) -> Isolation {
        Isolation::default()
    }

    /// Returns all workers, at least one, for concurrent use.
    fn all(&mut self) -> Vec<&mut dyn Ask>;

    /// Executes one job on the first worker.
    ///
    /// # Errors
    /// Fails if the worker cannot be reached or has died.
    fn ask(&mut self, job: &Job) -> Result<Answer, Refusal> {
        let mut all = self.all();
        let worker = all.first_mut().expect("a pool has a worker");
        loop {
            if let Some(slot) = worker.slot() {
                return worker.ask(job, slot);
            }
        }
    }
}

/// Whom to tell of runs that have stopped for a debugger.
static STOPS: OnceLock<Box<dyn Fn(u32) + Send + Sync>> = OnceLock::new();

/// Has the number of each process told that has stopped for a debugger.
pub fn tell_stops(tell: impl Fn(u32) + Send + Sync + 'static) {
    let _ = STOPS.set(Box::new(tell));
}

/// Tells that a run has stopped for a debugger in this process.
pub fn tell_stopped(process: u32) {
    if let Some(tell) = STOPS.get() {
        tell(process);
    }
}

/// When to stop exploring.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// After this many runs.
    Runs(u64),
    /// At this time.
    Time(Instant),
}

/// Receives progress, and may request a stop.
#[derive(Clone, Copy)]
pub struct ProgressSink<'a> {
    /// Set to request a stop.
    pub stop: &'a AtomicBool,
    /// Called with progress.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

impl ProgressSink<'_> {
    /// Returns whether a stop was requested.
    pub fn stops(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Reports progress.
    pub fn report(&self, progress: Progress) {
        (self.progress)(progress);
    }
}

impl fmt::Debug for ProgressSink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressSink").finish_non_exhaustive()
    }
}

/// Converts an I/O error to a refusal.
pub fn refused(error: impl fmt::Display) -> Refusal {
    format!("the harness could not run: {error}")
}

/// The error for a worker's reply that does not match the request.
pub fn unexpected() -> Refusal {
    "protocol error between the test and its worker: unexpected answer".to_owned()
}
