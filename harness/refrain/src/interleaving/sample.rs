//! Samples executions on all workers: the schedulers take turns, in slices of increasing length, each with its own
//! seed.
//!
//! The result does not depend on the number of workers: of several failures, the one in the first slice counts. A
//! scheduler that reaches a limit is excluded from that slice on, and its later slices are not executed.

use super::{
    budget::{Part, Share},
    searcher::Searcher,
    shuttle::Shuttle,
};
use crate::{
    engine::{Ask, Prefix, Refusal, Sum, Workers, unexpected},
    job::{Answer, Job, Search, Searched},
    plan::Plan,
    protocol::{self, EngineLimit, How, Sampler, SearchEnd},
    seed::seed_of,
};
use std::{
    ops::Range,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// The schedulers, in the order in which they take turns.
const SAMPLERS: [Sampler; 5] = [Sampler::Directed, Sampler::Pct(3), Sampler::Walk, Sampler::Random, Sampler::Pct(2)];
/// Number of executions in the first slice of each scheduler: small, so that easy bugs are found quickly by any of
/// them.
const SLICE_FIRST: u64 = 16;
/// Number of slices in which each scheduler has one.
pub(super) const ROUND: usize = SAMPLERS.len();
/// Maximum number of executions in a slice. Each slice starts in a new process, which is slow at first.
const SLICE_MAX: u64 = 32_000;

/// State shared by the workers.
#[derive(Default)]
struct WorkQueue {
    /// The first slice, and the next one.
    first: usize,
    next: usize,
    /// The results of a single worker.
    done: Prefix<Slices>,
    /// The first slice in which each scheduler reached a limit.
    limited: [Option<usize>; SAMPLERS.len()],
    /// The slices with a failure.
    failed: Vec<usize>,
    refused: Option<Refusal>,
}

/// The results of slices, by scheduler.
#[derive(Debug, Default)]
struct Slices([Sampled; SAMPLERS.len()]);

/// The result of one scheduler.
#[derive(Debug, Default)]
struct Sampled {
    executions: u64,
    abandoned: u64,
    took: Duration,
    failed: Option<Plan>,
    limit: Option<EngineLimit>,
}

impl Sum for Slices {
    fn add(&mut self, next: Slices) {
        for (sum, next) in self.0.iter_mut().zip(next.0).filter(|(sum, _)| sum.limit.is_none()) {
            sum.executions += next.executions;
            sum.abandoned += next.abandoned;
            sum.took += next.took;
            sum.failed = next.failed;
            sum.limit = next.limit;
        }
    }

    fn is_last(&self) -> bool {
        self.0.iter().any(|sampled| sampled.failed.is_some())
    }
}

/// Samples until the share of the budget is used up, an execution fails or every scheduler has reached a limit. Starts
/// with slice `next`, and sets it to the one that would come next.
pub(super) fn sample(
    workers: &mut dyn Workers,
    base: u64,
    share: Share<'_>,
    next: &mut usize,
) -> Result<Vec<Part>, Refusal> {
    let first = *next;
    let queue = Mutex::new(WorkQueue { first, next: first, ..WorkQueue::default() });
    let whole = share.left();
    thread::scope(|scope| {
        for worker in workers.all() {
            let queue = &queue;
            scope.spawn(move || work(worker, queue, base, whole, share));
        }
    });
    let queue = queue.into_inner().expect("no worker panics");
    let mut left = whole;
    while left > 0 && *next < queue.next {
        left = left.saturating_sub(len(*next));
        *next += 1;
    }
    match queue.refused {
        Some(why) => Err(why),
        None => Ok(parts(queue.done.sum())),
    }
}

fn work(worker: &mut dyn Ask, queue: &Mutex<WorkQueue>, base: u64, whole: u64, share: Share<'_>) {
    while !queue.lock().expect("no worker panics").is_over(share) {
        let Some(slot) = worker.slot() else { continue };
        let Some((slice, executions)) = take(queue, whole, share) else { break };
        let by = SAMPLERS[slice % SAMPLERS.len()];
        let turn = (slice / SAMPLERS.len()) as u64;
        let search = Search::Sample { by, seed: seed(base, slice), executions, turn };
        let asked = Instant::now();
        let answer = worker.ask(&Job::Search(search), slot);
        put(queue, slice, answer, asked.elapsed(), share);
    }
}

/// Returns the seed of a slice.
fn seed(base: u64, slice: usize) -> u64 {
    seed_of(base, slice as u64)
}

/// Returns the number of executions in a slice.
fn len(slice: usize) -> u64 {
    (SLICE_FIRST << (slice / SAMPLERS.len()).min(16)).min(SLICE_MAX)
}

/// Takes the next slice, with the number of its executions within the budget, which depends only on the slice's number.
fn take(queue: &Mutex<WorkQueue>, whole: u64, share: Share<'_>) -> Option<(usize, u64)> {
    let mut queue = queue.lock().expect("no worker panics");
    while !queue.is_over(share) {
        let slice = queue.next;
        queue.next += 1;
        if queue.limited[slice % SAMPLERS.len()].is_none_or(|limited| slice <= limited) {
            let before: u64 = if whole == u64::MAX { 0 } else { (queue.first..slice).map(len).sum() };
            let executions = len(slice).min(whole.saturating_sub(before));
            return (executions > 0).then_some((slice, executions));
        }
        let range = queue.range(slice);
        queue.done.put(range, Slices::default());
    }
    None
}

fn put(queue: &Mutex<WorkQueue>, slice: usize, answer: Result<Answer, Refusal>, took: Duration, share: Share<'_>) {
    let mut queue = queue.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Searched(searched)) => {
            share.count(searched.executions);
            queue.add(slice, *searched, took);
        }
        Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
        Ok(_) => queue.refused = Some(unexpected()),
    }
}

impl WorkQueue {
    fn range(&self, slice: usize) -> Range<u64> {
        let nth = (slice - self.first) as u64;
        nth..nth + 1
    }

    /// Returns whether no further slice is needed.
    fn is_over(&self, share: Share<'_>) -> bool {
        let has_failed = self.failed().is_some_and(|failed| failed < self.next);
        self.refused.is_some() || has_failed || share.left() == 0 || self.limited.iter().all(Option::is_some)
    }

    /// Adds the result of a slice.
    fn add(&mut self, slice: usize, searched: Searched, took: Duration) {
        let Searched { executions, abandoned, failed, limit, .. } = searched;
        let sampler = slice % SAMPLERS.len();
        if limit.is_some() {
            self.limited[sampler] = self.limited[sampler].into_iter().chain([slice]).min();
        }
        if failed.is_some() {
            self.failed.push(slice);
        }
        let mut slices = Slices::default();
        slices.0[sampler] = Sampled { executions, abandoned, took, failed, limit };
        self.done.put(self.range(slice), slices);
    }

    /// Returns the first slice with a failure that counts.
    fn failed(&self) -> Option<usize> {
        let counts = |slice: &usize| self.limited[slice % SAMPLERS.len()].is_none_or(|limited| *slice < limited);
        self.failed.iter().copied().filter(counts).min()
    }
}

/// Returns the results by scheduler.
fn parts(slices: Slices) -> Vec<Part> {
    let mut parts = vec![];
    for (by, Sampled { executions, abandoned, took, failed, limit }) in SAMPLERS.into_iter().zip(slices.0) {
        if executions == 0 && limit.is_none() {
            continue;
        }
        let end = match (&failed, &limit) {
            (Some(_), _) => SearchEnd::Found,
            (None, Some(limit)) => SearchEnd::Limited(limit.clone()),
            (None, None) => SearchEnd::Budget,
        };
        let (engine, how, took_ms) = (Shuttle.version().name, How::Sampled(by), took.as_millis() as u64);
        parts.push(Part { searched: protocol::Searched { engine, how, executions, abandoned, took_ms, end }, failed });
    }
    // The scheduler that found the failure comes last.
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

    fn passed() -> Searched {
        Searched { executions: 1, ..Searched::default() }
    }

    fn limited() -> Searched {
        Searched { limit: Some(EngineLimit::TooManySteps), ..Searched::default() }
    }

    fn failed() -> Searched {
        Searched { failed: Some(Plan::default()), ..passed() }
    }

    fn queue(next: usize, done: Vec<(usize, Searched)>) -> WorkQueue {
        let mut queue = WorkQueue { next, ..WorkQueue::default() };
        for (slice, searched) in done {
            queue.add(slice, searched, Duration::ZERO);
        }
        queue
    }

    #[track_caller]
    fn check(queue: WorkQueue, next: Option<(usize, u64)>) {
        let sink = ProgressSink { progress: &|_| {}, stop: &AtomicBool::new(false) };
        let budget = Budget::new(Limit::Runs(1_000), sink, Instant::now());
        assert_eq!(take(&Mutex::new(queue), 1_000, budget.up_to(1.0)), next);
    }

    #[test]
    fn a_scheduler_that_cannot_go_on_makes_no_more_slices() {
        check(queue(5, vec![]), Some((5, 32)));
        check(queue(5, vec![(0, limited())]), Some((6, 32)));
        check(queue(5, vec![(0, limited()), (1, limited()), (3, limited())]), Some((7, 32)));
    }

    #[test]
    fn sampling_ends_when_no_scheduler_can_go_on() {
        check(queue(5, (0..5).map(|slice| (slice, limited())).collect()), None);
    }

    #[test]
    fn a_failure_of_a_slice_that_one_worker_would_not_have_made_does_not_count() {
        let others = [1, 2, 3, 4].map(|slice| (slice, passed()));
        let queue =
            queue(9, [(5, failed()), (0, limited())].into_iter().chain(others).chain([(6, failed())]).collect());
        assert_eq!(queue.failed(), Some(6));
        let parts = parts(queue.done.sum());
        assert_eq!(
            parts.iter().map(|part| part.failed.is_some()).collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
    }

    #[test]
    fn slices_that_are_not_made_leave_no_gap() {
        let sink = ProgressSink { progress: &|_| {}, stop: &AtomicBool::new(false) };
        let budget = Budget::new(Limit::Runs(2_000), sink, Instant::now());
        let queue =
            Mutex::new(queue(5, (0..5).map(|slice| (slice, if slice == 0 { limited() } else { passed() })).collect()));
        while let Some((slice, executions)) = take(&queue, 2_000, budget.up_to(1.0)) {
            let made = Searched { executions, ..Searched::default() };
            put(&queue, slice, Ok(Answer::Searched(Box::new(made))), Duration::ZERO, budget.up_to(1.0));
        }
        let executions = |part: &Part| part.searched.executions;
        let parts = parts(queue.into_inner().unwrap().done.sum());
        assert_eq!(parts.len(), 5);
        assert!(
            parts.iter().skip(1).all(|part| executions(part) > 100),
            "{:?}",
            parts.iter().map(executions).collect::<Vec<_>>()
        );
    }
}
