//! Explores: distributes batches of runs to all workers until the budget is used up or a run fails.
//!
//! The result does not depend on the number of workers: of several failures, the one with the lowest run number counts. It does not depend on how
//! runs are kept apart, either: where one was found to be another run in a process of its own, all are made again by fork.

use crate::{
    engine::{Ask, Explored, Found, Limit, Prefix, ProgressSink, Refusal, Sum, Workers, unexpected},
    job::{Answer, Batch, Job, Source},
    protocol::{Doing, Isolation, Progress},
    seed::seed_of,
};
use std::{
    ops::Range,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// Target duration of a batch: short enough for progress, long enough to make its overhead negligible.
const BATCH: Duration = Duration::from_millis(100);
/// Maximum number of runs in a batch.
const BATCH_RUNS_MAX: u64 = 512;

/// State shared by the workers.
#[derive(Default)]
struct WorkQueue {
    next: u64,
    /// Number of runs, and the number of the first failing run.
    runs: u64,
    failed: Option<u64>,
    /// Whether a run was another one in a process of its own.
    differs: bool,
    /// The result of a single worker: results after the failing run do not count.
    done: Prefix<Batch>,
    refused: Option<Refusal>,
}

impl Sum for Batch {
    fn add(&mut self, next: Batch) {
        self.runs += next.runs;
        self.coverage.add(&next.coverage);
        self.failed = next.failed;
    }

    fn is_last(&self) -> bool {
        self.failed.is_some()
    }
}

/// Explores from a base seed.
pub(super) fn explore(
    workers: &mut dyn Workers,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
) -> Result<Explored, Refusal> {
    let isolation = workers.isolation();
    let queue = all(workers, base, until, sink, isolation);
    let queue = if queue.differs { all(workers, base, until, sink, Isolation::Fork) } else { queue };
    if let Some(why) = queue.refused {
        return Err(why);
    }
    let Batch { runs, failed, coverage, .. } = queue.done.sum();
    let found = failed.map(|run| Found { source: Source::Seed(seed_of(base, run)), run: run + 1 });
    Ok(Explored { runs, coverage, found, ..Explored::default() })
}

/// Has all runs made, kept apart in this way.
fn all(workers: &mut dyn Workers, base: u64, until: Limit, sink: ProgressSink<'_>, isolation: Isolation) -> WorkQueue {
    let queue = Mutex::new(WorkQueue::default());
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in workers.all() {
            let queue = &queue;
            scope.spawn(move || work(worker, queue, (base, isolation), until, sink, started));
        }
    });
    queue.into_inner().expect("no worker panics")
}

fn work(
    worker: &mut dyn Ask,
    queue: &Mutex<WorkQueue>,
    (base, isolation): (u64, Isolation),
    until: Limit,
    sink: ProgressSink<'_>,
    started: Instant,
) {
    let mut count = 1;
    while queue.lock().expect("no worker panics").has_work(until, sink) {
        let Some(slot) = worker.slot() else { continue };
        let Some((first, count_now)) = take(queue, until, count, sink) else { break };
        let started_at = Instant::now();
        let answer = worker.ask(&Job::Explore { base, first, count: count_now, isolation }, slot);
        put(queue, first..first + count_now, answer);
        let took = started_at.elapsed().max(Duration::from_micros(1));
        let fitting = (BATCH.as_secs_f64() / took.as_secs_f64() * count_now as f64) as u64;
        count = fitting.clamp(1, BATCH_RUNS_MAX).min(count_now * 4);
        let runs = queue.lock().expect("no worker panics").runs;
        sink.report(progress(runs, until, started));
    }
}

impl WorkQueue {
    /// Batches are handed out in order: when a run has failed, all batches that could precede it are already out.
    fn has_work(&self, until: Limit, sink: ProgressSink<'_>) -> bool {
        let spent = match until {
            Limit::Runs(runs) => self.next >= runs,
            Limit::Time(end) => Instant::now() >= end,
        };
        !spent && self.refused.is_none() && self.failed.is_none() && !self.differs && !sink.stops()
    }
}

fn take(queue: &Mutex<WorkQueue>, until: Limit, count: u64, sink: ProgressSink<'_>) -> Option<(u64, u64)> {
    let mut queue = queue.lock().expect("no worker panics");
    if !queue.has_work(until, sink) {
        return None;
    }
    let left = if let Limit::Runs(runs) = until { runs - queue.next } else { u64::MAX };
    let first = queue.next;
    let count = count.min(left);
    queue.next += count;
    Some((first, count))
}

fn put(queue: &Mutex<WorkQueue>, batch: Range<u64>, answer: Result<Answer, Refusal>) {
    let mut queue = queue.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Explored(explored)) => {
            queue.runs += explored.runs;
            queue.differs |= explored.differ > 0;
            queue.failed = [queue.failed, explored.failed].into_iter().flatten().min();
            queue.done.put(batch, explored);
        }
        Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
        Ok(_) => queue.refused = Some(unexpected()),
    }
}

fn progress(runs: u64, until: Limit, started: Instant) -> Progress {
    let of = if let Limit::Runs(of) = until { Some(of) } else { None };
    let doing = match until {
        Limit::Runs(_) => Doing::Exploring,
        Limit::Time(end) => Doing::ExploringFor {
            gone_s: started.elapsed().as_secs(),
            of_s: end.saturating_duration_since(started).as_secs(),
        },
    };
    Progress { doing, runs, of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::Slot, protocol::Coverage};
    use std::{fs, sync::atomic::AtomicBool};

    /// A worker whose runs take no time and cover many things.
    struct Tireless;

    impl Ask for Tireless {
        fn slot(&mut self) -> Option<Slot> {
            Some(Slot::unbudgeted())
        }

        fn ask(&mut self, job: &Job, _slot: Slot) -> Result<Answer, Refusal> {
            let Job::Explore { first, count, .. } = *job else { return Err(unexpected()) };
            let sometimes = (0..100).map(|nth| (format!("property {nth} {}", "x".repeat(200)), count)).collect();
            let coverage = Coverage { sometimes, polls: first, ..Coverage::default() };
            Ok(Answer::Explored(Batch { runs: count, coverage, ..Batch::default() }))
        }
    }

    struct Team([Tireless; 3]);

    impl Workers for Team {
        fn all(&mut self) -> Vec<&mut dyn Ask> {
            self.0.iter_mut().map(|worker| worker as &mut dyn Ask).collect()
        }
    }

    /// Returns the resident memory of this process in MiB.
    fn resident_mib() -> u64 {
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4 / 1024
    }

    /// A batch's coverage takes 30 KiB here: keeping all 20,000 batches of ten million runs took 600 MiB.
    #[test]
    fn memory_does_not_grow_with_the_number_of_runs() {
        const RUNS: u64 = 10_000_000;
        let sink = ProgressSink { progress: &|_| {}, stop: &AtomicBool::new(false) };
        let before = resident_mib();
        let explored = explore(&mut Team([Tireless, Tireless, Tireless]), 1, Limit::Runs(RUNS), sink).unwrap();
        let grown = resident_mib().saturating_sub(before);
        assert_eq!(explored.runs, RUNS);
        assert!(explored.coverage.sometimes.values().all(|runs| *runs == RUNS));
        assert!(grown < 64, "{grown} MiB");
    }
}
