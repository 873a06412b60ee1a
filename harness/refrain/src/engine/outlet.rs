//! The pipe from a run to its worker, and how a run's process exits.

use super::counters;
use crate::job::RunMessage;
use std::{fs::File, io::Write, os::fd::OwnedFd, sync::OnceLock};

/// The pipe from a run to its worker.
#[derive(Debug)]
pub struct Outlet(File);

impl Outlet {
    /// Wraps the pipe's write end.
    pub fn new(pipe: OwnedFd) -> Outlet {
        Outlet(pipe.into())
    }

    /// Sends a message to the worker immediately, because the process may end right after.
    pub fn send(&self, message: &RunMessage) {
        let mut line = serde_json::to_string(message).expect("plain data goes to JSON");
        line.push('\n');
        // Without a worker nobody needs the message.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

/// What a process does after a run that has passed, if it makes several.
static AFTER_PASSING: OnceLock<fn()> = OnceLock::new();

/// Lets this process do this after each run that passes, in place of its exit.
pub fn after_passing(then: fn()) {
    let _ = AFTER_PASSING.set(then);
}

/// Ends a run that has passed, and told its worker.
pub fn has_passed() -> ! {
    if let Some(then) = AFTER_PASSING.get() {
        counters::end_run();
        then();
    }
    exit(0)
}

/// Exits this process immediately, without running destructors or flushing buffers. What a run has counted is not lost.
pub fn exit(code: i32) -> ! {
    counters::end_run();
    // SAFETY: `_exit` has no precondition.
    unsafe { nix::libc::_exit(code) }
}
