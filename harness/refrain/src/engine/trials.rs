//! Tries plans while shrinking a failure. A plan that fails in a different way is not a smaller plan.

use super::workers::{ProgressSink, Refusal, Workers};
use crate::{
    job::{Answer, Job},
    plan::Plan,
    protocol::{Doing, Fewest, Progress},
    verdict::Signature,
};
use std::{ops::ControlFlow, time::Instant};

/// The result of shrinking.
#[derive(Debug)]
pub struct Smaller {
    /// The smallest plan found that fails in the same way.
    pub plan: Plan,
    /// Number of runs.
    pub runs: u64,
    /// Whether it was stopped early.
    pub interrupted: bool,
    /// For a model: how few preemptions are enough, if that was determined.
    pub fewest: Option<Fewest>,
}

/// A run that fails in the same way.
#[derive(Debug)]
pub struct Fails {
    /// Its plan.
    pub plan: Plan,
    /// Its number of polls: a measure of how much happens in it.
    pub polls: u64,
}

/// The runs of one shrink.
pub struct Trials<'a> {
    /// The workers that execute them.
    pub workers: &'a mut dyn Workers,
    /// The signature that a failure must have.
    pub signature: Signature,
    /// When to stop.
    pub deadline: Option<Instant>,
    /// Receives progress, and may request a stop.
    pub sink: ProgressSink<'a>,
    /// Number of runs so far.
    pub runs: u64,
    refused: Option<Refusal>,
}

impl<'a> Trials<'a> {
    /// Starts with no runs.
    pub fn new(
        workers: &'a mut dyn Workers,
        signature: Signature,
        deadline: Option<Instant>,
        sink: ProgressSink<'a>,
    ) -> Trials<'a> {
        Trials { workers, signature, deadline, sink, runs: 0, refused: None }
    }

    /// Breaks if the deadline has passed or a stop was requested.
    pub fn go_on(&self) -> ControlFlow<()> {
        let over = self.sink.stops() || self.refused.is_some();
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Executes one run and returns it if it fails in the same way. `best` is the smallest plan so far.
    pub fn ask(&mut self, job: &Job, best: &Plan) -> ControlFlow<(), Option<Fails>> {
        self.go_on()?;
        let answer = self.workers.ask(job);
        self.runs += 1;
        let doing = Doing::Shrinking { best: Box::new(best.clone()) };
        self.sink.report(Progress { doing, runs: self.runs, of: None });
        match answer {
            Ok(Answer::Ran(ran)) => {
                let same = ran.verdict.failure().is_some_and(|failure| failure.signature() == self.signature);
                ControlFlow::Continue(same.then_some(Fails { plan: ran.plan, polls: ran.coverage.polls }))
            }
            // A smaller workload may be invalid for the test; then it is no shrink.
            Ok(_) => ControlFlow::Continue(None),
            Err(why) => {
                self.refused = Some(why);
                ControlFlow::Break(())
            }
        }
    }

    /// Returns the result, or the error that prevented the search.
    ///
    /// # Errors
    /// Fails if a worker refused a job.
    pub fn end(self, plan: Plan, interrupted: bool) -> Result<Smaller, Refusal> {
        match self.refused {
            Some(why) => Err(why),
            None => Ok(Smaller { plan, runs: self.runs, interrupted, fewest: None }),
        }
    }
}
