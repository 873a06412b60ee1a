//! Chance that is asked for by the number of a system call.

use crate::sim::kernel;
use libc::{c_long, c_void};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Chance is the plan's by this way, too: getrandom 0.2, and so rand 0.8 and ring, ask the kernel by number.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    if number == libc::SYS_getrandom && kernel::is_running() {
        // SAFETY: the arguments are those of the system call.
        return unsafe { libc::getrandom(a as *mut c_void, b, c as u32) as c_long };
    }
    libcs!(syscall(
        number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize
    ) -> c_long)
}
