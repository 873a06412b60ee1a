//! Credentials of a peer.

use super::{gid_t, pid_t, uid_t};
use std::{fs, io, os::unix::fs::MetadataExt};

/// Credentials of a process.
///
/// The process id is simulated: no real process has it. User and group are those of the test process.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct UCred {
    pid: pid_t,
    uid: uid_t,
    gid: gid_t,
}

impl UCred {
    pub(super) fn of(pid: pid_t) -> io::Result<UCred> {
        let this = fs::metadata("/proc/self")?;
        Ok(UCred { pid, uid: this.uid(), gid: this.gid() })
    }

    /// Returns the user id.
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// Returns the group id.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// Returns the process id.
    pub fn pid(&self) -> Option<pid_t> {
        Some(self.pid)
    }
}
