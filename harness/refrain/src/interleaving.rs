//! The interleaving engines: execute a model in all interleavings of its threads, or in sampled ones, in a separate
//! process.
//!
//! One engine is exhaustive and implements the memory model; the other samples, and scales further. Both run the model
//! on [`crate::sync`], on a single thread of the process: the model's threads are coroutines with their own stacks.

mod at;
mod blocked;
mod budget;
mod child;
pub(crate) mod clocks;
mod exhaust;
mod explore;
pub(crate) mod foreign;
pub(crate) mod log;
mod loom;
pub(crate) mod memory;
mod model;
pub(crate) mod old;
mod outlet;
pub(crate) mod pending;
mod quarantine;
mod run;
mod sample;
mod searcher;
pub(crate) mod seq_cst;
mod shrink;
mod shuttle;
pub(crate) mod spare;
pub(crate) mod spin;
pub(crate) mod stuck;
pub(crate) mod threads;
pub(crate) mod tickets;
mod verdict;
pub(crate) mod waiters;

pub use model::Model;
pub use spare::prepare as prepare_dependencies;
pub(crate) use {
    child::{execution, fail_with, thread_ends},
    outlet::limit,
};

use crate::{
    engine::{
        self, Continuations, Explored, FirstRun, Heartbeat, Limit, Outlet, ProgressSink, Refusal, Smaller, Terms,
        Trials, Watch, Workers,
    },
    job::{Answer, Job, Ran, Search, Source},
    plan::{Choice, Plan, Threads},
    protocol::Sampler,
    trace::{self, Trace},
    verdict::{Cause, Class, Failure, Property, Verdict},
};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How often an execution is repeated to detect nondeterminism: two iteration orders of a small hash map are often the
/// same.
const AGAIN: usize = 4;
/// Number of executions that show whether two accesses without a happens-before order can overlap.
const OVERLAPS: u64 = 64;

/// An object of a model, numbered among those of its kind in creation order; 0 outside a model.
pub(crate) type Number = u32;

/// What executes the threads of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The operating system: there is no model.
    Std,
    /// Exhaustive search.
    Loom,
    /// Sampling.
    Shuttle,
}

static ENGINE: AtomicU8 = AtomicU8::new(0);

/// Returns what executes the threads of this process. A process that runs a model runs nothing else, on one engine.
#[inline]
pub(crate) fn engine() -> Engine {
    match ENGINE.load(Relaxed) {
        0 => Engine::Std,
        1 => Engine::Loom,
        _ => Engine::Shuttle,
    }
}

/// Sets what executes the threads of this process.
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

    /// Repeats the plan after another execution in the same process, which reveals state that outlives an execution.
    /// This is impossible for a failing execution, because that ends its process.
    fn repeats(&self, ran: &Ran) -> Vec<Source> {
        let plan = Box::new(ran.plan.clone());
        match ran.verdict {
            Verdict::Passed => vec![Source::Again(plan); AGAIN],
            Verdict::Failed(_) => vec![Source::Plan(plan)],
        }
    }

    /// Returns none: the steps of a plan are numbered, so that a plan with other numbers is unrelated.
    fn nearby(&self, _: &Plan) -> Vec<Plan> {
        vec![]
    }

    /// Returns the plans with fewer of the last deviations or choices, after which the engine goes on as it does by itself.
    fn lesser(&self, plan: &Plan, max: usize) -> Vec<Plan> {
        let of = |threads| Plan { threads: Some(threads), ..plan.clone() };
        match &plan.threads {
            Some(Threads::Deviations(all)) => {
                (0..all.len()).rev().take(max).map(|n| of(Threads::Deviations(all[..n].to_vec()))).collect()
            }
            Some(Threads::Choices { choices, total_order }) => {
                let first = |n: usize| Threads::Choices { choices: choices[..n].to_vec(), total_order: *total_order };
                (0..choices.len()).rev().take(max).map(|n| of(first(n))).collect()
            }
            None => vec![],
        }
    }

    /// Lets another thread go on at each of the choices of an exhaustive search; after that the engine goes on as it does by itself.
    fn continuations(&self, plan: &Plan) -> Continuations {
        match &plan.threads {
            Some(Threads::Choices { choices, total_order }) => {
                let of = |choices| Some(Threads::Choices { choices, total_order: *total_order });
                let others = other_threads(choices).into_iter();
                Continuations::Plans(others.map(|choices| Plan { threads: of(choices), ..plan.clone() }).collect())
            }
            _ => Continuations::Drawn,
        }
    }

    /// Returns none: in a model nothing can go wrong except its own threads.
    fn fault_free(&self, _: u64) -> Option<Source> {
        None
    }

    fn of(&self, plan: &Plan) -> trace::Engine {
        let in_turn = Threads::Deviations(vec![]);
        run::searcher_of(plan.threads.as_ref().unwrap_or(&in_turn)).version()
    }

    /// Rejects other versions of a searcher, which execute the same plan differently.
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
        first_passes: &mut FirstRun<'_>,
    ) -> Result<Explored, Refusal> {
        explore::explore(self, workers, base, until, sink, first_passes)
    }

    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
        shrink::shrink(self, trials, plan)
    }

    /// Confirms a data race by letting its accesses overlap. A lock that no engine sees would block one of them.
    fn confirm(&self, workers: &mut dyn Workers, failure: &Failure) -> Result<(), Refusal> {
        if failure.class != Class::DataRace {
            return Ok(());
        }
        let search = Search::Sample { by: Sampler::Overlap, seed: 0, executions: OVERLAPS, turn: 0 };
        match workers.ask(&Job::Search(search))? {
            Answer::Refused(why) => Err(why),
            _ => Ok(()),
        }
    }

    fn terms(&self) -> &'static Terms {
        &TERMS
    }
}

/// The beginnings of these choices, each with another thread at the next choice of one. Which store a load reads is left alone: not
/// every one may be read.
fn other_threads(choices: &[Choice]) -> Vec<Vec<Choice>> {
    let thread = |choice: &Choice| match choice {
        Choice::Thread { thread, .. } => Some(*thread),
        _ => None,
    };
    let most = choices.iter().filter_map(thread).max().unwrap_or(0);
    let chosen = choices.iter().enumerate().filter_map(|(at, choice)| Some((at, thread(choice)?)));
    let others =
        chosen.flat_map(|(at, chosen)| (0..=most).filter(move |other| *other != chosen).map(move |to| (at, to)));
    let with = |(at, thread)| [&choices[..at], &[Choice::Thread { thread, preempts: false }]].concat();
    others.map(with).collect()
}

const TERMS: Terms = Terms {
    ends: Property::ExecutionEnds,
    last: Cause::LastOperation,
    passes_alone: "something outlives an execution, such as a static or a thread-local; make it anew in the model, or of \
                   refrain::sync::LazyLock",
    prints: &shuttle::PRINTS,
};
