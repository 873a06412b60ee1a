//! How a worker comes to be, and why nothing outlives its test.
//!
//! libtest starts a test on a second thread, and a process may fork runs only while it has one thread: another one could
//! hold a lock that nobody in the fork ever releases. So the process that libtest runs forks once, while its main thread
//! is known to sleep, and that fork is the worker: it has one thread.
//!
//! The process stays behind as the worker's guard. It sees when the test's process is gone, even killed, for its socket
//! is closed then, and it sees when the worker is gone. Either way it ends everything below it. The worker sees the same
//! way when its guard is gone. If both are killed at once, the test's process ends what they leave: see [`super::orphans`].

use super::{
    descendants, orphans, process,
    temporary::{self, Temporary},
};
use crate::engine::{counters, exit};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::{Signal, kill},
    },
    unistd::{Pid, getpid, gettid, pipe2},
};
use rustix::process::{PidfdFlags, pidfd_open};
use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

/// How long libtest's main thread may take to fall asleep.
const ASLEEP_MAX: Duration = Duration::from_secs(10);

/// How long a worker may take to write what its runs have counted, in milliseconds.
const COUNTERS_MAX_MS: u16 = 10_000;

/// What a worker knows its guard by: readable when the guard is gone.
pub struct Lifeline(OwnedFd);

impl Lifeline {
    /// What becomes readable when the guard is gone.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Forks the worker. Returns in the worker only, with the temporary folder of its runs: this process becomes its guard, and ends with it.
pub fn enter() -> io::Result<(Lifeline, Option<Temporary>)> {
    check_threads(ASLEEP_MAX)?;
    let temporary = Temporary::new();
    let (lifeline, ours) = pipe2(OFlag::O_CLOEXEC)?;
    let Some(worker) = process::fork_once()? else {
        drop(ours);
        prctl::set_child_subreaper(true)?;
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        orphans::mark();
        if temporary.is_some() {
            process::set_variable("TMPDIR", temporary::NAME);
        }
        return Ok((Lifeline(lifeline), temporary));
    };
    drop(lifeline);
    // Whatever goes wrong, there is nobody left to tell but the test, which sees that its worker is gone.
    let _ = guard(worker);
    let _ = kill(worker, Signal::SIGKILL);
    let _ = descendants::end_all();
    if let Some(temporary) = &temporary {
        temporary.remove();
    }
    exit(0)
}

/// Waits until the worker or the test's process is gone.
fn guard(worker: Pid) -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    let pid = rustix::process::Pid::from_raw(worker.as_raw()).expect("a process has a number above 0");
    let worker = pidfd_open(pid, PidfdFlags::empty())?;
    let stdin = io::stdin();
    loop {
        // A socket always reports that the other side is closed.
        let mut fds = [PollFd::new(worker.as_fd(), PollFlags::POLLIN), PollFd::new(stdin.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {
                if counters::bytes() > 0 {
                    // It has seen the same.
                    poll(&mut fds[..1], PollTimeout::from(COUNTERS_MAX_MS))?;
                }
                return Ok(());
            }
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until the only other thread is libtest's main one, and asleep: it waits for this test to end, and holds nothing.
fn check_threads(patience: Duration) -> io::Result<()> {
    let started = Instant::now();
    loop {
        let others = other_threads()?;
        match others.as_slice() {
            [] => return Ok(()),
            [main] if main.id == getpid() && main.sleeps => return Ok(()),
            _ if started.elapsed() > patience => {
                let names: Vec<_> = others.iter().map(|thread| format!("`{}`", thread.name)).collect();
                return Err(io::Error::other(format!(
                    "a worker cannot be forked beside other threads, and {} of them go on: {}. Start no thread before a \
                     test runs",
                    others.len(),
                    names.join(", ")
                )));
            }
            _ => thread::sleep(Duration::from_micros(100)),
        }
    }
}

struct Thread {
    id: Pid,
    name: String,
    sleeps: bool,
}

fn other_threads() -> io::Result<Vec<Thread>> {
    let this = gettid();
    let mut threads = vec![];
    for entry in fs::read_dir("/proc/self/task")? {
        // A thread may end meanwhile.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let parts = stat.split_once(" (").and_then(|(id, rest)| Some((id.parse().ok()?, rest.rsplit_once(") ")?)));
        let Some((id, (name, state))) = parts else { continue };
        let id = Pid::from_raw(id);
        if id != this {
            threads.push(Thread { id, name: name.to_owned(), sleeps: state.starts_with('S') });
        }
    }
    Ok(threads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// libtest's own threads are beside it, and other tests'; none of them is called this.
    #[test]
    fn a_thread_that_goes_on_beside_a_worker_is_named() {
        let done = AtomicBool::new(false);
        let error = thread::scope(|scope| {
            let spin = || {
                while !done.load(Relaxed) {
                    std::hint::spin_loop();
                }
            };
            thread::Builder::new().name("metrics".into()).spawn_scoped(scope, spin).unwrap();
            let checked = check_threads(Duration::from_millis(20));
            done.store(true, Relaxed);
            checked.unwrap_err().to_string()
        });
        assert!(error.starts_with("a worker cannot be forked beside other threads"), "{error}");
        assert!(error.contains("`metrics`") && error.ends_with("Start no thread before a test runs"), "{error}");
    }

    #[test]
    fn a_thread_of_this_process_is_seen_with_its_state() {
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let sleeps = || other_threads().unwrap().iter().any(|thread| thread.name == "sleeper" && thread.sleeps);
        thread::scope(|scope| {
            thread::Builder::new().name("sleeper".into()).spawn_scoped(scope, move || told.recv()).unwrap();
            let started = Instant::now();
            while !sleeps() {
                assert!(started.elapsed() < ASLEEP_MAX, "it does not fall asleep");
            }
            drop(tell);
        });
    }
}
