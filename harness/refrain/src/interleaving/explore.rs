//! Explores a model: samples its executions, then searches all of them, with more and more preemptions.

use super::{exhaust, model::Model, sample};
use crate::{
    engine::{Explored, Found, Limit, ProgressSink, Refusal, Workers, unexpected},
    event::Event,
    job::{Answer, Job, Ran, Source},
    plan::{Plan, Threads},
    protocol::{Progress, Searched},
    verdict::Signature,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// How many preemptions are allowed, one after the other, so that the first failure has the fewest.
const BOUNDS: [Option<u8>; 5] = [Some(0), Some(1), Some(2), Some(3), None];

/// How much is left to do, and for whom.
pub(crate) struct Budget<'a> {
    pub until: Limit,
    pub sink: ProgressSink<'a>,
    made: AtomicU64,
}

impl<'a> Budget<'a> {
    /// Nothing is done yet.
    pub fn new(until: Limit, sink: ProgressSink<'a>) -> Budget<'a> {
        Budget { until, sink, made: AtomicU64::new(0) }
    }

    /// How many executions may be made before `share`, which is a part of the whole, is used up; none if it is late.
    pub fn left(&self, share: f64, started: Instant) -> u64 {
        if self.sink.stops() {
            return 0;
        }
        match self.until {
            Limit::Runs(runs) => ((runs as f64 * share) as u64).saturating_sub(self.made.load(Relaxed)),
            Limit::Time(end) => {
                let whole = end.saturating_duration_since(started).as_secs_f64();
                if started.elapsed().as_secs_f64() < whole * share { u64::MAX } else { 0 }
            }
        }
    }

    pub fn add(&self, executions: u64) {
        let runs = self.made.fetch_add(executions, Relaxed) + executions;
        let of = if let Limit::Runs(of) = self.until { Some(of.max(runs)) } else { None };
        self.sink.tell(Progress { doing: "exploring".into(), runs, of, note: String::new() });
    }
}

/// One engine's part, and what it found.
pub(super) struct Part {
    pub searched: Searched,
    pub failed: Option<Plan>,
    /// Whether it says anything: not if the engine could not model the model.
    pub is_sound: bool,
}

/// Explores a model of which one execution is known to pass.
pub(super) fn explore(
    model: &Model,
    workers: &mut dyn Workers,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
) -> Result<Explored, Refusal> {
    let budget = Budget::new(until, sink);
    let (parts, found) = searched(model, workers, base, &budget, Instant::now())?;
    let runs = parts.iter().map(|part| part.searched.executions).sum();
    if found.is_none() && parts.iter().all(|part| !part.is_sound) {
        let whys = parts.iter().map(|part| format!("{}: {}", part.searched.by, part.searched.end));
        return Err(format!("no engine could explore the model:\n  {}", whys.collect::<Vec<_>>().join("\n  ")));
    }
    if let Some(last) = parts.last()
        && model.complete
        && found.is_none()
        && last.searched.end != Searched::COMPLETE
        && !sink.stops()
    {
        return Err(format!(
            "the model asks for a complete search, and {} did not come to its end: {}",
            last.searched.by, last.searched.end
        ));
    }
    Ok(Explored {
        runs,
        engines: parts.into_iter().map(|part| part.searched).collect(),
        found: found.map(|plan| Found { source: Source::Plan(Box::new(plan)), run: runs }),
        ..Explored::default()
    })
}

fn searched(
    model: &Model,
    workers: &mut dyn Workers,
    base: u64,
    budget: &Budget,
    started: Instant,
) -> Result<(Vec<Part>, Option<Plan>), Refusal> {
    let mut parts = vec![];
    if model.searcher != Some("loom") && model.preemptions.is_none() {
        let share = if model.searcher.is_some() { 1.0 } else { 0.5 };
        for part in sample::sample(workers, base, budget, share, started)? {
            let failed = part.failed.clone();
            parts.push(part);
            if failed.is_some() {
                return Ok((parts, failed));
            }
        }
    }
    if model.searcher == Some("shuttle") {
        return Ok((parts, None));
    }
    let bounds: Vec<Option<u8>> = match model.preemptions {
        None => BOUNDS.to_vec(),
        Some(most) => (0..=most).map(Some).collect(),
    };
    let mut total_order = false;
    let mut at = 0;
    while at < bounds.len() {
        let last = at + 1 == bounds.len();
        // Each bound gets its share of what is left.
        let share = (parts_done(budget, started) + 1.0 / (bounds.len() - at) as f64).min(1.0);
        let unlimited = last && model.complete;
        let share = exhaust::Share { budget, up_to: share, started, unlimited };
        let part = exhaust::exhaust(workers, bounds[at], total_order, share)?;
        let failed = part.failed.clone();
        let is_sound = part.is_sound;
        parts.push(part);
        if let Some(plan) = failed {
            let ran = record(workers, plan.clone())?;
            let possible = match ran.verdict.failure() {
                Some(failure) if has_seq_cst(&ran.events) => is_possible(workers, &ran.plan, &failure.signature())?,
                _ => true,
            };
            if possible {
                return Ok((parts, Some(plan)));
            }
            // Once more, with the one order that loom does not model by itself.
            let part = parts.last_mut().expect("it was just pushed");
            let what = ran.verdict.failure().map_or("a failure", |failure| failure.class.name());
            part.searched.end = format!("{what} not confirmed: loom does not model SeqCst accesses");
            part.failed = None;
            total_order = true;
            continue;
        }
        if !is_sound {
            break;
        }
        at += 1;
    }
    Ok((parts, None))
}

/// How much of the whole budget is used, from 0 to 1.
fn parts_done(budget: &Budget, started: Instant) -> f64 {
    match budget.until {
        Limit::Runs(0) => 1.0,
        Limit::Runs(runs) => (budget.made.load(Relaxed) as f64 / runs as f64).min(1.0),
        Limit::Time(end) => {
            let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
            let gone = started.elapsed().as_secs_f64();
            gone / (gone + left).max(f64::MIN_POSITIVE)
        }
    }
}

fn record(workers: &mut dyn Workers, plan: Plan) -> Result<Ran, Refusal> {
    match workers.ask(&Job::Record { source: Source::Plan(Box::new(plan)), until: None })? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) => Err(unexpected()),
    }
}

/// Whether an execution has accesses whose total order could forbid it.
fn has_seq_cst(events: &[Event]) -> bool {
    events.iter().any(|event| event.text.contains("SeqCst") && !event.text.starts_with("fence("))
}

/// Whether what loom found fails in the same way when `SeqCst` operations are kept in one order. It does, where that cannot
/// be told.
pub(super) fn is_possible(workers: &mut dyn Workers, plan: &Plan, signature: &Signature) -> Result<bool, Refusal> {
    let Some(Threads::Choices { choices, total_order: false }) = &plan.threads else { return Ok(true) };
    let threads = Some(Threads::Choices { choices: choices.clone(), total_order: true });
    match workers.ask(&Job::Try(Plan { threads, ..Plan::default() }))? {
        Answer::Ran(ran) => Ok(ran.verdict.failure().is_some_and(|failure| failure.signature() == *signature)),
        _ => Ok(true),
    }
}
