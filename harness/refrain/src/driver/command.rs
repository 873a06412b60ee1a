//! Serves `cargo refrain`: reads one request, reports progress, and answers with the outcome.

use super::{
    cause, pool,
    record::record_twice,
    replay, run, save,
    under_test::{exploration, shrunk_plan},
};
use crate::{
    engine::{Limit, ProgressSink, Refusal, pause_with, tell_stops, tell_waits},
    event::Event,
    job::Source,
    protocol::{Budget, Message, Outcome, Progress, Request, Shrunk},
    test::Test,
    verdict::Verdict,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Maximum length of a request line.
const REQUEST_BYTES_MAX: u64 = 1 << 20;
/// About how much of what is sent may be unread: a few reports. Beyond that the test pauses.
const UNREAD_BYTES: usize = 4 << 10;
/// The minimum time between progress messages.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Serves the one request on standard input.
pub(crate) fn serve(test: &'static Test) -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    set_socket_send_buffer_size(&socket, UNREAD_BYTES)?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut line = vec![];
    reader.by_ref().take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line)?;
    let request: Request = serde_json::from_slice(&line)?;
    let stop = Arc::new(AtomicBool::new(false));
    stop_when_asked(reader, stop.clone());
    let connection = Arc::new(Mutex::new((socket.try_clone()?, Instant::now())));
    let of_waits = connection.clone();
    let of_pauses = socket.try_clone()?;
    // `cargo refrain` that is suspended reads nothing: then the test pauses, too, and leaves the slots to others.
    pause_with(move || {
        is_read(&of_pauses, PollTimeout::NONE);
    });
    tell_waits(move |wait| {
        let _ = send(&mut of_waits.lock().expect("no thread panics while sending").0, &Message::Waits(wait.clone()));
    });
    if let Request::Debug { at, .. } = request {
        let of_stops = connection.clone();
        tell_stops(move |process| {
            let message = Message::AwaitsDebugger { process, event: at };
            let _ = send(&mut of_stops.lock().expect("no thread panics while sending").0, &message);
        });
    }
    let progress = |progress: Progress| {
        let mut connection = connection.lock().expect("no thread panics while sending");
        // Who reports may keep others of this process waiting that hold slots.
        if connection.1.elapsed() >= PROGRESS_INTERVAL && is_read(&connection.0, PollTimeout::ZERO) {
            connection.1 = Instant::now();
            // If nobody is listening any more, sending the outcome will fail too.
            let _ = send(&mut connection.0, &Message::Progress(progress));
        }
    };
    let print = |text: String| {
        if !text.is_empty() {
            let _ = send(&mut connection.lock().expect("no thread panics while sending").0, &Message::Printed(text));
        }
    };
    let sink = ProgressSink { stop: &stop, progress: &progress };
    let outcome = answer(test, request, sink, &print).unwrap_or_else(Outcome::Refused);
    send(&mut &socket, &Message::Done(Box::new(outcome)))
}

/// Waits up to this long until the other side has read most of what it was sent, or is gone.
fn is_read(socket: &UnixStream, wait: PollTimeout) -> bool {
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    loop {
        match poll(&mut fds, wait) {
            Err(Errno::EINTR) => {}
            ready => return ready.is_ok_and(|ready| ready > 0),
        }
    }
}

fn send(socket: &mut impl Write, message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_string(message)?;
    line.push('\n');
    socket.write_all(line.as_bytes())
}

/// Stops the work when the other side closes its half of the socket, which both an early stop and Ctrl-C cause. Once
/// the other side is gone, nobody waits for an answer: this process exits, and its workers with it.
fn stop_when_asked(mut reader: BufReader<UnixStream>, stop: Arc<AtomicBool>) {
    thread::spawn(move || {
        let _ = reader.read_to_end(&mut vec![]);
        stop.store(true, Relaxed);
        // `POLLHUP` is reported even though it is not requested.
        let mut fds = [PollFd::new(reader.get_ref().as_fd(), PollFlags::empty())];
        while poll(&mut fds, PollTimeout::NONE) == Err(Errno::EINTR) {}
        process::exit(1)
    });
}

fn answer(
    test: &'static Test,
    request: Request,
    sink: ProgressSink<'_>,
    print: &dyn Fn(String),
) -> Result<Outcome, Refusal> {
    match request {
        Request::Explore { seed, budget, jobs, isolation, coverage } => {
            let until = match budget {
                Budget::OfTest => Limit::Runs(test.runs),
                Budget::Runs(runs) => Limit::Runs(runs),
                Budget::Seconds(seconds) => Limit::Time(Instant::now() + Duration::from_secs(seconds)),
            };
            exploration(test, &mut pool(test, jobs).isolated(isolation).counted_apart(coverage), seed, until, sink)
                .map(Outcome::Explored)
        }
        Request::Replay { trace, until } => {
            let trace = save::read(test, &trace)?;
            let mut pool = pool(test, Some(1));
            let (replay, printed) = match until {
                Some(until) => replay::replay_until(test, &mut pool, &trace, until)?,
                None => replay::replay(test, &mut pool, &trace).map(|(replay, run)| (replay, run.printed))?,
            };
            print(printed);
            Ok(Outcome::Replayed(replay))
        }
        Request::Debug { trace, at } => {
            let trace = save::read(test, &trace)?;
            replay::debug(test, &mut pool(test, Some(1)), &trace, at).map(Outcome::Replayed)
        }
        Request::Run { decisions, beside } => {
            run::run(test, &mut pool(test, Some(1)), decisions, beside, sink).map(Outcome::Ran)
        }
        Request::Cause { trace, jobs } => cause::cause(test, &mut pool(test, jobs), &trace, sink).map(Outcome::Caused),
        Request::Shrink { trace, jobs } => shrunk(test, &trace, jobs, sink).map(Outcome::Shrunk),
    }
}

fn ends_at(events: &[Event]) -> u64 {
    events.last().map_or(0, |event| event.at)
}

fn shrunk(test: &'static Test, path: &Path, jobs: Option<usize>, sink: ProgressSink<'_>) -> Result<Shrunk, Refusal> {
    let started = Instant::now();
    let saved = save::read(test, path)?;
    let mut pool = pool(test, jobs);
    let smaller = shrunk_plan(test, &mut pool, &saved.plan, &saved.failure, None, sink)?;
    let ran = record_twice(test, &mut pool, Source::Plan(Box::new(smaller.plan.clone())))?;
    let saved_at = match &ran.verdict {
        Verdict::Failed(failure) if failure.signature() == saved.failure.signature() => {
            (smaller.plan != saved.plan).then(|| save::save_over(path, &save::trace(test, &ran, failure)))
        }
        _ => {
            return Err(format!(
                "{} no longer fails in the same way, so there is nothing to shrink: replay it first",
                path.display()
            ));
        }
    };
    Ok(Shrunk {
        runs: smaller.runs,
        took_ms: started.elapsed().as_millis() as u64,
        before: saved.plan,
        after: smaller.plan,
        events: ran.events.len(),
        ends_at: (ends_at(&saved.events), ends_at(&ran.events)),
        saved: saved_at,
        interrupted: smaller.interrupted,
        fewest: smaller.fewest,
    })
}
