//! The simulation engine: executes one plan on the simulated runtime, in a process that was made for it.

mod apply;
mod conserved;
mod explore;
mod overflow;
mod properties;
mod rules;
mod run;
mod scenario;
mod shrink;
mod stall;
mod state;
mod tracing_layer;
mod workload;

pub(crate) use apply::apply;
pub use properties::Seen;
pub use scenario::Scenario;
pub(crate) use stall::stalled;
pub(crate) use state::{PlanSource, fail, refuse, with};
pub(crate) use tracing_layer::listen;
pub use workload::{Parameter, argument};

use crate::{
    engine::{
        Engine, Explored, Heartbeat, Limit, Outlet, ProgressSink, Refusal, Smaller, Trials, Watch, Words, Workers,
    },
    job::{RunMessage, Search, Source},
    plan::Plan,
    trace::{self, Trace},
};

/// The engine as traces name it.
const ENGINE: (&str, &str) = ("madsim", "0.2.34");

impl Engine for Scenario {
    /// What is looked up once a process, such as what the processor can do.
    fn prepare(&self) {
        drop(self.workload(0));
    }

    fn run(&'static self, source: Source, watch: Watch, outlet: Outlet) {
        run::run(self, source, watch, outlet);
    }

    fn search(&'static self, _: Search, _: Option<u64>, _: &'static Heartbeat, outlet: Outlet) {
        outlet.tell(&RunMessage::Refused("a scenario has one run a process: there is nothing to search in it".into()));
    }

    fn fault_free(&self, seed: u64) -> Option<Source> {
        Some(Source::FaultFree(seed))
    }

    fn of(&self, _: &Plan) -> trace::Engine {
        let (name, version) = ENGINE;
        trace::Engine { name: name.into(), version: version.into() }
    }

    /// A plan of another version may be the same run; if it is not, the replay says so.
    fn fits(&self, _: &Trace) -> Result<(), String> {
        Ok(())
    }

    fn explore(
        &self,
        workers: &mut dyn Workers,
        base: u64,
        until: Limit,
        sink: ProgressSink<'_>,
    ) -> Result<Explored, Refusal> {
        explore::explore(workers, base, until, sink)
    }

    fn shrink(&self, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
        shrink::shrink(self, trials, plan)
    }

    fn words(&self) -> &'static Words {
        &WORDS
    }
}

const WORDS: Words = Words {
    nobody_exits: "no host ends the whole process",
    time_goes_on: "virtual time goes on",
    step: "one poll",
    last: "the task that ran was spawned at",
    on_segfault: None,
    nondeterminism: "the service reads something from outside the simulation: a process number, /dev/urandom, \
                     getrandom 0.2 (rand 0.8), a file, the environment",
    passes_alone: "it depends on something outside the simulation that changes between the two",
};
