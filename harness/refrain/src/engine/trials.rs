//! Tries plans while a failing one is shrunk. A plan that fails in another way is not a smaller plan.

use super::workers::{ProgressSink, Refusal, Workers};
use crate::{
    job::{Answer, Job},
    plan::Plan,
    protocol::Progress,
    report::plan_summary,
    verdict::Signature,
};
use std::{ops::ControlFlow, time::Instant};

/// What was found.
#[derive(Debug)]
pub struct Smaller {
    /// The smallest plan that fails in the same way.
    pub plan: Plan,
    /// How many runs were made.
    pub runs: u64,
    /// Whether it was stopped before it was done.
    pub interrupted: bool,
    /// What else is known of smaller plans, human-readable.
    pub note: String,
}

/// A run that fails in the same way.
#[derive(Debug)]
pub struct Fails {
    /// Its plan.
    pub plan: Plan,
    /// How many polls it made: how much happened in it.
    pub polls: u64,
}

/// The runs that one shrink makes.
pub struct Trials<'a> {
    /// Who makes them.
    pub workers: &'a mut dyn Workers,
    /// How they must fail.
    pub signature: Signature,
    /// When to stop.
    pub deadline: Option<Instant>,
    /// Who waits for it.
    pub sink: ProgressSink<'a>,
    /// How many were made.
    pub runs: u64,
    refused: Option<Refusal>,
}

impl<'a> Trials<'a> {
    /// No run was made yet.
    pub fn new(
        workers: &'a mut dyn Workers,
        signature: Signature,
        deadline: Option<Instant>,
        sink: ProgressSink<'a>,
    ) -> Trials<'a> {
        Trials { workers, signature, deadline, sink, runs: 0, refused: None }
    }

    /// Breaks if it is late or somebody stops it.
    pub fn go_on(&self) -> ControlFlow<()> {
        let over = self.sink.stops() || self.refused.is_some();
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Makes one run; what of it, if it fails in the same way. `best` is the smallest one yet.
    pub fn ask(&mut self, job: &Job, best: &Plan) -> ControlFlow<(), Option<Fails>> {
        self.go_on()?;
        let answer = self.workers.ask(job);
        self.runs += 1;
        let note = plan_summary(best, 0);
        self.sink.tell(Progress { doing: "shrinking".into(), runs: self.runs, of: None, note });
        match answer {
            Ok(Answer::Ran(ran)) => {
                let same = ran.verdict.failure().is_some_and(|failure| failure.signature() == self.signature);
                ControlFlow::Continue(same.then_some(Fails { plan: ran.plan, polls: ran.coverage.polls }))
            }
            // A smaller workload may not fit the test; that is no shrink.
            Ok(_) => ControlFlow::Continue(None),
            Err(why) => {
                self.refused = Some(why);
                ControlFlow::Break(())
            }
        }
    }

    /// What was found, or why it could not be looked for.
    ///
    /// # Errors
    /// If a worker refused.
    pub fn end(self, plan: Plan, interrupted: bool) -> Result<Smaller, Refusal> {
        match self.refused {
            Some(why) => Err(why),
            None => Ok(Smaller { plan, runs: self.runs, interrupted, note: String::new() }),
        }
    }
}
