//! Whom an engine asks for runs while it explores and shrinks, and who waits for the result.

use super::slots::Slot;
use crate::{
    job::{Answer, Job},
    protocol::Progress,
};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

/// Why the harness could not do its work.
pub type Refusal = String;

/// Does jobs, one at a time: a worker process.
pub trait Ask: Send {
    /// Waits until the machine has a processor for a job. The first worker of a test gets one in the end; for any other one
    /// it is `None` if all are in use for now.
    fn slot(&mut self) -> Option<Slot>;

    /// Does one job.
    ///
    /// # Errors
    /// If the worker cannot be reached or has died.
    fn ask(&mut self, job: &Job, slot: Slot) -> Result<Answer, Refusal>;
}

/// Workers of one test.
pub trait Workers {
    /// All of them, to be used side by side. There is one at least.
    fn all(&mut self) -> Vec<&mut dyn Ask>;

    /// Does one job, on the first worker.
    ///
    /// # Errors
    /// If the worker cannot be reached or has died.
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

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// This many runs were made.
    Runs(u64),
    /// It is this late.
    Time(Instant),
}

/// Who asked for what is done: it may be stopped, and wants to know how far it is.
#[derive(Clone, Copy)]
pub struct ProgressSink<'a> {
    /// Whether to end early.
    pub stop: &'a AtomicBool,
    /// Where to tell how far it is.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

impl ProgressSink<'_> {
    /// Whether to end early.
    pub fn stops(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Tells how far it is.
    pub fn tell(&self, progress: Progress) {
        (self.progress)(progress);
    }
}

impl fmt::Debug for ProgressSink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressSink").finish_non_exhaustive()
    }
}

/// An input-output error as a refusal.
pub fn refused(error: impl fmt::Display) -> Refusal {
    format!("the harness could not run: {error}")
}

/// A worker's answer does not fit what it was asked.
pub fn unexpected() -> Refusal {
    "protocol error between the test and its worker: unexpected answer".to_owned()
}
