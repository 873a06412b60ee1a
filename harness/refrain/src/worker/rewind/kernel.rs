//! What the kernel keeps for this process, apart from its memory: keeps it, and brings it back.

use crate::worker::temporary;
use nix::libc;
use std::{fs, io, mem, os::fd::RawFd, os::unix::fs::MetadataExt, ptr};
use tokio::control;

/// There are signals from 1 to this.
const SIGNAL_MAX: usize = 64;
/// Those that the C library keeps for itself.
const OF_LIBC: [usize; 2] = [32, 33];
/// Links of `/proc/self/task` if there is one thread: the folder's own two, and the thread's.
const LINKS_OF_ONE_THREAD: u64 = 3;

/// What the kernel kept when this was made.
pub struct Kernel {
    actions: [libc::sigaction; SIGNAL_MAX + 1],
    mask: libc::sigset_t,
    signal_stack: libc::stack_t,
    streams: [Option<(u64, u64)>; 3],
    /// The descriptors that stay open, apart from the standard streams, in ascending order.
    open: [RawFd; 4],
}

impl Kernel {
    /// Of this moment. These descriptors stay open.
    pub fn new(mut open: [RawFd; 4]) -> Kernel {
        open.sort_unstable();
        // SAFETY: of integers and pointers zeros are values.
        let mut kernel: Kernel = unsafe { mem::zeroed() };
        kernel.open = open;
        kernel.streams = streams();
        for (signal, action) in signals(&mut kernel.actions) {
            // SAFETY: it only asks.
            unsafe { libc::sigaction(signal, ptr::null(), action) };
        }
        // SAFETY: they only ask.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut kernel.mask);
            libc::sigaltstack(ptr::null(), &mut kernel.signal_stack);
        }
        kernel
    }

    /// Brings it back. `false`: something cannot be undone.
    pub fn rewind(&mut self) -> bool {
        control::reset_time_stamps();
        !control::has_changed_process()
            && end_threads().unwrap_or(false)
            && temporary::empty_own().is_ok()
            && streams() == self.streams
            && self.close_descriptors()
            && self.reset_signals()
    }

    fn close_descriptors(&self) -> bool {
        let (mut first, mut all) = (3, true);
        for fd in self.open {
            all &= close_range(first, fd as libc::c_uint - 1);
            first = fd as libc::c_uint + 1;
        }
        all && close_range(first, libc::c_uint::MAX)
    }

    fn reset_signals(&mut self) -> bool {
        let mut all = true;
        for (signal, action) in signals(&mut self.actions) {
            // SAFETY: this action was installed before, and what it refers to is there again before a signal may come.
            all &= unsafe { libc::sigaction(signal, action, ptr::null_mut()) } == 0;
        }
        // SAFETY: as above.
        all && unsafe {
            libc::sigaltstack(&self.signal_stack, ptr::null_mut()) == 0
                && libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, ptr::null_mut()) == 0
        }
    }
}

fn close_range(first: libc::c_uint, last: libc::c_uint) -> bool {
    // SAFETY: what owns these descriptors is forgotten with the memory.
    first > last || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0
}

/// All signals whose actions can be set.
fn signals(actions: &mut [libc::sigaction]) -> impl Iterator<Item = (libc::c_int, &mut libc::sigaction)> {
    let is_fixed = |signal| signal == libc::SIGKILL || signal == libc::SIGSTOP;
    let all = actions.iter_mut().enumerate().skip(1);
    let free = all.filter(|(signal, _)| !OF_LIBC.contains(signal));
    free.map(|(signal, action)| (signal as libc::c_int, action)).filter(move |(signal, _)| !is_fixed(*signal))
}

/// What the standard streams are.
fn streams() -> [Option<(u64, u64)>; 3] {
    [0, 1, 2].map(|fd| {
        // SAFETY: of integers zeros are values.
        let mut stat: libc::stat = unsafe { mem::zeroed() };
        // SAFETY: it is a valid place for the answer.
        (unsafe { libc::fstat(fd, &mut stat) } == 0).then_some((stat.st_dev, stat.st_ino))
    })
}

/// Ends all threads but this one. `false`: some go on.
fn end_threads() -> io::Result<bool> {
    if fs::metadata("/proc/self/task")?.nlink() == LINKS_OF_ONE_THREAD {
        return Ok(true);
    }
    control::end_threads()
}
