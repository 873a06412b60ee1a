//! The harness's own sections of a run.

use std::cell::Cell;

thread_local! {
    /// Whether this thread executes the harness's own code.
    static IS_HARNESS: Cell<bool> = const { Cell::new(false) };
}

/// Lets a closure of the harness make any system call, and allocate without a change of the run's heap.
#[inline]
pub fn unguarded<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(IS_HARNESS.replace(true));
    f()
}

/// Whether the harness's own code runs on this thread.
pub(crate) fn is_unguarded() -> bool {
    IS_HARNESS.get()
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        IS_HARNESS.set(self.0);
    }
}
