//! System calls that are made by their number, through libc's `syscall`.

use super::futex::futex;
use crate::sim::kernel;
use libc::{c_long, c_void};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Chance is the plan's by this way, too: getrandom 0.2, and so rand 0.8 and ring, ask the kernel by number. std and parking_lot wait so.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    if number == libc::SYS_getrandom && kernel::is_running() {
        // SAFETY: the arguments are those of the system call.
        return unsafe { libc::getrandom(a as *mut c_void, b, c as u32) as c_long };
    }
    if number == libc::SYS_futex
        && let Some(answer) = futex([a, b, c, d, e, f])
    {
        if answer >= 0 {
            return answer as c_long;
        }
        // SAFETY: this thread's own.
        unsafe { *libc::__errno_location() = -answer as i32 };
        return -1;
    }
    libcs!(syscall(
        number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize
    ) -> c_long)
}
