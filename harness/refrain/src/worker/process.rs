//! Processes: a run's own, forked and watched. Forking needs unsafe code.

use crate::engine::{Heartbeat, exit};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        mman::{MapFlags, ProtFlags, mmap_anonymous},
        prctl,
        resource::{Resource, setrlimit},
        signal::{Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork, pipe2, read},
};
use std::{
    io,
    num::NonZeroUsize,
    os::fd::{AsFd, OwnedFd},
    panic::Location,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// The address space that a run may take; an allocation past it aborts the run, which then is out of memory.
pub const MEMORY_MAX: u64 = 2 << 30;
/// How often the worker looks whether virtual time stands still.
const LOOK_MS: u16 = 500;

/// How a run's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It called exit with this code.
    Exited(i32),
    /// A signal killed it.
    Signalled(Signal),
    /// It was killed because no poll ended for this long; whether it burnt processor time then.
    Hung(Duration, bool),
}

/// A page that this process shares with the runs that it forks.
pub fn shared_heartbeat() -> io::Result<&'static Heartbeat> {
    let size = NonZeroUsize::new(size_of::<Heartbeat>()).expect("a heartbeat has a size");
    // SAFETY: a fresh anonymous mapping, never unmapped, aligned to a page, zeroed; a zeroed `Heartbeat` is a valid one, and
    // all access to it is atomic.
    unsafe {
        let page = mmap_anonymous(None, size, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED)?;
        Ok(page.cast::<Heartbeat>().as_ref())
    }
}

/// Runs `run` in a forked process, which writes what it has to say into the pipe; returns that and how it ended. One
/// poll may take `still_max` in real time.
///
/// The caller has one thread: only then may the child allocate and start threads of its own.
pub fn run_forked(
    heartbeat: &'static Heartbeat,
    still_max: Duration,
    run: impl FnOnce(OwnedFd),
) -> io::Result<(Vec<u8>, End)> {
    heartbeat.clear();
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: this process has one thread, so the child may do anything; it never returns from this function.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(reader);
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            let _ = setrlimit(Resource::RLIMIT_AS, MEMORY_MAX, MEMORY_MAX);
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
            run(writer);
            exit(0)
        }
        ForkResult::Parent { child } => {
            drop(writer);
            watch(heartbeat, still_max, child, reader)
        }
    }
}

/// Where the task that was polled last was spawned.
pub fn last_place(heartbeat: &'static Heartbeat) -> Option<&'static Location<'static>> {
    // SAFETY: a run stores addresses of the executable's own static data, and it was forked from this very process, so
    // the same data lies at the same address here.
    unsafe { heartbeat.place.load(Relaxed).as_ref() }
}

fn watch(
    heartbeat: &'static Heartbeat,
    still_max: Duration,
    child: Pid,
    reader: OwnedFd,
) -> io::Result<(Vec<u8>, End)> {
    let mut said = vec![];
    let mut buffer = vec![0; 64 << 10];
    // When the run was last seen to go on: its polls, the time, the processor time it had used.
    let mut last: Option<(u64, Instant, Duration)> = None;
    loop {
        let mut fds = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::from(LOOK_MS)) {
            Ok(0) => match last {
                Some((polls, since, used)) if polls == heartbeat.count() => {
                    let still = since.elapsed();
                    if still >= still_max {
                        // On a machine that is busy itself, a loop may wait for a processor most of the time.
                        let busy = cpu_time(child).saturating_sub(used) > still / 10 || is_runnable(child);
                        kill(child, Signal::SIGKILL)?;
                        reap(child)?;
                        return Ok((said, End::Hung(still_max, busy)));
                    }
                }
                _ => last = Some((heartbeat.count(), Instant::now(), cpu_time(child))),
            },
            Ok(_) => match read(&reader, &mut buffer) {
                Ok(0) => break,
                Ok(n) => said.extend_from_slice(&buffer[..n]),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            },
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((said, reap(child)?))
}

fn reap(child: Pid) -> io::Result<End> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(End::Exited(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(End::Signalled(signal)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a thread of a process runs or waits for a processor, and for nothing else.
fn is_runnable(pid: Pid) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut stats = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    stats.any(|stat| stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('R')))
}

/// How much processor time a process has used, from the kernel's table; zero if that cannot be read.
fn cpu_time(pid: Pid) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms; two stand before the bracket.
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
