//! The interleaving engines: execute a model's threads in every order, or in sampled ones, in a process made for it.
//!
//! One engine is exhaustive and knows the memory model; the other samples, and scales further. Both run the model on
//! [`crate::sync`], in one thread of the process: their threads are stacks that they switch.

mod budget;
mod child;
pub(crate) mod clocks;
mod exhaust;
mod explore;
pub(crate) mod log;
mod loom;
pub(crate) mod memory;
mod model;
mod outlet;
mod run;
mod sample;
mod searcher;
pub(crate) mod seq_cst;
mod shrink;
mod shuttle;
pub(crate) mod spin;
pub(crate) mod threads;
mod verdict;
pub(crate) mod waiters;

pub use model::Model;
pub(crate) use {
    child::{thread_ends, wrong},
    outlet::limit,
};

use crate::{
    engine::{self, Explored, Heartbeat, Limit, Outlet, ProgressSink, Refusal, Smaller, Terms, Trials, Watch, Workers},
    job::{Ran, Search, Source},
    plan::{Plan, Threads},
    trace::{self, Trace},
    verdict::{Cause, Property, Verdict},
};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How often an execution is made again: two orders of a small hash map are often the same.
const AGAIN: usize = 4;

/// An object of a model, by the order in which those of its kind were made; 0 outside of a model.
pub(crate) type Number = u32;

/// What the threads of this process run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The operating system: this is no model.
    Std,
    /// Exhaustive search.
    Loom,
    /// Sampling.
    Shuttle,
}

static ENGINE: AtomicU8 = AtomicU8::new(0);

/// What the threads of this process run on. A process that runs a model runs nothing else, on one engine.
#[inline]
pub(crate) fn engine() -> Engine {
    match ENGINE.load(Relaxed) {
        0 => Engine::Std,
        1 => Engine::Loom,
        _ => Engine::Shuttle,
    }
}

/// Decides what the threads of this process run on.
fn choose(engine: Engine) {
    ENGINE.store(engine as u8, Relaxed);
}

impl engine::Engine for Model {
    fn run(&'static self, source: Source, watch: Watch, outlet: Outlet) {
        run::run(self.body, source, watch, outlet);
    }

    fn search(&'static self, search: Search, nth: Option<u64>, heartbeat: &'static Heartbeat, outlet: Outlet) {
        run::search(self.body, search, nth, heartbeat, outlet);
    }

    /// After another execution in the same process, so that what outlives an execution shows. One that fails ends its
    /// process: nothing can come after it there.
    fn repeats(&self, ran: &Ran) -> Vec<Source> {
        let plan = Box::new(ran.plan.clone());
        match ran.verdict {
            Verdict::Passed => vec![Source::Again(plan); AGAIN],
            Verdict::Failed(_) => vec![Source::Plan(plan)],
        }
    }

    /// None: each step of a plan is numbered, and with other numbers it is any other plan.
    fn nearby(&self, _: &Plan) -> Vec<Plan> {
        vec![]
    }

    /// Nothing goes wrong in a model but its own threads.
    fn fault_free(&self, _: u64) -> Option<Source> {
        None
    }

    fn of(&self, plan: &Plan) -> trace::Engine {
        let in_turn = Threads::Deviations(vec![]);
        run::searcher_of(plan.threads.as_ref().unwrap_or(&in_turn)).version()
    }

    /// Another version of a searcher makes another execution of the same plan.
    fn check_compatible(&self, trace: &Trace) -> Result<(), String> {
        let this = self.of(&trace.plan);
        if trace.plan.threads.is_none() || trace.engine == this {
            return Ok(());
        }
        Err(format!(
            "it was saved with {} {}, and this build has {} {}: its plan would be another execution; delete it and explore \
             again",
            trace.engine.name, trace.engine.version, this.name, this.version
        ))
    }

    fn explore(
        &self,
        workers: &mut dyn Workers,
        base: u64,
        until: Limit,
        sink: ProgressSink<'_>,
    ) -> Result<Explored, Refusal> {
        explore::explore(self, workers, base, until, sink)
    }

    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
        shrink::shrink(self, trials, plan)
    }

    fn terms(&self) -> &'static Terms {
        &TERMS
    }
}

const TERMS: Terms = Terms {
    ends: Property::ExecutionEnds,
    last: Cause::LastOperation,
    passes_alone: "something outlives an execution, such as a static or a thread-local; make it anew in the model, or of \
                   refrain::sync::LazyLock",
};
