//! Explores: hands out batches of runs to all workers until the budget is spent or one fails.
//!
//! The answer does not depend on how many workers there are: of several failures the one with the lowest number counts.

use crate::{
    engine::{Explored, Found, Limit, ProgressSink, Refusal, Workers, unexpected},
    job::{Answer, Batch, Job, Source},
    protocol::Progress,
    seed::seed_of,
};
use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// How long a batch should take: short enough to show progress, long enough to cost nothing.
const BATCH: Duration = Duration::from_millis(100);
/// The most runs in a batch.
const BATCH_RUNS_MAX: u64 = 512;

/// What the workers share.
struct WorkQueue {
    next: u64,
    /// How many runs were made, and the number of the first that failed.
    runs: u64,
    failed: Option<u64>,
    /// The batches that were done, by the number of their first run.
    done: Vec<(u64, Batch)>,
    refused: Option<Refusal>,
}

impl WorkQueue {
    /// What one worker alone would have found: what others did after the run that failed does not count.
    fn explored(self, base: u64) -> Explored {
        let found = |run| Found { source: Source::Seed(seed_of(base, run)), run: run + 1 };
        let mut explored = Explored { found: self.failed.map(found), ..Explored::default() };
        for (_, batch) in self.done.iter().filter(|(first, _)| self.failed.is_none_or(|failed| *first <= failed)) {
            explored.runs += batch.runs;
            explored.coverage.add(&batch.coverage);
        }
        explored
    }
}

/// Explores from a base seed.
pub(super) fn explore(
    workers: &mut dyn Workers,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
) -> Result<Explored, Refusal> {
    let queue = Mutex::new(WorkQueue { next: 0, runs: 0, failed: None, done: vec![], refused: None });
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in workers.all() {
            let queue = &queue;
            scope.spawn(move || {
                let mut count = 1;
                while let Some((first, count_now)) = take(queue, until, count, sink) {
                    let asked = Instant::now();
                    let answer = worker.ask(&Job::Explore { base, first, count: count_now });
                    put(queue, first, answer);
                    let took = asked.elapsed().max(Duration::from_micros(1));
                    let fitting = (BATCH.as_secs_f64() / took.as_secs_f64() * count_now as f64) as u64;
                    count = fitting.clamp(1, BATCH_RUNS_MAX).min(count_now * 4);
                    let runs = queue.lock().expect("no worker panics").runs;
                    sink.tell(told(runs, until, started));
                }
            });
        }
    });
    let queue = queue.into_inner().expect("no worker panics");
    match queue.refused {
        Some(why) => Err(why),
        None => Ok(queue.explored(base)),
    }
}

fn take(queue: &Mutex<WorkQueue>, until: Limit, count: u64, sink: ProgressSink<'_>) -> Option<(u64, u64)> {
    let mut queue = queue.lock().expect("no worker panics");
    let spent = match until {
        Limit::Runs(runs) => queue.next >= runs,
        Limit::Time(end) => Instant::now() >= end,
    };
    // Batches are handed out in order: once a run failed, only those before it could count, and all are out.
    if spent || queue.refused.is_some() || queue.failed.is_some() || sink.stops() {
        return None;
    }
    let left = if let Limit::Runs(runs) = until { runs - queue.next } else { u64::MAX };
    let first = queue.next;
    let count = count.min(left);
    queue.next += count;
    Some((first, count))
}

fn put(queue: &Mutex<WorkQueue>, first: u64, answer: Result<Answer, Refusal>) {
    let mut queue = queue.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Explored(batch)) => {
            queue.runs += batch.runs;
            queue.failed = [queue.failed, batch.failed].into_iter().flatten().min();
            queue.done.push((first, batch));
        }
        Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
        Ok(_) => queue.refused = Some(unexpected()),
    }
}

fn told(runs: u64, until: Limit, started: Instant) -> Progress {
    let of = if let Limit::Runs(of) = until { Some(of) } else { None };
    let note = match until {
        Limit::Runs(_) => String::new(),
        Limit::Time(end) => {
            let (gone, all) = (started.elapsed().as_secs(), end.saturating_duration_since(started).as_secs());
            format!("{gone} of {all} s")
        }
    };
    Progress { doing: "exploring".into(), runs, of, note }
}
