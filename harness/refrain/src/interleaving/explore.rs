//! Explores a model: first the executions with few preemptions, then samples, then all executions, with an increasing
//! number of preemptions.

use super::{
    budget::{Budget, Part, Share},
    exhaust,
    model::Model,
    sample,
};
use crate::{
    engine::{Explored, Found, Limit, ProgressSink, Refusal, Workers, unexpected},
    event::{Event, Kind},
    job::{Answer, Job, Ran, Source},
    plan::{Plan, Threads},
    protocol::{SearchEnd, Searched},
    report::searched,
    verdict::Signature,
};
use std::time::Instant;

/// The preemption bounds of the exhaustive search, in order, so that the first failure has the fewest preemptions.
const BOUNDS: [Option<u8>; 5] = [Some(0), Some(1), Some(2), Some(3), None];
/// Number of executions of the exhaustive search at its first bounds before sampling. They find most bugs that need an
/// old value or at most one preemption.
const FIRST_LOOK: [u64; 2] = [16, 32];
/// The fraction of the budget used for sampling, if the exhaustive search runs, too.
const SAMPLED: f64 = 0.5;

/// Explores a model of which one execution is known to pass.
pub(super) fn explore(
    model: &Model,
    workers: &mut dyn Workers,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
) -> Result<Explored, Refusal> {
    let budget = Budget::new(until, sink, Instant::now());
    let bounds = match model.preemptions {
        None => BOUNDS.to_vec(),
        Some(most) => (0..=most).map(Some).collect(),
    };
    let mut exploring =
        Exploring { model, workers, budget: &budget, bounds, parts: vec![], total_order: false, found: None };
    exploring.explore(base)?;
    let Exploring { parts, found, .. } = exploring;
    if found.is_none() {
        refuse_unexplored(model, &parts, sink)?;
    }
    let runs = parts.iter().map(|part| part.searched.executions).sum();
    Ok(Explored {
        runs,
        engines: parts.into_iter().map(|part| part.searched).collect(),
        found: found.map(|plan| Found { source: Source::Plan(Box::new(plan)), run: runs }),
        ..Explored::default()
    })
}

/// Nothing was found: fails if that is not a meaningful result.
fn refuse_unexplored(model: &Model, parts: &[Part], sink: ProgressSink<'_>) -> Result<(), Refusal> {
    if parts.iter().all(Part::is_limited) {
        let whys = parts.iter().map(|part| searched(&part.searched));
        return Err(format!("no engine could explore the model:\n  {}", whys.collect::<Vec<_>>().join("\n  ")));
    }
    match parts.iter().rfind(|part| part.is_exhaustive()) {
        Some(part) if model.complete && part.searched.end != SearchEnd::Complete && !sink.stops() => Err(format!(
            "the model asks for a complete search, and the exhaustive one did not come to its end: {}",
            searched(&part.searched)
        )),
        _ => Ok(()),
    }
}

/// An exploration in progress.
struct Exploring<'a> {
    model: &'a Model,
    workers: &'a mut dyn Workers,
    budget: &'a Budget<'a>,
    /// The bounds that are not completely searched.
    bounds: Vec<Option<u8>>,
    parts: Vec<Part>,
    /// Whether the exhaustive search keeps `SeqCst` operations in one total order.
    total_order: bool,
    found: Option<Plan>,
}

impl Exploring<'_> {
    /// Runs a short exhaustive search, then samples, then the exhaustive search to its end.
    fn explore(&mut self, base: u64) -> Result<(), Refusal> {
        let samples = self.model.searcher != Some("loom") && self.model.preemptions.is_none();
        let exhausts = self.model.searcher != Some("shuttle");
        if samples && exhausts {
            for most in FIRST_LOOK {
                if self.goes_on_exhausting() {
                    self.exhaust_first_bound(self.budget.executions(most))?;
                }
            }
        }
        if samples && self.found.is_none() && !self.bounds.is_empty() {
            let share = if exhausts && !self.is_limited() { SAMPLED } else { 1.0 };
            self.sample(base, self.budget.up_to(share))?;
        }
        while exhausts && self.goes_on_exhausting() {
            let unlimited = self.bounds.len() == 1 && self.model.complete;
            let share = self.budget.one_of(self.bounds.len()).unlimited(unlimited);
            if !self.exhaust_first_bound(share)? {
                // Its share is used up; the next bound has its own.
                self.bounds.remove(0);
            }
        }
        Ok(())
    }

    fn goes_on_exhausting(&self) -> bool {
        self.found.is_none() && !self.bounds.is_empty() && !self.is_limited()
    }

    /// Returns whether the exhaustive engine cannot explore the model.
    fn is_limited(&self) -> bool {
        self.parts.iter().any(|part| part.is_exhaustive() && part.is_limited())
    }

    fn sample(&mut self, base: u64, share: Share<'_>) -> Result<(), Refusal> {
        for part in sample::sample(self.workers, base, share)? {
            let failed = part.failed.clone();
            self.parts.push(part);
            self.found = self.found.take().or(failed);
        }
        Ok(())
    }

    /// Searches with the first remaining bound; returns whether that is complete.
    fn exhaust_first_bound(&mut self, share: Share<'_>) -> Result<bool, Refusal> {
        loop {
            let mut part = exhaust::exhaust(self.workers, self.bounds[0], self.total_order, share)?;
            let Some(plan) = part.failed.take() else {
                let is_done = part.searched.end == SearchEnd::Complete;
                if is_done {
                    self.bounds.remove(0);
                }
                self.add(part);
                return Ok(is_done);
            };
            let ran = record(self.workers, plan.clone())?;
            let is_impossible = match ran.verdict.failure() {
                Some(failure) if has_seq_cst(&ran.events) => {
                    !is_possible(self.workers, &ran.plan, &failure.signature())?
                }
                _ => false,
            };
            if let Some(failure) = ran.verdict.failure().filter(|_| is_impossible) {
                // Searches again with the total order, which loom itself does not model.
                part.searched.end = SearchEnd::NotConfirmed(failure.class);
                self.total_order = true;
            }
            self.add(part);
            if !is_impossible {
                self.found = Some(plan);
                return Ok(true);
            }
        }
    }

    /// Adds a part to earlier ones of the same kind. The one that found a failure comes last.
    fn add(&mut self, mut part: Part) {
        if let Some(at) = self.parts.iter().position(|earlier| is_same_search(&earlier.searched, &part.searched)) {
            let earlier = self.parts.remove(at).searched;
            part.searched.executions += earlier.executions;
            part.searched.took_ms += earlier.took_ms;
        }
        self.parts.push(part);
    }
}

fn is_same_search(one: &Searched, other: &Searched) -> bool {
    (&one.engine, one.how) == (&other.engine, other.how)
}

fn record(workers: &mut dyn Workers, plan: Plan) -> Result<Ran, Refusal> {
    match workers.ask(&Job::Record { source: Source::Plan(Box::new(plan)), until: None })? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) => Err(unexpected()),
    }
}

/// Returns whether an execution has accesses that a total order could forbid.
fn has_seq_cst(events: &[Event]) -> bool {
    events.iter().any(|event| match &event.kind {
        Kind::Step(step) => step.does.is_seq_cst_access(),
        _ => false,
    })
}

/// Returns whether a failure found by loom remains the same when `SeqCst` operations are kept in one total order, or
/// whether that is unknown.
pub(super) fn is_possible(workers: &mut dyn Workers, plan: &Plan, signature: &Signature) -> Result<bool, Refusal> {
    let Some(Threads::Choices { choices, total_order: false }) = &plan.threads else { return Ok(true) };
    let threads = Some(Threads::Choices { choices: choices.clone(), total_order: true });
    match workers.ask(&Job::Try(Plan { threads, ..Plan::default() }))? {
        Answer::Ran(ran) => Ok(ran.verdict.failure().is_some_and(|failure| failure.signature() == *signature)),
        _ => Ok(true),
    }
}
