//! Looks for a smaller plan with the same signature. A plan that fails another way is not a shrink.

use super::scenario::Scenario;
use crate::{
    engine::{Refusal, Smaller, Trials},
    job::{Job, Source},
    plan::Plan,
    seed::seed_of,
    shrink::{
        minimize::ddmin,
        simplify::{simpler_faults, simpler_holds},
    },
};
use serde_json::Value;
use std::ops::ControlFlow;

/// How many rounds over workload, faults and holds are made at most; each round that helps is followed by another.
const ROUNDS_MAX: usize = 8;
/// How many steps proptest may take from what a seed draws to the simplest value.
const SIMPLIFY_MAX: usize = 10_000;
/// How many fresh seeds are tried for a shorter failing run.
const SEEDS: u64 = 64;
/// How many runs look for the same failure anew, and how many such finds are shrunk.
const SEEDS_ANEW: u64 = 200;
const FINDS_MAX: usize = 4;

/// One search.
struct Search<'a> {
    trials: Trials<'a>,
    best: Plan,
}

/// Shrinks a plan.
pub(super) fn shrink(scenario: &Scenario, trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
    let mut search = Search { trials, best: plan.clone() };
    let broken_off = search.all(scenario).is_break();
    search.trials.end(search.best, broken_off)
}

impl Search<'_> {
    fn all(&mut self, scenario: &Scenario) -> ControlFlow<()> {
        self.down(scenario)?;
        self.fresh_seeds()?;
        self.other_finds(scenario)
    }

    /// Makes the best plan smaller until no single step does.
    fn down(&mut self, scenario: &Scenario) -> ControlFlow<()> {
        for _ in 0..ROUNDS_MAX {
            let before = self.best.clone();
            self.fewer_holds()?;
            self.fewer_faults()?;
            self.fewer_elements(scenario)?;
            self.simpler_workload(scenario)?;
            self.simpler_faults_and_holds()?;
            if self.best == before {
                break;
            }
        }
        self.go_on()
    }

    /// Faults that are needed together, or that need more than the least workload, may be a detour: the same failure,
    /// found anew, may have a shorter way.
    fn other_finds(&mut self, scenario: &Scenario) -> ControlFlow<()> {
        let (base, mut finds) = (self.best.seed, 0);
        let least = (1, fewest_elements(scenario, base).iter().sum());
        for run in 0..SEEDS_ANEW {
            let (goes_wrong, elements, _) = cost(&self.best);
            if finds == FINDS_MAX || (goes_wrong, elements) <= least {
                break;
            }
            self.go_on()?;
            let source = Source::Seed(seed_of(base, run));
            let Some(found) = self.ask(&Job::Record { source, until: None })? else { continue };
            finds += 1;
            let smallest = std::mem::replace(&mut self.best, found);
            let broken_off = self.down(scenario);
            if cost(&smallest) <= cost(&self.best) {
                self.best = smallest;
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

    /// Removes elements of a workload's lists. proptest does so only from what was drawn, and once: an element that a
    /// fault has needed until it was made simpler would stay. No list gets shorter than the strategy may draw it.
    fn fewer_elements(&mut self, scenario: &Scenario) -> ControlFlow<()> {
        for (argument, fewest) in fewest_elements(scenario, self.best.seed).into_iter().enumerate() {
            let Some(Value::Array(elements)) = self.best.workload.get(argument).map(|a| a.value.clone()) else {
                continue;
            };
            ddmin(elements, &mut |elements| {
                let mut plan = self.best.clone();
                plan.workload[argument].value = elements.into();
                if elements.len() < fewest { ControlFlow::Continue(false) } else { self.fails(plan) }
            });
        }
        self.go_on()
    }

    /// Walks proptest's way from what the seed draws to simpler values; a workload that was shrunk before, or whose
    /// strategy has changed since, is replaced only by one that fails and prints shorter.
    fn simpler_workload(&mut self, scenario: &Scenario) -> ControlFlow<()> {
        let Ok(mut workload) = scenario.workload(self.best.seed) else { return ControlFlow::Continue(()) };
        for argument in 0..workload.len() {
            let mut last_failed = true;
            while if last_failed { workload.simplify(argument) } else { workload.complicate(argument) } {
                let plan = Plan { workload: workload.current(), ..self.best.clone() };
                let smaller = plan.workload == self.best.workload || size(&plan) < size(&self.best);
                last_failed = if smaller { self.fails(plan)? } else { true };
            }
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

    /// A hold often only repairs a schedule that another seed has by itself.
    fn fresh_seeds(&mut self) -> ControlFlow<()> {
        if self.best.holds.is_empty() {
            return ControlFlow::Continue(());
        }
        for seed in 1..=SEEDS {
            let plan = Plan { seed, holds: vec![], ..self.best.clone() };
            if self.fails(plan)? {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether a plan fails with the same signature; it is the best one then.
    fn fails(&mut self, plan: Plan) -> ControlFlow<(), bool> {
        self.go_on()?;
        if plan == self.best {
            return ControlFlow::Continue(true);
        }
        let same = self.ask(&Job::Try(plan.clone()))?.is_some();
        if same {
            self.best = plan;
        }
        ControlFlow::Continue(same)
    }

    fn ask(&mut self, job: &Job) -> ControlFlow<(), Option<Plan>> {
        self.trials.ask(job, &self.best)
    }

    fn go_on(&self) -> ControlFlow<()> {
        self.trials.go_on()
    }
}

/// What a reader has to take in: how many faults and holds, then how many elements of lists, then how much text.
fn cost(plan: &Plan) -> (usize, usize, (usize, u64)) {
    let elements = plan.workload.iter().filter_map(|argument| argument.value.as_array());
    (plan.faults.len() + plan.holds.len(), elements.map(Vec::len).sum(), size(plan))
}

/// How many elements each argument of a workload has at least, if it is a list: as many as proptest comes down to.
fn fewest_elements(scenario: &Scenario, seed: u64) -> Vec<usize> {
    let Ok(mut simplest) = scenario.workload(seed) else { return vec![] };
    for argument in 0..simplest.len() {
        (0..SIMPLIFY_MAX).take_while(|_| simplest.simplify(argument)).for_each(drop);
    }
    simplest.current().iter().map(|argument| argument.value.as_array().map_or(0, Vec::len)).collect()
}

/// How much text a workload is and, of two that are as long, how large its numbers are: 37 clients are fewer than 75.
fn size(plan: &Plan) -> (usize, u64) {
    let values = || plan.workload.iter().map(|argument| &argument.value);
    (values().map(|value| value.to_string().len()).sum(), values().map(sum).fold(0, u64::saturating_add))
}

fn sum(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_f64().map_or(0, |number| number.abs() as u64),
        Value::Array(elements) => elements.iter().map(sum).fold(0, u64::saturating_add),
        Value::Object(fields) => fields.values().map(sum).fold(0, u64::saturating_add),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}
