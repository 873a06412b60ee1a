//! Processes: what runs leave behind, killed processes, and limits on runs.

mod budget;
mod killed;
mod left;
mod limits;

use crate::driver::Started;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use refrain_core::protocol::{Budget, Request};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The file to which a process writes its id, so that a test can check whether it is gone.
const PIDS: &str = "REFRAIN_SELFTEST_PIDS";
/// Time limit for anything here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a process id to the file, if a test requests it.
fn write_down(pid: u32) {
    if let Some(path) = std::env::var_os(PIDS) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{pid}\n").as_bytes()).unwrap();
    }
}

/// Returns the process ids in the file.
fn written_down(path: &Path) -> Vec<u32> {
    fs::read_to_string(path).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect()
}

/// Starts an exploration of a test in this module, with this many runs and one worker.
fn explore(test: &str, runs: u64, pids: &Path) -> Started {
    let request = Request::Explore { seed: 1, budget: Budget::Runs(runs), jobs: Some(1) };
    Started::command(&format!("processes::{test}"), &request, &[(PIDS, pids)])
}

/// Waits until a condition holds.
#[track_caller]
fn eventually(what: &str, is_true: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns whether a process is gone or a zombie.
fn is_gone(pid: u32) -> bool {
    state_and_parent(pid).is_none_or(|(state, _)| state == 'Z')
}

/// Returns the children of a process.
fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| state_and_parent(*child).is_some_and(|(_, parent)| parent == pid)).collect()
}

fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn kill_now(pid: u32) {
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
}
