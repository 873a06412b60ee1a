//! The simulation engine: executes one plan on the simulated runtime, in a process that was made for it.

mod actor;
mod apply;
mod checks;
mod conserved;
mod explore;
mod named;
mod nearest;
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

pub use properties::Seen;
pub use scenario::Scenario;
pub(crate) use stall::not_reached;
pub(crate) use state::{PlanSource, fail, refuse, with};
pub(crate) use tracing_layer::listen;
pub use workload::{Parameter, argument};

use crate::{
    engine::{
        Engine, Explored, Heartbeat, Limit, Outlet, ProgressSink, Refusal, Smaller, Terms, Trials, Watch, Workers,
    },
    job::{RunMessage, Search, Source},
    plan::{Hold, Plan},
    seed::seed_of,
    trace::{self, Trace},
    verdict::{Cause, Property},
};

/// How many polls earlier or later a hold may have moved, and how many other seeds are tried, before a failure is gone.
const NEARBY_POLLS: [i32; 4] = [1, -1, 2, -2];
const NEARBY_SEEDS: u64 = 32;

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

    /// With other seeds, which order what is ready at once, and with each hold some polls earlier or later.
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

    fn terms(&self) -> &'static Terms {
        &TERMS
    }
}

const TERMS: Terms = Terms {
    ends: Property::TimeAdvances,
    last: Cause::LastPolled,
    passes_alone: "it depends on something outside the simulation that changes between the two",
};
