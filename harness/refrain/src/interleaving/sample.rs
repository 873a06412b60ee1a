//! Samples executions on all workers: the schedulers take turns, in slices with a seed each that get longer.
//!
//! The answer does not depend on how many workers there are: of several failures the one of the first slice counts. A
//! scheduler that cannot go on is out from its first such slice on; the slices that it would have made are not made.

use super::budget::{Part, Share};
use crate::{
    engine::{Refusal, Workers, unexpected},
    job::{Answer, Job, Sampler, Search, Searched},
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
/// How many executions the first slice of each scheduler has. What is found early is found in few, whichever scheduler it is.
const SLICE_FIRST: u64 = 10;
/// How many executions a slice has at most. Each begins in a new process, which is slow at first.
const SLICE_MAX: u64 = 32_000;

#[derive(Default)]
struct WorkQueue {
    next: usize,
    done: Vec<Slice>,
    refused: Option<Refusal>,
}

/// A slice that was made.
struct Slice {
    nth: usize,
    searched: Searched,
    took: Duration,
}

/// Samples until the share of the budget is used up, an execution fails or no scheduler can go on.
pub(super) fn sample(workers: &mut dyn Workers, base: u64, share: Share<'_>) -> Result<Vec<Part>, Refusal> {
    let queue = Mutex::new(WorkQueue::default());
    let whole = share.left();
    thread::scope(|scope| {
        for worker in workers.all() {
            let queue = &queue;
            scope.spawn(move || {
                while let Some((slice, executions)) = take(queue, whole, share) {
                    let (by, _) = SAMPLERS[slice % SAMPLERS.len()];
                    let search = Search::Sample { by, seed: seed(base, slice), executions };
                    let asked = Instant::now();
                    let answer = worker.ask(&Job::Search(search));
                    put(queue, slice, answer, asked.elapsed(), share);
                }
            });
        }
    });
    let queue = queue.into_inner().expect("no worker panics");
    match queue.refused {
        Some(why) => Err(why),
        None => Ok(parts(&queue)),
    }
}

/// The first slice has the seed that was given: shuttle by itself makes the same executions with it.
fn seed(base: u64, slice: usize) -> u64 {
    if slice == 0 { base } else { seed_of(base, slice as u64) }
}

/// How many executions a slice has.
fn len(slice: usize) -> u64 {
    (SLICE_FIRST << (slice / SAMPLERS.len()).min(16)).min(SLICE_MAX)
}

/// The next slice, and how many executions of it are within the budget. That depends on its number only.
fn take(queue: &Mutex<WorkQueue>, whole: u64, share: Share<'_>) -> Option<(usize, u64)> {
    let mut queue = queue.lock().expect("no worker panics");
    loop {
        let slice = queue.next;
        let is_over = queue.refused.is_some() || queue.failed().is_some_and(|failed| failed < slice);
        if is_over || share.left() == 0 || (0..SAMPLERS.len()).all(|sampler| queue.limited(sampler).is_some()) {
            return None;
        }
        queue.next += 1;
        if queue.limited(slice % SAMPLERS.len()).is_none_or(|limited| slice <= limited) {
            let before: u64 = if whole == u64::MAX { 0 } else { (0..slice).map(len).sum() };
            let executions = len(slice).min(whole.saturating_sub(before));
            return (executions > 0).then_some((slice, executions));
        }
    }
}

fn put(queue: &Mutex<WorkQueue>, nth: usize, answer: Result<Answer, Refusal>, took: Duration, share: Share<'_>) {
    let mut queue = queue.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Searched(searched)) => {
            share.count(searched.executions);
            queue.done.push(Slice { nth, searched: *searched, took });
        }
        Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
        Ok(_) => queue.refused = Some(unexpected()),
    }
}

impl WorkQueue {
    /// The first slice in which this scheduler could not go on.
    fn limited(&self, sampler: usize) -> Option<usize> {
        let limited = |slice: &&Slice| slice.nth % SAMPLERS.len() == sampler && slice.searched.limit.is_some();
        self.done.iter().filter(limited).map(|slice| slice.nth).min()
    }

    /// The first slice with a failure, of those that count.
    fn failed(&self) -> Option<usize> {
        let failed = |slice: &&Slice| {
            let limited = self.limited(slice.nth % SAMPLERS.len());
            slice.searched.failed.is_some() && limited.is_none_or(|limited| slice.nth < limited)
        };
        self.done.iter().filter(failed).map(|slice| slice.nth).min()
    }
}

/// What one worker alone would have done, by scheduler.
fn parts(queue: &WorkQueue) -> Vec<Part> {
    let failed_at = queue.failed();
    let mut parts = vec![];
    for (sampler, (_, by)) in SAMPLERS.into_iter().enumerate() {
        let last = failed_at.into_iter().chain(queue.limited(sampler)).min().unwrap_or(usize::MAX);
        let counts = |slice: &&Slice| slice.nth % SAMPLERS.len() == sampler && slice.nth <= last;
        let slices: Vec<&Slice> = queue.done.iter().filter(counts).collect();
        if slices.is_empty() {
            continue;
        }
        let executions = slices.iter().map(|slice| slice.searched.executions).sum();
        let took: Duration = slices.iter().map(|slice| slice.took).sum();
        let limit = slices.iter().find_map(|slice| slice.searched.limit.clone());
        let failed =
            slices.iter().find(|slice| failed_at == Some(slice.nth)).and_then(|slice| slice.searched.failed.clone());
        let end = match (&failed, &limit) {
            (Some(_), _) => "found a failure".to_owned(),
            (None, Some(limit)) => format!("stopped: {limit}"),
            (None, None) => String::new(),
        };
        let searched = protocol::Searched { by: by.into(), executions, took_ms: took.as_millis() as u64, end };
        parts.push(Part { searched, failed, limit, is_exhaustive: false });
    }
    // What found it is the last that is told.
    parts.sort_by_key(|part| part.failed.is_some());
    parts
}

#[cfg(test)]
mod tests {
    use super::{super::budget::Budget, *};
    use crate::{
        engine::{Limit, ProgressSink},
        plan::Plan,
    };
    use std::sync::atomic::AtomicBool;

    fn slice(nth: usize, searched: Searched) -> Slice {
        Slice { nth, searched, took: Duration::ZERO }
    }

    fn limited(nth: usize) -> Slice {
        slice(nth, Searched { limit: Some("too many steps".into()), ..Searched::default() })
    }

    fn failed(nth: usize) -> Slice {
        slice(nth, Searched { executions: 1, failed: Some(Plan::default()), ..Searched::default() })
    }

    fn queue(next: usize, done: Vec<Slice>) -> Mutex<WorkQueue> {
        Mutex::new(WorkQueue { next, done, refused: None })
    }

    #[track_caller]
    fn check(queue: Mutex<WorkQueue>, next: Option<(usize, u64)>) {
        let sink = ProgressSink { progress: &|_| {}, stop: &AtomicBool::new(false) };
        let budget = Budget::new(Limit::Runs(1_000), sink, Instant::now());
        assert_eq!(take(&queue, 1_000, budget.up_to(1.0)), next);
    }

    #[test]
    fn a_scheduler_that_cannot_go_on_makes_no_more_slices() {
        check(queue(4, vec![]), Some((4, 20)));
        check(queue(4, vec![limited(0)]), Some((5, 20)));
        check(queue(4, vec![limited(0), limited(1), limited(3)]), Some((6, 20)));
    }

    #[test]
    fn sampling_ends_when_no_scheduler_can_go_on() {
        check(queue(4, vec![limited(0), limited(1), limited(2), limited(3)]), None);
    }

    #[test]
    fn a_failure_of_a_slice_that_one_worker_would_not_have_made_does_not_count() {
        let queue = WorkQueue { next: 9, done: vec![limited(0), failed(4), failed(5)], refused: None };
        assert_eq!(queue.failed(), Some(5));
        let parts = parts(&queue);
        assert_eq!(parts.iter().map(|part| part.failed.is_some()).collect::<Vec<_>>(), [false, true]);
    }
}
