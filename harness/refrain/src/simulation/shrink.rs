//! Looks for a smaller plan with the same signature. A plan that fails in a different way is not a shrink.

use super::scenario::Scenario;
use crate::{
    engine::{Fails, Refusal, Smaller, Trials},
    job::{Job, Source},
    plan::Plan,
    seed::seed_of,
    shrink::{
        minimize::ddmin,
        simplify::{simpler_faults, simpler_holds},
        values::{self, Shape},
    },
};
use std::ops::ControlFlow;

/// Maximum number of rounds over workload, faults and holds; another round follows each one that helps.
const ROUNDS_MAX: usize = 8;
/// How many new seeds are tried for a shorter failing run.
const SEEDS: u64 = 64;
/// How many runs search for the same failure from scratch, and how many of these finds are shrunk.
const SEEDS_ANEW: u64 = 200;
const FINDS_MAX: usize = 4;
/// Another seed is accepted if its run has at most this fraction of the polls.
const FEWER: u64 = 2;
/// A run with at most this many polls is short enough.
const POLLS_FEW: u64 = 1_000;

/// One search.
struct Search<'a> {
    trials: Trials<'a>,
    best: Plan,
    /// Number of polls of the best plan's run: a measure of how much happens in it.
    polls: u64,
    /// The possible shapes of the workload's arguments.
    shapes: Vec<Shape>,
}

/// Shrinks a plan.
pub(super) fn shrink(scenario: &Scenario, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
    let mut search = Search { trials, best: plan.clone(), polls: u64::MAX, shapes: scenario.shapes() };
    let broken_off = search.all().is_break();
    search.trials.end(search.best, broken_off)
}

impl Search<'_> {
    fn all(&mut self) -> ControlFlow<()> {
        let Some(fails) = self.ask(&Job::Try(self.best.clone()))? else { return ControlFlow::Continue(()) };
        self.polls = fails.polls;
        self.down()?;
        self.fresh_seeds()?;
        self.other_finds()
    }

    /// Simplifies the best plan until no single step succeeds.
    fn down(&mut self) -> ControlFlow<()> {
        for _ in 0..ROUNDS_MAX {
            let before = self.best.clone();
            self.fewer_holds()?;
            self.fewer_faults()?;
            let shapes = std::mem::take(&mut self.shapes);
            let ended = self.simpler_workload(&shapes);
            self.shapes = shapes;
            ended?;
            self.simpler_faults_and_holds()?;
            if self.best == before {
                break;
            }
        }
        self.go_on()
    }

    /// Searches for the same failure from scratch. If several faults, or more than the smallest workload, are needed,
    /// or if much happens before the failure, another run may fail in a simpler way.
    fn other_finds(&mut self) -> ControlFlow<()> {
        let (base, mut finds) = (self.best.seed, 0);
        for run in 0..SEEDS_ANEW {
            if finds == FINDS_MAX || (self.best.faults.len() + self.best.holds.len() <= 1 && self.polls <= POLLS_FEW) {
                break;
            }
            self.go_on()?;
            let source = Source::Seed(seed_of(base, run));
            let Some(found) = self.ask(&Job::Record { source, until: None, locate: None })? else { continue };
            finds += 1;
            let smallest =
                (std::mem::replace(&mut self.best, found.plan), std::mem::replace(&mut self.polls, found.polls));
            let broken_off = self.down();
            if (cost(&smallest.0), smallest.1) <= (cost(&self.best), self.polls) {
                (self.best, self.polls) = smallest;
            }
            broken_off?;
        }
        ControlFlow::Continue(())
    }

    fn fewer_faults(&mut self) -> ControlFlow<()> {
        let faults = self.best.faults.clone();
        ddmin(faults, &mut |faults| {
            let plan = Plan { faults: faults.to_vec(), ..self.best.clone() };
            self.fails(plan)
        });
        self.go_on()
    }

    fn fewer_holds(&mut self) -> ControlFlow<()> {
        let holds = self.best.holds.clone();
        ddmin(holds, &mut |holds| {
            let plan = Plan { holds: holds.to_vec(), ..self.best.clone() };
            self.fails(plan)
        });
        self.go_on()
    }

    /// Simplifies the workload's arguments, one after the other.
    fn simpler_workload(&mut self, shapes: &[Shape]) -> ControlFlow<()> {
        for (argument, shape) in shapes.iter().enumerate().take(self.best.workload.len()) {
            let (mut value, before) = (self.best.workload[argument].value.clone(), self.best.clone());
            values::minimize(&mut value, shape, &mut |value| {
                let mut plan = before.clone();
                plan.workload[argument].value = value.clone();
                self.fails(plan)
            })?;
        }
        ControlFlow::Continue(())
    }

    fn simpler_faults_and_holds(&mut self) -> ControlFlow<()> {
        for index in 0..self.best.faults.len() {
            while self.first_that_fails(simpler_faults(&self.best.faults[index]), |plan, fault| {
                plan.faults[index] = fault;
            })? {}
        }
        for index in 0..self.best.holds.len() {
            while self.first_that_fails(simpler_holds(&self.best.holds[index]), |plan, hold| {
                plan.holds[index] = hold;
            })? {}
        }
        ControlFlow::Continue(())
    }

    fn first_that_fails<T>(&mut self, candidates: Vec<T>, put: impl Fn(&mut Plan, T)) -> ControlFlow<(), bool> {
        for candidate in candidates {
            let mut plan = self.best.clone();
            put(&mut plan, candidate);
            if self.fails(plan)? {
                return ControlFlow::Continue(true);
            }
        }
        ControlFlow::Continue(false)
    }

    /// Tries new seeds: a hold often only reproduces a schedule that another seed has by itself, and with another seed
    /// the failure may need fewer events.
    fn fresh_seeds(&mut self) -> ControlFlow<()> {
        let mut enough = if self.best.holds.is_empty() { self.polls / FEWER } else { u64::MAX };
        for seed in 1..=SEEDS {
            let plan = Plan { seed, holds: vec![], ..self.best.clone() };
            let Some(found) = self.ask(&Job::Try(plan))? else { continue };
            if found.polls <= enough {
                enough = found.polls / FEWER;
                (self.best, self.polls) = (found.plan, found.polls);
            }
        }
        ControlFlow::Continue(())
    }

    /// Returns whether a plan fails with the same signature, and if so makes it the best one.
    fn fails(&mut self, plan: Plan) -> ControlFlow<(), bool> {
        self.go_on()?;
        if plan == self.best {
            return ControlFlow::Continue(true);
        }
        let found = self.ask(&Job::Try(plan.clone()))?;
        if let Some(found) = &found {
            (self.best, self.polls) = (plan, found.polls);
        }
        ControlFlow::Continue(found.is_some())
    }

    /// Executes one run.
    fn ask(&mut self, job: &Job) -> ControlFlow<(), Option<Fails>> {
        self.trials.ask(job, &self.best)
    }

    fn go_on(&self) -> ControlFlow<()> {
        self.trials.go_on()
    }
}

/// The cost of reading a plan: its number of faults and holds, then the size of its text.
fn cost(plan: &Plan) -> (usize, (usize, u64)) {
    (plan.faults.len() + plan.holds.len(), size(plan))
}

/// The length of the workload's text and, as a tie-breaker, the size of its numbers: 37 clients are fewer than 75.
fn size(plan: &Plan) -> (usize, u64) {
    let sizes = plan.workload.iter().map(|argument| values::size(&argument.value));
    sizes.fold((0, 0), |(text, sum), (more_text, more)| (text + more_text, sum.saturating_add(more)))
}
