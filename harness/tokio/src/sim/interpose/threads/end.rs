//! Ends all threads of a process but one, wherever they are: nothing of them goes on, no destructor either.

use crate::sim::interpose::guard::call_kernel;
use crate::sim::section::unguarded;
use libc::{c_int, pid_t, timespec};
use std::{fs, io, mem, ptr};

/// The signal at which a thread ends. Services do not use it: it is the last but one of those that have no name.
const SIGNAL: c_int = 63;
/// How often it is looked whether they have ended, and how long it takes from one time to the next.
const LOOKS_MAX: u32 = 5_000;
static LOOK_EVERY: timespec = timespec { tv_sec: 0, tv_nsec: 20_000 };

/// Ends all threads of this process but this one. Returns whether none goes on. Their memory stays as it is.
///
/// # Errors
/// If the machine does not tell which threads there are, or accept the signal.
pub fn end_threads() -> io::Result<bool> {
    unguarded(|| {
        // SAFETY: of integers and pointers zeros are values.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        action.sa_sigaction = end as *const () as usize;
        // SAFETY: the handler makes one system call and does not return.
        if unsafe { libc::sigaction(SIGNAL, &action, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let process = call_kernel(libc::SYS_getpid, [0; 6]) as usize;
        for _ in 0..LOOKS_MAX {
            let others = others()?;
            if others.is_empty() {
                return Ok(true);
            }
            for other in others {
                call_kernel(libc::SYS_tgkill, [process, other as usize, SIGNAL as usize, 0, 0, 0]);
            }
            // This thread's clock may still be that of the run.
            call_kernel(libc::SYS_nanosleep, [(&raw const LOOK_EVERY).addr(), 0, 0, 0, 0, 0]);
        }
        Ok(false)
    })
}

/// The numbers of the other threads.
fn others() -> io::Result<Vec<pid_t>> {
    let own = call_kernel(libc::SYS_gettid, [0; 6]) as pid_t;
    let mut others = vec![];
    for entry in fs::read_dir("/proc/self/task")? {
        let id = entry?.file_name().to_str().and_then(|name| name.parse::<pid_t>().ok());
        others.extend(id.filter(|id| *id != own));
    }
    Ok(others)
}

extern "C" fn end(_: c_int) {
    call_kernel(libc::SYS_exit, [0; 6]);
}
