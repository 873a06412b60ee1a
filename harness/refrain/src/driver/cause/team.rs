//! Has all workers of a test execute runs at once.

use crate::{
    engine::{Ask, ProgressSink, Refusal, Workers, unexpected},
    job::{Answer, Job, Ran},
    protocol::{Doing, Progress},
    worker::Pool,
};
use std::{sync::Mutex, thread, time::Instant};

/// The workers, and until when they work, if that is limited.
pub(super) struct Team<'a> {
    pub workers: &'a mut Pool,
    pub sink: ProgressSink<'a>,
    pub until: Option<Instant>,
    /// Number of runs so far.
    pub done: u64,
}

/// The runs that are not done, and those that are, by their number.
struct Queue {
    jobs: Vec<(usize, Job)>,
    ran: Vec<(usize, Ran)>,
    refused: Option<Refusal>,
    done: u64,
}

impl Team<'_> {
    /// Returns whether there is time left, and nobody has asked to stop.
    pub fn goes_on(&self) -> bool {
        goes_on(self.sink, self.until)
    }

    /// Executes runs, in the order of which it returns them; those for which no time is left are missing.
    pub fn all(&mut self, jobs: Vec<Job>) -> Result<Vec<Ran>, Refusal> {
        let jobs = jobs.into_iter().enumerate().rev().collect();
        let queue = Mutex::new(Queue { jobs, ran: vec![], refused: None, done: self.done });
        let (sink, until) = (self.sink, self.until);
        thread::scope(|scope| {
            for worker in self.workers.all() {
                let queue = &queue;
                scope.spawn(move || work(worker, queue, sink, until));
            }
        });
        let Queue { mut ran, refused, done, .. } = queue.into_inner().expect("no worker panics");
        self.done = done;
        if let Some(why) = refused {
            return Err(why);
        }
        ran.sort_by_key(|(nth, _)| *nth);
        Ok(ran.into_iter().map(|(_, ran)| ran).collect())
    }
}

fn goes_on(sink: ProgressSink<'_>, until: Option<Instant>) -> bool {
    !sink.stops() && until.is_none_or(|until| Instant::now() < until)
}

fn work(worker: &mut dyn Ask, queue: &Mutex<Queue>, sink: ProgressSink<'_>, until: Option<Instant>) {
    let lock = || queue.lock().expect("no worker panics");
    while goes_on(sink, until) {
        if lock().jobs.is_empty() {
            return;
        }
        // The first worker always gets a slot in the end.
        let Some(slot) = worker.slot() else { continue };
        let Some((nth, job)) = lock().jobs.pop() else { return };
        let answer = worker.ask(&job, slot);
        let mut queue = lock();
        queue.done += 1;
        let runs = queue.done;
        match answer {
            Ok(Answer::Ran(ran)) => queue.ran.push((nth, *ran)),
            // A continuation may be none of the test.
            Ok(Answer::Refused(_)) => {}
            Ok(_) => queue.refused = Some(unexpected()),
            Err(why) => queue.refused = Some(why),
        }
        if queue.refused.is_some() {
            return;
        }
        drop(queue);
        sink.report(Progress { doing: Doing::Continuing, runs, of: None });
    }
}
