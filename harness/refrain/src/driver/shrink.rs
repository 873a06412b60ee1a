//! Looks for a smaller plan with the same signature. A plan that fails another way is not a shrink.

use super::{Refusal, refused};
use crate::{
    plan::Plan,
    protocol::Progress,
    report::plan_summary,
    shrink::{
        minimize::ddmin,
        simplify::{simpler_faults, simpler_holds},
    },
    test::Test,
    verdict::Signature,
    worker::{
        Pool,
        job::{Answer, Job},
    },
};
use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How many rounds over workload, faults and holds are made at most; each round that helps is followed by another.
const ROUNDS_MAX: usize = 8;
/// How many fresh seeds are tried for a shorter failing run.
const SEEDS: u64 = 64;

/// What was found.
pub(crate) struct Smaller {
    pub plan: Plan,
    pub runs: u64,
    pub interrupted: bool,
}

/// One search.
struct Search<'a> {
    pool: &'a mut Pool,
    signature: Signature,
    best: Plan,
    runs: u64,
    deadline: Option<Instant>,
    stop: &'a AtomicBool,
    progress: &'a dyn Fn(Progress),
    refused: Option<Refusal>,
}

/// Shrinks a plan that fails with this signature, for at most `time` if that is given.
pub(crate) fn shrink(
    test: &Test,
    pool: &mut Pool,
    plan: &Plan,
    signature: Signature,
    time: Option<Duration>,
    stop: &AtomicBool,
    progress: &dyn Fn(Progress),
) -> Result<Smaller, Refusal> {
    let deadline = time.map(|time| Instant::now() + time);
    let mut search = Search { pool, signature, best: plan.clone(), runs: 0, deadline, stop, progress, refused: None };
    let broken_off = search.all(test).is_break();
    match search.refused {
        Some(why) => Err(why),
        None => Ok(Smaller { plan: search.best, runs: search.runs, interrupted: broken_off }),
    }
}

impl Search<'_> {
    fn all(&mut self, test: &Test) -> ControlFlow<()> {
        for _ in 0..ROUNDS_MAX {
            let before = self.best.clone();
            self.fewer_holds()?;
            self.fewer_faults()?;
            self.simpler_workload(test)?;
            self.simpler_faults_and_holds()?;
            if self.best == before {
                break;
            }
        }
        self.fresh_seeds()
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

    /// Walks proptest's way from what the seed draws to simpler values; a workload that was shrunk before, or whose
    /// strategy has changed since, is replaced only by one that fails and prints shorter.
    fn simpler_workload(&mut self, test: &Test) -> ControlFlow<()> {
        let Ok(mut workload) = test.workload(self.best.seed) else { return ControlFlow::Continue(()) };
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
        let answer = self.pool.ask(&Job::Try(plan.clone())).map_err(refused);
        self.runs += 1;
        let same = match answer {
            Ok(Answer::Ran(ran)) => ran.verdict.failure().is_some_and(|failure| failure.signature() == self.signature),
            // A smaller workload may not fit the test; that is no shrink.
            Ok(_) => false,
            Err(why) => {
                self.refused = Some(why);
                return ControlFlow::Break(());
            }
        };
        if same {
            self.best = plan;
        }
        let note = plan_summary(&self.best, 0);
        (self.progress)(Progress { doing: "shrinking".into(), runs: self.runs, of: None, note });
        ControlFlow::Continue(same)
    }

    fn go_on(&self) -> ControlFlow<()> {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || self.stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn size(plan: &Plan) -> usize {
    plan.workload.iter().map(|argument| argument.value.to_string().len()).sum()
}
