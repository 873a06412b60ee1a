//! Explores: hands out batches of runs to all workers until the budget is spent or one fails.
//!
//! The answer does not depend on how many workers there are: of several failures the one with the lowest number counts.

use crate::{
    driver::{ProgressSink, Refusal, refused},
    job::{Answer, Batch, Job},
    protocol::{Coverage, Progress},
    worker::Pool,
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

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// This many runs were made.
    Runs(u64),
    /// It is this late.
    Time(Instant),
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    pub runs: u64,
    pub coverage: Coverage,
    /// The number of the first run that failed, from 0.
    pub failed: Option<u64>,
}

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
    fn explored(self) -> Explored {
        let mut explored = Explored { failed: self.failed, ..Explored::default() };
        for (_, batch) in self.done.iter().filter(|(first, _)| self.failed.is_none_or(|failed| *first <= failed)) {
            explored.runs += batch.runs;
            explored.coverage.add(&batch.coverage);
        }
        explored
    }
}

/// Explores from a base seed.
pub(crate) fn explore(pool: &mut Pool, base: u64, until: Limit, asker: ProgressSink<'_>) -> Result<Explored, Refusal> {
    let desk = Mutex::new(WorkQueue { next: 0, runs: 0, failed: None, done: vec![], refused: None });
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in pool.workers() {
            let desk = &desk;
            scope.spawn(move || {
                let mut count = 1;
                while let Some((first, count_now)) = take(desk, until, count, asker) {
                    let asked = Instant::now();
                    let answer = worker.ask(&Job::Explore { base, first, count: count_now });
                    put(desk, first, answer.map_err(refused));
                    let took = asked.elapsed().max(Duration::from_micros(1));
                    let fitting = (BATCH.as_secs_f64() / took.as_secs_f64() * count_now as f64) as u64;
                    count = fitting.clamp(1, BATCH_RUNS_MAX).min(count_now * 4);
                    let runs = desk.lock().expect("no worker panics").runs;
                    asker.tell(told(runs, until, started));
                }
            });
        }
    });
    let desk = desk.into_inner().expect("no worker panics");
    match desk.refused {
        Some(why) => Err(why),
        None => Ok(desk.explored()),
    }
}

fn take(desk: &Mutex<WorkQueue>, until: Limit, count: u64, asker: ProgressSink<'_>) -> Option<(u64, u64)> {
    let mut desk = desk.lock().expect("no worker panics");
    let spent = match until {
        Limit::Runs(runs) => desk.next >= runs,
        Limit::Time(end) => Instant::now() >= end,
    };
    // Batches are handed out in order: once a run failed, only those before it could count, and all are out.
    if spent || desk.refused.is_some() || desk.failed.is_some() || asker.stops() {
        return None;
    }
    let left = if let Limit::Runs(runs) = until { runs - desk.next } else { u64::MAX };
    let first = desk.next;
    let count = count.min(left);
    desk.next += count;
    Some((first, count))
}

fn put(desk: &Mutex<WorkQueue>, first: u64, answer: Result<Answer, Refusal>) {
    let mut desk = desk.lock().expect("no worker panics");
    match answer {
        Ok(Answer::Explored(batch)) => {
            desk.runs += batch.runs;
            desk.failed = [desk.failed, batch.failed].into_iter().flatten().min();
            desk.done.push((first, batch));
        }
        Ok(Answer::Ran(_) | Answer::Searched(_)) => {
            desk.refused = Some("a worker answered another question than it was asked".into())
        }
        Ok(Answer::Refused(why)) | Err(why) => desk.refused = Some(why),
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
