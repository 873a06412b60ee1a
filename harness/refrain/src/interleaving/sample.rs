//! Samples executions on all workers, a scheduler after the other, in slices with a seed each.
//!
//! The answer does not depend on how many workers there are: of several failures the one of the first slice counts.

use super::explore::{Budget, Part};
use crate::{
    engine::{Refusal, Workers, unexpected},
    job::{Answer, Job, Sampler, Search, Searched},
    plan::Plan,
    protocol,
    seed::seed_of,
};
use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// The schedulers, in the order in which they take turns.
const SAMPLERS: [(Sampler, &str); 4] = [
    (Sampler::Random, "shuttle, random"),
    (Sampler::Pct(2), "shuttle, PCT of depth 2"),
    (Sampler::Pct(3), "shuttle, PCT of depth 3"),
    (Sampler::Walk, "shuttle, uniform random walk"),
];
/// How many executions a slice has at most, and the first ones: what is found at once is found in few. Each begins in a new
/// process, which is slow at first.
const SLICE_MAX: u64 = 32_000;
const SLICE_FIRST: u64 = 100;

#[derive(Default)]
struct WorkQueue {
    next: usize,
    done: Vec<(usize, Searched, Duration)>,
    failed: Option<usize>,
    handed_out: u64,
    refused: Option<Refusal>,
}

/// Samples until the share of the budget is used up or an execution fails.
pub(super) fn sample(
    workers: &mut dyn Workers,
    base: u64,
    budget: &Budget,
    share: f64,
    started: Instant,
) -> Result<Vec<Part>, Refusal> {
    let queue = Mutex::new(WorkQueue::default());
    let whole = budget.left(share, started);
    thread::scope(|scope| {
        for worker in workers.all() {
            let queue = &queue;
            scope.spawn(move || {
                while let Some((slice, executions)) = take(queue, whole, budget, share, started) {
                    let (by, _) = SAMPLERS[slice % SAMPLERS.len()];
                    let search = Search::Sample { by, seed: seed(base, slice), executions };
                    let asked = Instant::now();
                    let answer = worker.ask(&Job::Search(search));
                    put(queue, slice, answer, asked.elapsed(), budget);
                }
            });
        }
    });
    let queue = queue.into_inner().expect("no worker panics");
    match queue.refused {
        Some(why) => Err(why),
        None => Ok(parts(queue)),
    }
}

/// The first slice has the seed that was given: shuttle by itself makes the same executions with it.
fn seed(base: u64, slice: usize) -> u64 {
    if slice == 0 { base } else { seed_of(base, slice as u64) }
}

fn take(queue: &Mutex<WorkQueue>, whole: u64, budget: &Budget, share: f64, started: Instant) -> Option<(usize, u64)> {
    let mut queue = queue.lock().expect("no worker panics");
    if queue.failed.is_some() || queue.refused.is_some() || budget.left(share, started) == 0 {
        return None;
    }
    let slice = queue.next;
    let executions = (SLICE_FIRST << (slice / SAMPLERS.len()).min(16)).min(SLICE_MAX).min(whole - queue.handed_out);
    queue.next += 1;
    queue.handed_out += executions;
    (executions > 0).then_some((slice, executions))
}

fn put(queue: &Mutex<WorkQueue>, slice: usize, answer: Result<Answer, Refusal>, took: Duration, budget: &Budget) {
    let mut queue = queue.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Searched(searched)) => {
            budget.add(searched.executions);
            if searched.failed.is_some() {
                queue.failed = Some(queue.failed.map_or(slice, |failed| failed.min(slice)));
            }
            queue.done.push((slice, *searched, took));
        }
        Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
        Ok(_) => queue.refused = Some(unexpected()),
    }
}

/// What one worker alone would have done, by scheduler.
fn parts(queue: WorkQueue) -> Vec<Part> {
    let counts = |slice: usize| queue.failed.is_none_or(|failed| slice <= failed);
    let mut parts = vec![];
    for (nth, (_, by)) in SAMPLERS.into_iter().enumerate() {
        let (mut executions, mut took) = (0, Duration::ZERO);
        let mut failed: Option<Plan> = None;
        let mut limit = None;
        let own = |slice: usize| slice % SAMPLERS.len() == nth && counts(slice);
        for (slice, searched, its) in queue.done.iter().filter(|(slice, ..)| own(*slice)) {
            executions += searched.executions;
            took += *its;
            limit = limit.or(searched.limit.clone());
            if queue.failed == Some(*slice) {
                failed.clone_from(&searched.failed);
            }
        }
        if executions == 0 && limit.is_none() {
            continue;
        }
        let end = match (&failed, &limit) {
            (Some(_), _) => "found a failure".to_owned(),
            (None, Some(limit)) => format!("stopped: {limit}"),
            (None, None) => String::new(),
        };
        let searched = protocol::Searched { by: by.into(), executions, took_ms: took.as_millis() as u64, end };
        parts.push(Part { searched, failed, is_sound: limit.is_none() });
    }
    // What found it is the last that is told.
    parts.sort_by_key(|part| part.failed.is_some());
    parts
}
