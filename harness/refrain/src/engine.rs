//! The interface between tests, workers and the driver on one side and engines on the other.
//!
//! ```text
//! engine <- simulation, interleaving <- worker <- driver
//! ```
//!
//! An engine draws plans, executes one in a process forked for it, explores, and proposes simpler plans. The worker
//! forks and supervises; the driver records, replays, shrinks and saves.

pub(crate) mod backtrace;
pub(crate) mod call_places;
pub(crate) mod counters;
pub(crate) mod debugger;
pub(crate) mod frames;
mod heartbeat;
mod outlet;
pub(crate) mod overflow;
mod own_folder;
mod prefix;
mod slots;
mod trials;
mod workers;

pub use heartbeat::Heartbeat;
pub use outlet::{Outlet, after_passing, exit, has_passed};
pub use own_folder::make_own;
pub use prefix::{Prefix, Sum};
pub use slots::{Slot, pause_with, tell_waits, wait, wait_briefly};
pub use trials::{Fails, Smaller, Trials};
pub use workers::{Ask, Limit, ProgressSink, Refusal, Workers, refused, unexpected};
pub use workers::{tell_stopped, tell_stops};

use crate::{
    job::{Ran, Search, Source},
    place::Place,
    plan::Plan,
    protocol::{Coverage, Searched},
    trace::{self, Trace},
    verdict::{Cause, Failure, NotLogged, Property, Unseen},
};
use std::{fmt, time::Duration};

/// Makes the first run of an exploration, and repeats it; returns whether it passes.
pub type FirstRun<'a> = dyn FnMut(&mut dyn Workers) -> Result<bool, Refusal> + 'a;

/// Executes plans of one kind. Each test has one engine.
pub trait Engine: fmt::Debug + Sync {
    /// Initializes in the worker what every forked run would otherwise initialize itself.
    fn prepare(&self) {}

    /// Returns whether this machine cannot keep runs from leaving their simulation.
    fn is_unguarded(&self) -> bool {
        false
    }

    /// Returns whether this process can make another run after one that has passed, if its memory and what the kernel keeps for it are
    /// brought back.
    fn can_rewind(&self) -> bool {
        false
    }

    /// Returns which logs the recorded runs of this engine have; `None` if it has none on any machine.
    fn logs(&self) -> Option<Logs> {
        None
    }

    /// Executes one run in this process, which was forked for it, reports the result to the worker, and exits. If it
    /// returns, the worker treats the run as crashed.
    fn run(&'static self, source: Source, watch: Watch, outlet: Outlet);

    /// Executes runs in this process up to the first that fails, and exits. With `nth`, it determines the plan of that
    /// run, counted from 1; the runs before it are known to pass.
    fn search(&'static self, search: Search, nth: Option<u64>, heartbeat: &'static Heartbeat, outlet: Outlet);

    /// Returns sources that must all produce the same run as `ran`, to check that a run is a function of its plan.
    fn repeats(&self, ran: &Ran) -> Vec<Source> {
        vec![Source::Plan(Box::new(ran.plan.clone()))]
    }

    /// Returns plans close to this one. After an edit of the service, its failure may have moved to one of them.
    fn nearby(&self, plan: &Plan) -> Vec<Plan>;

    /// Returns plans that lack a part of this one, or have a simpler or another one in its place: whoever looks for a passing run that
    /// goes the same way as a failing one for long finds it among these. There are at most `max`.
    fn lesser(&self, plan: &Plan, max: usize) -> Vec<Plan>;

    /// Returns how a run can go on in another way than its plan says.
    fn continuations(&self, plan: &Plan) -> Continuations;

    /// Returns the fault-free run, if the engine has one: its outcome may be a snapshot.
    fn fault_free(&self, seed: u64) -> Option<Source>;

    /// Returns the name and version of the engine that executes the plan, for traces.
    fn of(&self, plan: &Plan) -> trace::Engine;

    /// Checks that a trace's plan has the same meaning in this build.
    ///
    /// # Errors
    /// Returns why not, and what to do.
    fn check_compatible(&self, trace: &Trace) -> Result<(), String>;

    /// Executes runs until the limit, or until one fails. Before most of them it calls `first_passes`, which makes a run
    /// and repeats it, and ends if that returns false.
    ///
    /// # Errors
    /// Returns why the exploration could not continue.
    fn explore(
        &self,
        workers: &mut dyn Workers,
        base: u64,
        until: Limit,
        sink: ProgressSink<'_>,
        first_passes: &mut FirstRun<'_>,
    ) -> Result<Explored, Refusal>;

    /// Looks for a simpler plan that fails in the same way.
    ///
    /// # Errors
    /// Returns why the search could not continue.
    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal>;

    /// Confirms that a failure is real, and not due to something that the engine does not see.
    ///
    /// # Errors
    /// Returns why it is not real, and what to do.
    fn confirm(&self, _: &mut dyn Workers, _: &Failure) -> Result<(), Refusal> {
        Ok(())
    }

    /// Returns how to explain a run of this engine that dies.
    fn terms(&self) -> &'static Terms;
}

/// The logs of an engine's recorded runs.
#[derive(Debug)]
pub enum Logs {
    /// They have every call of the service through which its machine can be read, apart from these.
    Without(Vec<Unseen>),
    /// There are none, for this reason.
    None(NotLogged),
}

/// How a run can go on in another way than its plan says.
#[derive(Debug)]
pub enum Continuations {
    /// From any event on, drawn from any seed: [`Source::Branch`].
    Drawn,
    /// As these plans say, each of which leaves the plan somewhere. One that cannot be followed is none.
    Plans(Vec<Plan>),
}

/// How a run is monitored.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Whether every event is recorded.
    pub record: bool,
    /// Stop before this event.
    pub until: Option<usize>,
    /// Stop for a debugger before this event.
    pub debug: Option<usize>,
    /// The call of the log whose backtrace is wanted.
    pub locate: Option<u64>,
    /// Whether the verdict of a panic has its backtrace.
    pub backtrace: bool,
    /// How long one poll may compute or sleep.
    pub poll_limit: Duration,
    /// The shared page that the worker monitors.
    pub heartbeat: &'static Heartbeat,
}

/// The result of an exploration.
#[derive(Debug, Default)]
pub struct Explored {
    /// Number of runs.
    pub runs: u64,
    /// What the runs covered.
    pub coverage: Coverage,
    /// What each searcher did, if there are several.
    pub engines: Vec<Searched>,
    /// The first run that failed.
    pub found: Option<Found>,
}

/// A run that failed.
#[derive(Debug)]
pub struct Found {
    /// The source that reproduces it.
    pub source: Source,
    /// Its number, counted from 1.
    pub run: u64,
}

/// How to explain a run of an engine that dies.
#[derive(Debug)]
pub struct Terms {
    /// The property that a run violates if it does not end.
    pub ends: Property,
    /// Makes a cause of the last place that a run reached before it died.
    pub last: fn(Place) -> Cause,
    /// Why a run may fail during exploration and pass on its own.
    pub passes_alone: &'static str,
    /// The first words of lines that the engine prints itself; they are not shown to users.
    pub prints: &'static [&'static str],
}

impl Terms {
    /// Removes the lines that the engine printed itself.
    pub fn without_own_lines(&self, printed: &str) -> String {
        let is_own = |line: &&str| self.prints.iter().any(|own| line.starts_with(own));
        printed.split_inclusive('\n').filter(|line| !is_own(line)).collect()
    }
}
