//! Kills what runs have started after their worker and its guard were killed at the same time.
//!
//! The test process is a subreaper, too, and adopts orphans below it. It also has children of its own, other tests' among them.
//! To tell them apart, a worker marks itself, and everything that a run starts inherits the mark, across forks, sessions and
//! execs.
//!
//! So nothing that a run has started outlives the test as long as one of three lives: the test process, the guard or the worker.
//! If all three are killed at the same time, only the run itself is guaranteed to die, by its parent death signal.

use super::descendants::{GONE_MAX, LOOK_EVERY, children};
use nix::{
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use std::{fs, io, thread, time::Instant};

/// The mark: the highest `oom_score_adj`, which no other process of the test has and only root can lower.
const MARK: &str = "1000";

/// Marks this worker and everything that it will start. If memory runs out, the kernel kills a run first, which is repeated.
pub fn mark() {
    // Where this is forbidden, no process is marked, and none is killed by mistake.
    let _ = fs::write("/proc/self/oom_score_adj", MARK);
}

/// Makes this test process adopt the orphans below it.
pub fn adopt() -> io::Result<()> {
    Ok(prctl::set_child_subreaper(true)?)
}

/// Kills the marked children of this process, and their descendants.
pub fn end_all() {
    // This process is marked itself, so its own children cannot be told apart.
    if is_marked("self") {
        return;
    }
    let started = Instant::now();
    while started.elapsed() < GONE_MAX {
        let orphans: Vec<Pid> = children().filter(|child| is_marked(&child.to_string())).collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            let _ = kill(orphan, Signal::SIGKILL);
            // If it is not gone yet, the next round finds it again.
            let _ = waitpid(orphan, Some(WaitPidFlag::WNOHANG));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn is_marked(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/oom_score_adj")).is_ok_and(|score| score.trim() == MARK)
}
