//! The worker's side: takes jobs, forks runs, answers.

mod batch;

use super::{
    collector::RunCollector,
    guard,
    pool::COVERAGE,
    process,
    watch::{End, Runner},
};
use crate::{
    engine::{Outlet, Watch, counters, exit},
    job::{Answer, Job, Ran, RunMessage, Search, Searched, Source},
    plan::{Plan, fault::FaultKind},
    report::engine_limit,
    test::Test,
};
use batch::Several;
use std::{
    io::{self, BufRead, BufReader, Write},
    os::fd::AsFd,
    os::unix::net::UnixStream,
    panic::{self, AssertUnwindSafe},
    path::Path,
    time::Duration,
};

/// How often a run is made again that may have been killed from outside. What dies the same way each time is a failure.
const AGAIN_MAX: u64 = 2;
/// How long a poll of a run that is debugged may take: nobody wants it to end.
const DEBUGGED_POLL: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Serves jobs for one test until the socket on standard input is closed, with backtraces in the verdicts of recorded runs if
/// requested. Does not return.
pub(crate) fn serve(test: &'static Test, backtraces: bool) -> ! {
    let served = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from).and_then(|socket| {
        // The test's own code draws workloads, and may panic.
        let why = match panic::catch_unwind(AssertUnwindSafe(|| serve_on(test, backtraces, &socket))) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!(
                "a panic: {}",
                panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(panic.downcast_ref::<&str>().copied())
                    .unwrap_or_default()
            ),
        };
        // Nobody else would report it: nobody sees this process's standard error.
        send(&socket, &Answer::Refused(format!("a worker could not go on: {why}")))
    });
    counters::write();
    exit(i32::from(served.is_err()))
}

fn serve_on(test: &'static Test, backtraces: bool, socket: &UnixStream) -> io::Result<()> {
    // As cargo does, whoever started us where: a path that a test gives its service is the same one in every clone, and
    // reads the same in traces and snapshots. Where the sources are gone, it stays as it is.
    let _ = crate::package::folder(test).map(std::env::set_current_dir);
    let (lifeline, temporary) = guard::enter()?;
    if let Some(folder) = process::take_variable(COVERAGE) {
        counters::count_apart(Path::new(&folder), test.path, FaultKind::kinds());
    }
    process::share_counters()?;
    let stopped = socket.try_clone()?;
    let mut worker = Worker {
        test,
        backtraces,
        stopped,
        runner: Runner::new(lifeline, temporary, test.memory_max())?,
        several: Several::new(false),
    };
    test.engine.prepare();
    worker.several = Several::new(test.engine.can_rewind());
    let mut jobs = BufReader::new(socket);
    let mut line = String::new();
    while worker.runner.wait_for(socket)? && jobs.read_line(&mut line)? > 0 {
        let answer = worker.work(serde_json::from_str(&line)?)?;
        send(socket, &answer)?;
        line.clear();
    }
    Ok(())
}

fn send(mut socket: &UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_string(answer)?;
    line.push('\n');
    socket.write_all(line.as_bytes())
}

/// What is recorded of a run.
#[derive(Debug, Clone, Copy)]
enum Recording {
    None,
    /// Everything up to an event, with the backtrace of a call of its log.
    Of {
        until: Option<usize>,
        locate: Option<u64>,
    },
    /// Everything, and it stops for a debugger before this event.
    Debugged(usize),
}

struct Worker {
    test: &'static Test,
    /// Whether the verdict of a recorded run has the backtrace of its panic.
    backtraces: bool,
    runner: Runner,
    several: Several,
    /// Where it tells that a run has stopped for a debugger.
    stopped: UnixStream,
}

impl Worker {
    fn work(&mut self, job: Job) -> io::Result<Answer> {
        match job {
            Job::Explore { base, first, count, isolation } => self.explore(base, first..first + count, isolation),
            Job::Record { source, until, locate } => self.run(source, Recording::Of { until, locate }),
            Job::Debug { plan, at } => self.run(Source::Plan(plan), Recording::Debugged(at)),
            Job::Try(plan) => self.run(Source::Plan(Box::new(plan)), Recording::None),
            Job::Search(search) => self.search(search),
        }
    }

    /// Makes one run; again, if it may have been killed from outside.
    fn run(&mut self, source: Source, recording: Recording) -> io::Result<Answer> {
        for made_again in 0.. {
            let (mut collector, mut end) = self.run_once(source.clone(), recording)?;
            if let (Recording::Of { until, locate: None }, Some(wanted)) = (recording, collector.wants()) {
                (collector, end) = self.run_once(source.clone(), Recording::Of { until, locate: Some(wanted) })?;
            }
            if let Some(why) = collector.refusal(end) {
                return Ok(Answer::Refused(why));
            }
            let killed = collector.has_died() && end.may_come_from_outside();
            // Who debugs it may have killed it.
            if killed && made_again < AGAIN_MAX && !matches!(recording, Recording::Debugged(_)) {
                continue;
            }
            // A run that is killed each time kills itself: its verdict says so, and the machine did not interfere.
            let made_again = if killed { 0 } else { made_again };
            let place = process::last_place(self.runner.heartbeat());
            let ran = collector.conclude(
                end,
                &self.runner.printed(),
                place,
                self.test.engine.terms(),
                self.test.memory_max(),
            );
            return Ok(Answer::Ran(Box::new(Ran { made_again, ..ran })));
        }
        unreachable!("the last attempt counts, however it ended")
    }

    fn run_once(&mut self, source: Source, recording: Recording) -> io::Result<(RunCollector, End)> {
        let plan = match &source {
            Source::Plan(plan) | Source::Again(plan) | Source::Branch { plan, .. } => (**plan).clone(),
            Source::Seed(seed) | Source::FaultFree(seed) => Plan { seed: *seed, ..Plan::default() },
        };
        let (test, watch) = (self.test, self.watch(recording));
        let mut collector = RunCollector::new(plan, watch.record, watch.until);
        let stopped = self.stopped.try_clone()?;
        let mut receive = |line: &[u8]| match watch.debug.and_then(|_| serde_json::from_slice(line).ok()) {
            Some(RunMessage::AwaitsDebugger(process)) => drop(send(&stopped, &Answer::Stopped(process))),
            _ => collector.receive(line),
        };
        let end = self.runner.make(watch.poll_limit, &mut receive, |pipe| {
            test.engine.run(source, watch, Outlet::new(pipe));
        })?;
        Ok((collector, end))
    }

    /// How a run is monitored.
    fn watch(&self, recording: Recording) -> Watch {
        let (record, until, locate, debug) = match recording {
            Recording::None => (false, None, None, None),
            Recording::Of { until, locate } => (true, until, locate, None),
            Recording::Debugged(at) => (true, None, None, Some(at)),
        };
        let heartbeat = self.runner.heartbeat();
        let poll_limit = if debug.is_some() { DEBUGGED_POLL } else { self.test.poll_limit() };
        let backtrace = record && self.backtraces;
        Watch { record, until, debug, locate, backtrace, poll_limit, heartbeat }
    }

    /// Makes a part of a model's search. Of an execution that fails, however it does, a second process finds the plan.
    fn search(&mut self, search: Search) -> io::Result<Answer> {
        let mut made_again = 0;
        let (outcome, made) = loop {
            let (outcome, _, end) = self.look(&search, None)?;
            let killed = matches!(outcome, Ok(None)) && end.may_come_from_outside();
            if killed && made_again < AGAIN_MAX {
                made_again += 1;
                continue;
            }
            if killed {
                made_again = 0;
            }
            break (outcome, self.runner.heartbeat().count());
        };
        match outcome {
            Ok(Some(searched)) => {
                let executions = searched.executions.max(made);
                Ok(searched_answer(Searched { executions, made_again, ..searched }))
            }
            Err(why) => Ok(Answer::Refused(why)),
            Ok(None) => {
                let (outcome, plan, _) = self.look(&search, Some(made))?;
                let outcome = match outcome {
                    Ok(outcome) => outcome.unwrap_or_default(),
                    Err(why) => return Ok(Answer::Refused(why)),
                };
                if let Some(limit) = outcome.limit {
                    return Ok(Answer::Refused(format!(
                        "execution {made} failed, and its plan was not found: {}",
                        engine_limit(&limit)
                    )));
                }
                let failed = Some(outcome.failed.unwrap_or(plan));
                Ok(searched_answer(Searched { executions: made, failed, made_again, ..Searched::default() }))
            }
        }
    }

    /// Lets a process search, or find the plan of its `nth` execution.
    fn look(&mut self, search: &Search, nth: Option<u64>) -> io::Result<Looked> {
        let (test, heartbeat) = (self.test, self.runner.heartbeat());
        let mut outcome = Ok(None);
        let mut plan = Plan::default();
        let mut receive = |line: &[u8]| match serde_json::from_slice(line) {
            Ok(RunMessage::Searched(searched)) => outcome = Ok(Some(searched)),
            Ok(RunMessage::Refused(why)) => outcome = Err(why),
            Ok(RunMessage::Plan(sent)) => plan = sent,
            Ok(RunMessage::Deviates(deviation)) => plan.deviate(deviation),
            // It may die within a line.
            _ => {}
        };
        let end = self.runner.make(test.poll_limit(), &mut receive, |pipe| {
            test.engine.search(search.clone(), nth, heartbeat, Outlet::new(pipe));
        })?;
        Ok((outcome, plan, end))
    }
}

fn searched_answer(searched: Searched) -> Answer {
    Answer::Searched(Box::new(searched))
}

/// The result that a search's process sent, `None` if an execution failed in it, the plan that it sent, and how it ended.
type Looked = (Result<Option<Searched>, String>, Plan, End);
