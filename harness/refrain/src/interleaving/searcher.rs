//! What the searchers have in common. One is exhaustive and knows the memory model; the other samples, and scales further.

use super::Engine;
use crate::{
    engine::Heartbeat,
    job::{Search, Searched},
    plan::Threads,
    trace,
};

/// A way to make a model's executions.
pub(super) trait Searcher: Sync {
    /// What the threads of a process run on that it searches.
    fn engine(&self) -> Engine;

    /// Its name and version, as traces name it.
    fn version(&self) -> trace::Engine;

    /// What of a plan is told before its execution; it tells the rest while that goes on.
    fn told_first(&self, threads: &Threads) -> Threads;

    /// Whether an execution that does not follow the plan is one of another model.
    fn must_follow(&self, threads: &Threads) -> bool;

    /// Makes a part of a search, up to the first execution that fails, which ends the process.
    fn search(&self, body: fn(), search: &Search, heartbeat: &'static Heartbeat) -> Searched;

    /// Finds the plan of the `nth` execution of a search, counted from 1. Those before it are known to pass.
    fn locate(&self, body: fn(), search: &Search, nth: u64, heartbeat: &'static Heartbeat) -> Searched;

    /// Makes one execution; whether it followed the whole plan, and left nothing of it over.
    fn execute(&self, body: fn(), threads: &Threads, heartbeat: &'static Heartbeat) -> bool;
}
