//! The kernel's own wait at an address, for the harness.

use super::call_kernel;
use std::sync::atomic::AtomicU32;

fn futex(at: &AtomicU32, operation: i32, value: u32) {
    let args = [at.as_ptr() as usize, (operation | libc::FUTEX_PRIVATE_FLAG) as usize, value as usize, 0, 0, 0];
    call_kernel(libc::SYS_futex, args);
}

/// Waits until someone wakes, if this is the value. May return early.
pub(crate) fn wait(at: &AtomicU32, value: u32) {
    futex(at, libc::FUTEX_WAIT, value);
}

/// Wakes one that waits.
pub(crate) fn wake(at: &AtomicU32) {
    futex(at, libc::FUTEX_WAKE, 1);
}
