//! The interface of searchers. One is exhaustive and implements the memory model; the other samples, and scales
//! further.

use super::Engine;
use crate::{
    engine::Heartbeat,
    job::{Search, Searched},
    plan::Threads,
    trace,
};

/// A searcher of a model's executions.
pub(super) trait Searcher: Sync {
    /// Returns the engine of the processes in which it searches.
    fn engine(&self) -> Engine;

    /// Returns its name and version, as recorded in traces.
    fn version(&self) -> trace::Engine;

    /// Returns the part of a plan that is reported before its execution; the rest is reported during the execution.
    fn announced(&self, threads: &Threads) -> Threads;

    /// Returns whether an execution that deviates from the plan belongs to a different model.
    fn must_follow(&self, threads: &Threads) -> bool;

    /// Runs a part of a search, up to the first execution that fails, which ends the process.
    fn search(&self, body: fn(), search: &Search, heartbeat: &'static Heartbeat) -> Searched;

    /// Determines the plan of the `nth` execution of a search, counted from 1. Those before it are known to pass.
    fn locate(&self, body: fn(), search: &Search, nth: u64, heartbeat: &'static Heartbeat) -> Searched;

    /// Makes one execution; returns whether it followed the whole plan.
    fn execute(&self, body: fn(), threads: &Threads, heartbeat: &'static Heartbeat) -> bool;
}
