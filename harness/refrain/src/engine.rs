//! What a test, its workers and the driver know of whatever runs plans: this trait, and no engine by its name.
//!
//! ```text
//! engine <- simulation, interleaving <- worker <- driver
//! ```
//!
//! An engine draws plans, runs one in a process that was forked for it, explores, and says which plans are simpler. The
//! worker forks and watches; the driver records, replays, shrinks and saves.

mod heartbeat;
mod outlet;
mod prefix;
mod slots;
mod trials;
mod workers;

pub use heartbeat::Heartbeat;
pub use outlet::{Outlet, exit};
pub use prefix::{Prefix, Sum};
pub use slots::{MEMORY_MAX, Slot, wait, wait_a_moment};
pub use trials::{Fails, Smaller, Trials};
pub use workers::{Ask, Limit, ProgressSink, Refusal, Workers, refused, unexpected};

use crate::{
    job::{Ran, Search, Source},
    place::Place,
    plan::Plan,
    protocol::{Coverage, Searched},
    trace::{self, Trace},
    verdict::{Cause, Property},
};
use std::fmt;

/// Runs plans of one sort. A test has one engine.
pub trait Engine: fmt::Debug + Sync {
    /// Does in the worker what would else be done in every run that it forks.
    fn prepare(&self) {}

    /// Makes one run in this process, which was forked for it, tells the worker how it ended, and ends the process. If it
    /// returns, the worker takes that for a death.
    fn run(&'static self, source: Source, watch: Watch, outlet: Outlet);

    /// Makes many runs in this process, up to the first that fails, and ends the process. With `nth` it finds the plan of
    /// that run, counted from 1; those before it are known to pass.
    fn search(&'static self, search: Search, nth: Option<u64>, heartbeat: &'static Heartbeat, outlet: Outlet);

    /// The plans that are made of a run's plan to see whether it is a function of it. Each must be the same run.
    fn again(&self, ran: &Ran) -> Vec<Source> {
        vec![Source::Plan(Box::new(ran.plan.clone()))]
    }

    /// Plans that are nearly this one. The failure of a service that was edited may have moved to one of them.
    fn nearby(&self, plan: &Plan) -> Vec<Plan>;

    /// The run in which nothing goes wrong, if that means anything: its outcome may be a snapshot.
    fn fault_free(&self, seed: u64) -> Option<Source>;

    /// What runs a plan in this build: its name and version, for traces.
    fn of(&self, plan: &Plan) -> trace::Engine;

    /// Whether the plan of a trace is the same plan in this build.
    ///
    /// # Errors
    /// Why it is not, and what to do.
    fn fits(&self, trace: &Trace) -> Result<(), String>;

    /// Makes runs until the limit, or until one fails.
    ///
    /// # Errors
    /// Why it could not.
    fn explore(
        &self,
        workers: &mut dyn Workers,
        base: u64,
        until: Limit,
        sink: ProgressSink<'_>,
    ) -> Result<Explored, Refusal>;

    /// Looks for a simpler plan that fails in the same way.
    ///
    /// # Errors
    /// Why it could not.
    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal>;

    /// How a run of it that dies is explained.
    fn terms(&self) -> &'static Terms;
}

/// How a run is watched.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Whether every event is told.
    pub record: bool,
    /// Stop before this event.
    pub until: Option<usize>,
    /// The page that the worker watches.
    pub heartbeat: &'static Heartbeat,
}

/// What came of an exploration.
#[derive(Debug, Default)]
pub struct Explored {
    /// How many runs were made.
    pub runs: u64,
    /// What they reached.
    pub coverage: Coverage,
    /// What each searcher did, if there are several.
    pub engines: Vec<Searched>,
    /// The first run that failed.
    pub found: Option<Found>,
}

/// A run that failed.
#[derive(Debug)]
pub struct Found {
    /// What makes it again.
    pub source: Source,
    /// Its number, counted from 1.
    pub run: u64,
}

/// How a run of an engine that dies is explained.
#[derive(Debug)]
pub struct Terms {
    /// The property that a run breaks which does not end.
    pub ends: Property,
    /// What the last place says that a run reached before it died.
    pub last: fn(Place) -> Cause,
    /// Why a run may fail while exploring and pass by itself.
    pub passes_alone: &'static str,
}
