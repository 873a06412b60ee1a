//! Ends every process that a run has left behind, however it was started.
//!
//! A worker and its guard are subreapers: whoever loses its parent below them becomes their child, after a double fork and
//! in a session of its own, too. So it is enough to end children until there are none.

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpid},
};
use std::{
    fs, io, thread,
    time::{Duration, Instant},
};

/// How long a killed process may take to be gone; one in the middle of a disk operation takes a while.
pub const GONE_MAX: Duration = Duration::from_secs(10);
/// How often it is looked whether they are gone.
pub const LOOK_EVERY: Duration = Duration::from_micros(200);

/// Kills all children of this process, and theirs, until there are none.
pub fn end_all() -> io::Result<()> {
    let started = Instant::now();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return Ok(()),
            Ok(WaitStatus::StillAlive) if started.elapsed() > GONE_MAX => {
                let left: Vec<_> = children().map(|pid| pid.to_string()).collect();
                return Err(io::Error::other(format!(
                    "a run left processes that are not gone {} s after they were killed: {}",
                    GONE_MAX.as_secs(),
                    left.join(", ")
                )));
            }
            Ok(WaitStatus::StillAlive) => {
                for child in children() {
                    let _ = kill(child, Signal::SIGKILL);
                }
                thread::sleep(LOOK_EVERY);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The children of this process. `/proc/PID/task/TID/children` would be faster, and not every kernel has it.
pub fn children() -> impl Iterator<Item = Pid> {
    let this = getpid();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(move |pid| parent_of(*pid) == Some(this)).map(Pid::from_raw)
}

/// The second field after the name in brackets, which may hold anything.
fn parent_of(pid: i32) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(Pid::from_raw(fields.split_whitespace().nth(1)?.parse().ok()?))
}
