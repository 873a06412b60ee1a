//! What a run tells its worker, and how its process ends.

use crate::job::RunMessage;
use std::{fs::File, io::Write, os::fd::OwnedFd};

/// The pipe from a run to its worker.
#[derive(Debug)]
pub struct Outlet(File);

impl Outlet {
    /// An outlet into this pipe.
    pub fn new(pipe: OwnedFd) -> Outlet {
        Outlet(pipe.into())
    }

    /// Tells the worker, at once: the next thing that happens may be the end of the process.
    pub fn tell(&self, message: &RunMessage) {
        let mut line = serde_json::to_string(message).expect("plain data goes to JSON");
        line.push('\n');
        // Without a worker there is nobody to tell and nothing to do.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

/// Ends this process at once: no destructor runs, no buffer is written.
pub fn exit(code: i32) -> ! {
    // SAFETY: `_exit` has no precondition.
    unsafe { nix::libc::_exit(code) }
}
