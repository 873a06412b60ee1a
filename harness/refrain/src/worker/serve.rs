//! The worker's side: takes jobs, forks runs, answers.

use super::{
    output::Output,
    process::{self, End},
    verdict,
};
use crate::{
    engine::{Heartbeat, Outlet, Watch, Words},
    event::Event,
    job::{Answer, Batch, Ended, Job, Ran, RunMessage, Search, Searched, Source},
    plan::Plan,
    seed::seed_of,
    test::Test,
    trace::EVENTS_MAX,
    verdict::Verdict,
};
use std::{
    io::{self, BufRead, BufReader, Write},
    os::fd::AsFd,
    os::unix::net::UnixStream,
};

/// Serves jobs for one test until the socket on standard input is closed.
pub(crate) fn serve(test: &'static Test) -> io::Result<()> {
    // As cargo does, whoever started us where: a path that a test gives its service is the same one in every clone, and
    // reads the same in traces and snapshots. Where the sources are gone, it stays as it is.
    let _ = crate::package::folder(test).map(std::env::set_current_dir);
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut worker = Worker { test, heartbeat: process::shared_heartbeat()?, output: Output::catch()? };
    test.engine.prepare();
    let mut answers = socket.try_clone()?;
    for line in BufReader::new(socket).lines() {
        let job = serde_json::from_str(&line?)?;
        let answer = worker.work(job)?;
        let mut line = serde_json::to_string(&answer)?;
        line.push('\n');
        answers.write_all(line.as_bytes())?;
    }
    Ok(())
}

struct Worker {
    test: &'static Test,
    heartbeat: &'static Heartbeat,
    output: Output,
}

impl Worker {
    fn work(&mut self, job: Job) -> io::Result<Answer> {
        match job {
            Job::Explore { base, first, count } => self.explore(base, first, count),
            Job::Record { source, until } => self.run(source, true, until),
            Job::Try(plan) => self.run(Source::Plan(Box::new(plan)), false, None),
            Job::Search(search) => self.search(search),
        }
    }

    fn explore(&mut self, base: u64, first: u64, count: u64) -> io::Result<Answer> {
        let mut batch = Batch::default();
        for run in first..first + count {
            let ran = match self.run(Source::Seed(seed_of(base, run)), false, None)? {
                Answer::Ran(ran) => ran,
                other => return Ok(other),
            };
            batch.runs += 1;
            batch.coverage.add(&ran.coverage);
            if ran.verdict != Verdict::Passed {
                batch.failed = Some(run);
                break;
            }
        }
        Ok(Answer::Explored(batch))
    }

    fn run(&mut self, source: Source, record: bool, until: Option<usize>) -> io::Result<Answer> {
        self.output.clear()?;
        let (test, heartbeat) = (self.test, self.heartbeat);
        let plan = match &source {
            Source::Plan(plan) | Source::Again(plan) => (**plan).clone(),
            Source::Seed(seed) | Source::FaultFree(seed) => Plan { seed: *seed, ..Plan::default() },
        };
        let watch = Watch { record, until, heartbeat };
        let (said, end) = process::run_forked(heartbeat, test.poll_limit(), |pipe| {
            test.engine.run(source, watch, Outlet::new(pipe));
        })?;
        let mut heard = RunCollector::new(plan, record);
        for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(RunMessage::Refused(why) | RunMessage::Searched(Searched { limit: Some(why), .. })) => {
                    return Ok(Answer::Refused(why));
                }
                Ok(told) => heard.hear(told),
                // A run that dies may die within a line; of one that ended well every line is whole.
                Err(error) if end == End::Exited(0) && heard.ended.is_none() => {
                    return Ok(Answer::Refused(format!("a run told its worker what it does not understand: {error}")));
                }
                Err(_) => {}
            }
        }
        // A run that is to stop stops at its next poll, which may be some events later.
        heard.events.truncate(until.unwrap_or(usize::MAX));
        let place = process::last_place(heartbeat).map(|p| format!("{}:{}", p.file(), p.line()));
        heard.conclude(end, &mut self.output, place, test.engine.words())
    }

    /// Makes a part of a model's search. Of an execution that fails, however it does, a second process finds the plan.
    fn search(&mut self, search: Search) -> io::Result<Answer> {
        let (told, _) = self.look(&search, None)?;
        let made = self.heartbeat.count();
        match told {
            Ok(Some(searched)) => {
                Ok(searched_answer(Searched { executions: searched.executions.max(made), ..searched }))
            }
            Err(why) => Ok(Answer::Refused(why)),
            Ok(None) => {
                let (told, plan) = self.look(&search, Some(made))?;
                let told = match told {
                    Ok(told) => told.unwrap_or_default(),
                    Err(why) => return Ok(Answer::Refused(why)),
                };
                if let Some(limit) = told.limit {
                    return Ok(Answer::Refused(format!(
                        "execution {made} failed, and its plan was not found: {limit}"
                    )));
                }
                let plan = told.failed.unwrap_or(plan);
                Ok(searched_answer(Searched { executions: made, failed: Some(plan), ..Searched::default() }))
            }
        }
    }

    /// Lets a process search, or find the plan of its `nth` execution.
    fn look(&mut self, search: &Search, nth: Option<u64>) -> io::Result<Looked> {
        self.output.clear()?;
        let (test, heartbeat) = (self.test, self.heartbeat);
        let (said, _) = process::run_forked(heartbeat, test.poll_limit(), |pipe| {
            test.engine.search(search.clone(), nth, heartbeat, Outlet::new(pipe));
        })?;
        let mut told = Ok(None);
        let mut plan = Plan::default();
        for line in said.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(RunMessage::Searched(searched)) => told = Ok(Some(searched)),
                Ok(RunMessage::Refused(why)) => told = Err(why),
                Ok(RunMessage::Plan(told)) => plan = told,
                Ok(RunMessage::Deviates(deviation)) => plan.deviate(deviation),
                // It may die within a line.
                _ => {}
            }
        }
        Ok((told, plan))
    }
}

fn searched_answer(searched: Searched) -> Answer {
    Answer::Searched(Box::new(searched))
}

/// What a search's process told, `None` if an execution failed in it, and the plan that it told.
type Looked = (Result<Option<Searched>, String>, Plan);

/// What a run has told so far.
struct RunCollector {
    plan: Plan,
    events: Vec<Event>,
    left_out: usize,
    ended: Option<Ended>,
    stopped: Option<Vec<String>>,
    record: bool,
}

impl RunCollector {
    fn new(plan: Plan, record: bool) -> RunCollector {
        RunCollector { plan, events: vec![], left_out: 0, ended: None, stopped: None, record }
    }

    fn hear(&mut self, told: RunMessage) {
        match told {
            RunMessage::Plan(plan) => self.plan = plan,
            RunMessage::Event(event) => self.events.push(event),
            RunMessage::Stopped(waits) => self.stopped = Some(waits),
            RunMessage::Ended(ended) => self.ended = Some(*ended),
            RunMessage::Deviates(deviation) => self.plan.deviate(deviation),
            RunMessage::Refused(_) | RunMessage::Searched(_) => {}
        }
        if self.events.len() >= 2 * EVENTS_MAX {
            self.leave_out();
        }
    }

    fn leave_out(&mut self) {
        let surplus = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..surplus);
        self.left_out += surplus;
    }

    fn conclude(mut self, end: End, output: &mut Output, place: Option<String>, words: &Words) -> io::Result<Answer> {
        self.leave_out();
        let ended = match self.ended.take() {
            Some(ended) => ended,
            None if self.stopped.is_some() => Ended::at(Verdict::Passed, 0),
            None => {
                let failure = verdict::of_death(end, &output.tail()?, place, words);
                let digest = self.events.iter().fold(0, |digest, event| seed_of(digest, hash_of(event)));
                Ended::at(Verdict::Failed(failure), digest)
            }
        };
        Ok(Answer::Ran(Box::new(Ran {
            plan: self.plan,
            verdict: ended.verdict,
            digest: ended.digest,
            events: self.events,
            left_out: self.left_out,
            coverage: ended.coverage,
            never_began: ended.never_began,
            sockets: ended.sockets,
            waits: self.stopped.unwrap_or_default(),
            printed: if self.record { output.tail()? } else { String::new() },
        })))
    }
}

/// What stays the same when lines of the source move.
fn hash_of(event: &Event) -> u64 {
    event.host.bytes().fold(event.at ^ event.kind as u64, |hash, byte| seed_of(hash, u64::from(byte)))
}
