//! Forks: the worker's own, and one for each run. The unsafe code of workers.

use super::temporary;
use crate::{
    engine::{Heartbeat, call_places, counters, exit},
    place::Place,
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    libc,
    sys::{
        mman::{MapFlags, ProtFlags, mmap_anonymous},
        prctl,
        resource::{Resource, getrlimit, setrlimit},
        signal::Signal,
    },
    unistd::{ForkResult, Pid, fork, getpid, getppid, pipe2, setpgid},
};
use std::{
    env,
    ffi::OsString,
    io,
    num::NonZeroUsize,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    sync::atomic::Ordering::Relaxed,
};

/// Where a run's pipe is, if so many descriptors are allowed: far from those that a service opens, and writes to by mistake.
const PIPE_FD: RawFd = 1000;

/// Sets a variable of this worker's environment, which its runs inherit.
pub fn set_variable(name: &str, value: &str) {
    // SAFETY: this process has one thread: it was forked by `fork_once` and starts none. So nobody reads the environment meanwhile.
    unsafe { env::set_var(name, value) };
}

/// Takes a variable out of this worker's environment: its runs do not inherit it.
pub fn take_variable(name: &str) -> Option<OsString> {
    let value = env::var_os(name);
    // SAFETY: as above.
    unsafe { env::remove_var(name) };
    value
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

/// Has this worker and the runs that it forks share the counters of source coverage, if there are any.
pub fn share_counters() -> io::Result<()> {
    let Some(size) = NonZeroUsize::new(counters::bytes()) else { return Ok(()) };
    // SAFETY: a fresh anonymous mapping, never unmapped.
    let memory =
        unsafe { mmap_anonymous(None, size, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED)? };
    counters::share(memory.as_ptr().cast());
    Ok(())
}

/// Forks beside libtest's main thread, which sleeps; see [`super::guard`]. `None` in the child.
pub fn fork_once() -> io::Result<Option<Pid>> {
    // SAFETY: the only other thread sleeps in libtest until this test ends, so it holds no lock. The C library keeps its
    // allocator usable in the child.
    match unsafe { fork() }? {
        ForkResult::Child => Ok(None),
        ForkResult::Parent { child } => Ok(Some(child)),
    }
}

/// Forks a process that calls `run` with the pipe to this one and never returns from here. Returns its number and this
/// side of the pipe. Its address space is limited to `memory_max`. The caller has one thread.
pub fn fork_run(memory_max: u64, run: impl FnOnce(OwnedFd)) -> io::Result<(Pid, OwnedFd)> {
    let worker = getpid();
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // SAFETY: this process has one thread: it was forked by `fork_once` and starts none. So the child may do anything.
    match unsafe { fork() }? {
        ForkResult::Child => {
            counters::begin_run();
            match become_run(worker, writer, memory_max) {
                Ok(pipe) => run(pipe),
                // The worker takes it for a death and says what was printed.
                Err(error) => eprintln!("a run could not be set up: {error}"),
            }
            exit(0)
        }
        ForkResult::Parent { child } => Ok((child, reader)),
    }
}

/// Makes the forked process a run: it has its pipe and no other descriptor of the worker, and dies with the worker.
fn become_run(worker: Pid, pipe: OwnedFd, memory_max: u64) -> io::Result<OwnedFd> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The worker may have died before that.
    if getppid() != worker {
        exit(1)
    }
    let low = pipe;
    let pipe = match rustix::io::fcntl_dupfd_cloexec(low.as_fd(), PIPE_FD) {
        // So many descriptors are not allowed.
        Err(rustix::io::Errno::INVAL) => {
            let (fds_max, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
            rustix::io::fcntl_dupfd_cloexec(low.as_fd(), fds_max as RawFd - 1)?
        }
        pipe => pipe?,
    };
    drop(low);
    close_all_but([pipe.as_raw_fd(), temporary::FD])?;
    setrlimit(Resource::RLIMIT_AS, memory_max, memory_max)?;
    Ok(pipe)
}

/// Closes all descriptors except the standard streams and these.
fn close_all_but(mut kept: [RawFd; 2]) -> io::Result<()> {
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, RawFd::MAX)
}

/// Closes the descriptors from `first` to `last`.
fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: in a process that was just forked for a run. What owns these descriptors belongs to functions that it never
    // returns to.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    match Errno::result(closed) {
        // Linux has it since 5.9. Without it a run can reach what is above the standard streams.
        Ok(_) | Err(Errno::ENOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Where the task that was polled last was spawned.
pub fn last_place(heartbeat: &'static Heartbeat) -> Option<Place> {
    if let Some(thread) = call_places::get(heartbeat.thread.load(Relaxed)) {
        return Some(thread.place.clone());
    }
    // SAFETY: a run stores addresses of the executable's own static data, and it was forked from this very process, so
    // the same data lies at the same address here.
    let place = unsafe { heartbeat.place.load(Relaxed).as_ref() };
    place.map(Place::from)
}
