//! Explores a model: first a few samples and the executions with few preemptions in turn, then samples, then all
//! executions, with an increasing number of preemptions.

use super::{
    AGAIN,
    budget::{Budget, Part, Share},
    exhaust::{self, Parts},
    model::Model,
    sample,
};
use crate::{
    engine::{Ask, Explored, FirstRun, Found, Limit, ProgressSink, Refusal, Workers, unexpected},
    job::{Answer, Job, Ran, Source},
    plan::{Plan, Threads},
    protocol::{SearchEnd, Searched},
    report::searched,
    verdict::Signature,
};
use std::time::Instant;

/// The preemption bounds of the exhaustive search, in order, so that the first failure has the fewest preemptions.
const BOUNDS: [Option<u8>; 5] = [Some(0), Some(1), Some(2), Some(3), None];
/// Numbers of executions that are sampled and searched exhaustively in turn before anything else. Most bugs show in the
/// first executions of one of the two. Samples read few of the old values that the exhaustive search does.
const FIRST_TURNS: [(u64, u64); 2] = [(5, 10), (32, 32)];
/// Maximum number of preemptions in those of the exhaustive search.
const FIRST_PREEMPTIONS: u8 = 1;
/// Number of executions of the first run: it is repeated after itself.
const FIRST_RUN: u64 = 1 + 2 * AGAIN as u64;
/// The fraction of the budget used for sampling, if the exhaustive search runs, too.
const SAMPLED: f64 = 0.5;

/// Explores a model. Calls `first_passes` after the first executions, unless one of them fails.
pub(super) fn explore(
    model: &Model,
    workers: &mut dyn Workers,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
    first_passes: &mut FirstRun<'_>,
) -> Result<Explored, Refusal> {
    let budget = Budget::new(until, sink, Instant::now());
    let bounds = match model.preemptions {
        None => BOUNDS.to_vec(),
        Some(most) => (0..=most).map(Some).collect(),
    };
    let mut exploring = Exploring {
        model,
        workers,
        budget: &budget,
        bounds,
        parts: vec![],
        stopped_at: None,
        next_slice: 0,
        repeats: 0,
        total_order: false,
        found: None,
    };
    exploring.explore(base, first_passes)?;
    let Exploring { parts, repeats, found, .. } = exploring;
    if found.is_none() {
        refuse_unexplored(model, &parts, sink)?;
    }
    let searched: u64 = parts.iter().map(|part| part.searched.executions).sum();
    // All executions before the failure count.
    let runs = if found.is_some() { searched + repeats } else { searched };
    Ok(Explored {
        runs,
        engines: parts.into_iter().map(|part| part.searched).collect(),
        found: found.map(|plan| Found { source: Source::Plan(Box::new(plan)), run: runs }),
        ..Explored::default()
    })
}

/// Nothing was found: fails if that is not a meaningful result.
fn refuse_unexplored(model: &Model, parts: &[Part], sink: ProgressSink<'_>) -> Result<(), Refusal> {
    if !parts.is_empty() && parts.iter().all(Part::is_limited) {
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

/// The first of the workers.
struct One<'a>(&'a mut dyn Workers);

impl Workers for One<'_> {
    fn all(&mut self) -> Vec<&mut dyn Ask> {
        self.0.all().into_iter().take(1).collect()
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
    /// Where the search with the first remaining bound stopped.
    stopped_at: Option<Parts>,
    /// The next slice of samples.
    next_slice: usize,
    /// Number of executions of the first run and its repetitions.
    repeats: u64,
    /// Whether the exhaustive search keeps `SeqCst` operations in one total order.
    total_order: bool,
    found: Option<Plan>,
}

impl Exploring<'_> {
    /// Runs samples and the exhaustive search in turn, then samples, then the exhaustive search to its end.
    fn explore(&mut self, base: u64, first_passes: &mut FirstRun<'_>) -> Result<(), Refusal> {
        let samples = self.model.searcher != Some("loom") && self.model.preemptions.is_none();
        let exhausts = self.model.searcher != Some("shuttle");
        if samples && exhausts {
            self.take_turns(base)?;
        }
        if self.found.is_some() || !first_passes(self.workers)? {
            return Ok(());
        }
        self.repeats = FIRST_RUN;
        if samples && self.found.is_none() && !self.bounds.is_empty() {
            let share = if exhausts && !self.is_limited() { SAMPLED } else { 1.0 };
            self.sample(base, self.budget.up_to(share))?;
        }
        while exhausts && self.goes_on_exhausting() {
            let unlimited = self.bounds.len() == 1 && self.model.complete;
            let share = self.budget.one_of(self.bounds.len()).unlimited(unlimited);
            if !self.exhaust_first_bound(share, false)? {
                // Its share is used up; the next bound has its own.
                self.next_bound();
            }
        }
        Ok(())
    }

    fn take_turns(&mut self, base: u64) -> Result<(), Refusal> {
        for (turn, (sampled, searched)) in FIRST_TURNS.into_iter().enumerate() {
            if self.found.is_none() && !self.bounds.is_empty() {
                // Each turn begins with the first scheduler.
                self.next_slice = turn * sample::ROUND;
                self.sample(base, self.budget.executions(sampled))?;
            }
            let share = self.budget.executions(searched);
            while share.left() > 0
                && self.goes_on_exhausting()
                && self.bounds[0].is_some_and(|bound| bound <= FIRST_PREEMPTIONS)
            {
                // By one worker, so that the next turn can resume where it stops.
                self.exhaust_first_bound(share, true)?;
            }
        }
        Ok(())
    }

    fn next_bound(&mut self) {
        self.bounds.remove(0);
        self.stopped_at = None;
    }

    fn goes_on_exhausting(&self) -> bool {
        self.found.is_none() && !self.bounds.is_empty() && !self.is_limited()
    }

    /// Returns whether the exhaustive engine cannot explore the model.
    fn is_limited(&self) -> bool {
        self.parts.iter().any(|part| part.is_exhaustive() && part.is_limited())
    }

    fn sample(&mut self, base: u64, share: Share<'_>) -> Result<(), Refusal> {
        for part in sample::sample(self.workers, base, share, &mut self.next_slice)? {
            let failed = part.failed.clone();
            self.add(part);
            self.found = self.found.take().or(failed);
        }
        Ok(())
    }

    /// Searches with the first remaining bound; returns whether that is complete.
    fn exhaust_first_bound(&mut self, share: Share<'_>, alone: bool) -> Result<bool, Refusal> {
        loop {
            let from = self.stopped_at.take();
            let mut one = One(self.workers);
            let workers = if alone { &mut one as &mut dyn Workers } else { &mut *one.0 };
            let (mut part, stopped_at) = exhaust::resume(workers, self.bounds[0], self.total_order, share, from)?;
            let Some(plan) = part.failed.take() else {
                let is_done = part.searched.end == SearchEnd::Complete;
                if is_done {
                    self.next_bound();
                } else {
                    self.stopped_at = Some(stopped_at);
                }
                self.add(part);
                return Ok(is_done);
            };
            let ran = record(self.workers, plan.clone())?;
            let is_impossible = match ran.verdict.failure() {
                Some(failure) => !is_possible(self.workers, &ran.plan, &failure.signature())?,
                None => false,
            };
            if let Some(failure) = ran.verdict.failure().filter(|_| is_impossible) {
                // Searches again, and abandons executions that do not exist.
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
            part.searched.abandoned += earlier.abandoned;
            part.searched.took_ms += earlier.took_ms;
        }
        self.parts.push(part);
    }
}

fn is_same_search(one: &Searched, other: &Searched) -> bool {
    (&one.engine, one.how) == (&other.engine, other.how)
}

fn record(workers: &mut dyn Workers, plan: Plan) -> Result<Ran, Refusal> {
    match workers.ask(&Job::Record { source: Source::Plan(Box::new(plan)), until: None, locate: None })? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) | Answer::Stopped(_) => Err(unexpected()),
    }
}

/// Returns whether a failure found by loom remains the same when only executions that exist are allowed, or whether that
/// is unknown.
pub(super) fn is_possible(workers: &mut dyn Workers, plan: &Plan, signature: &Signature) -> Result<bool, Refusal> {
    let Some(Threads::Choices { choices, total_order: false }) = &plan.threads else { return Ok(true) };
    let threads = Some(Threads::Choices { choices: choices.clone(), total_order: true });
    match workers.ask(&Job::Try(Plan { threads, ..Plan::default() }))? {
        Answer::Ran(ran) => Ok(ran.verdict.failure().is_some_and(|failure| failure.signature() == *signature)),
        _ => Ok(true),
    }
}
