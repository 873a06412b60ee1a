//! The simulation engine: executes one plan on the simulated runtime, in a process forked for it.

mod actor;
mod apply;
mod branch;
mod called;
mod chain;
mod checks;
mod conserved;
mod explore;
mod lesser;
mod named;
mod nearest;
mod paths;
mod properties;
mod rules;
mod run;
mod scenario;
mod shrink;
mod stall;
mod state;
mod threads;
mod tracing_layer;
mod unguarded;
mod workload;

pub use properties::Seen;
pub use scenario::Scenario;
pub(crate) use stall::not_reached;
pub(crate) use state::{PlanSource, fail, note, refuse, with};
pub(crate) use tracing_layer::listen;
pub use workload::{Parameter, argument};

use crate::{
    engine::{
        Continuations, Engine, Explored, FirstRun, Heartbeat, Limit, Logs, Outlet, ProgressSink, Refusal, Smaller,
        Terms, Trials, Watch, Workers, frames::Hidden,
    },
    job::{RunMessage, Search, Source},
    plan::{Hold, Plan},
    seed::seed_of,
    trace::{self, Trace},
    verdict::{Cause, NotLogged, Outside, Property, Unseen},
};
use std::{panic::resume_unwind, thread};
use tokio::control;

/// By how many polls a hold is moved in nearby plans. As many other seeds are tried.
const NEARBY_POLLS: [i32; 4] = [1, -1, 2, -2];
const NEARBY_SEEDS: u64 = 32;

/// The engine's name and version, as recorded in traces.
const ENGINE: (&str, &str) = ("madsim", "0.2.34");

/// What is between the executor and the service in each poll.
const HIDDEN: Hidden = Hidden {
    packages: &["async-task-", "corosensei-", "madsim-", "scoped-tls-"],
    crates: &["async_task", "corosensei", "madsim"],
};

/// Calls the test's own code on a thread of its own. What it does to thread-locals, such as the keys of hashes, is not there when the
/// service runs.
fn apart<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(f).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

impl Engine for Scenario {
    /// Runs lookups that are needed once per process, such as CPU feature detection, and guards the runs to be forked.
    fn prepare(&self) {
        apart(|| drop(self.workload(0)));
        control::guard(self.allow).unwrap_or_else(|error| panic!("cannot install a seccomp filter: {error}"));
    }

    fn is_unguarded(&self) -> bool {
        !control::can_guard()
    }

    /// What a run does to its process is known of guarded runs only.
    fn can_rewind(&self) -> bool {
        let unseen = [Outside::Processes, Outside::SystemCalls, Outside::Threads];
        control::is_guarded() && !unseen.iter().any(|outside| self.allow.contains(outside))
    }

    fn logs(&self) -> Option<Logs> {
        if self.allow.contains(&Outside::Processes) {
            return Some(Logs::None(NotLogged::ProcessesAllowed));
        }
        if self.is_unguarded() {
            return Some(Logs::None(NotLogged::NoFilters));
        }
        let threads = self.allow.contains(&Outside::Threads).then_some(Unseen::Threads);
        let time_stamps = (!control::sees_time_stamps()).then_some(Unseen::TimeStamps);
        let always = [Unseen::ProcessorsChance, Unseen::Memory];
        Some(Logs::Without(threads.into_iter().chain(time_stamps).chain(always).collect()))
    }

    fn run(&'static self, source: Source, watch: Watch, outlet: Outlet) {
        run::run(self, source, watch, outlet);
    }

    fn search(&'static self, _: Search, _: Option<u64>, _: &'static Heartbeat, outlet: Outlet) {
        outlet.send(&RunMessage::Refused("a scenario has one run per process: there is nothing to search".into()));
    }

    /// Returns plans with other seeds, which reorder ready tasks, and plans with each hold moved by some polls.
    fn nearby(&self, plan: &Plan) -> Vec<Plan> {
        let shifted = |shift: i32| {
            let hold = |hold: &Hold| Hold { poll: hold.poll.saturating_add_signed(shift).max(1), ..hold.clone() };
            Plan { holds: plan.holds.iter().map(hold).collect(), ..plan.clone() }
        };
        let shifts: &[i32] = if plan.holds.is_empty() { &[] } else { &NEARBY_POLLS };
        let polls = shifts.iter().map(|shift| shifted(*shift));
        let seeds = (0..NEARBY_SEEDS).map(|nth| Plan { seed: seed_of(plan.seed, nth), ..plan.clone() });
        polls.chain(seeds).filter(|nearby| nearby != plan).collect()
    }

    fn lesser(&self, plan: &Plan, max: usize) -> Vec<Plan> {
        lesser::lesser(self, plan, max)
    }

    fn continuations(&self, _: &Plan) -> Continuations {
        Continuations::Drawn
    }

    fn fault_free(&self, seed: u64) -> Option<Source> {
        Some(Source::FaultFree(seed))
    }

    fn of(&self, _: &Plan) -> trace::Engine {
        let (name, version) = ENGINE;
        trace::Engine { name: name.into(), version: version.into() }
    }

    /// Accepts plans of every version: whether the run is the same is checked by the replay.
    fn check_compatible(&self, _: &Trace) -> Result<(), String> {
        Ok(())
    }

    fn explore(
        &self,
        workers: &mut dyn Workers,
        base: u64,
        until: Limit,
        sink: ProgressSink<'_>,
        first_passes: &mut FirstRun<'_>,
    ) -> Result<Explored, Refusal> {
        if !first_passes(workers)? {
            return Ok(Explored::default());
        }
        explore::explore(workers, base, until, sink)
    }

    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
        shrink::shrink(self, trials, plan)
    }

    fn terms(&self) -> &'static Terms {
        &TERMS
    }
}

const TERMS: Terms = Terms {
    ends: Property::TimeAdvances,
    last: Cause::LastPolled,
    passes_alone: "it depends on something outside the simulation that changes between the two",
    prints: &["context: node=", "note: run with `MADSIM_TEST_SEED="],
};
