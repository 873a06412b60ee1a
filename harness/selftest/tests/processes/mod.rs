//! Processes: what runs leave behind, killed processes, and limits on runs.

mod budget;
mod killed;
mod left;
mod limits;
mod rewind;
mod temporary;

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

/// A process that runs, or has run. A process id alone does not identify one: explorations fork so often that the kernel
/// reuses ids within seconds.
#[derive(Debug, Clone, Copy)]
struct Process {
    pid: u32,
    /// Ticks between the boot and its start.
    started: u64,
}

impl Process {
    /// Returns the running process with this id.
    #[track_caller]
    fn of(pid: u32) -> Process {
        let stat = Stat::of(pid).unwrap_or_else(|| panic!("process {pid} does not run"));
        Process { pid, started: stat.started }
    }

    /// Returns its state, unless it is gone or a zombie.
    fn stat(self) -> Option<Stat> {
        Stat::of(self.pid).filter(|stat| stat.state != 'Z' && stat.started == self.started)
    }

    /// Returns whether it is gone or a zombie.
    fn is_gone(self) -> bool {
        self.stat().is_none()
    }
}

/// Fields of `/proc/PID/stat`.
#[derive(Debug)]
struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Stat> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // They follow the name in brackets, from the third on; the name may contain anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let [state, parent, started] = [3, 4, 22].map(|nth| fields.get(nth - 3));
        Some(Stat { state: state?.chars().next()?, parent: parent?.parse().ok()?, started: started?.parse().ok()? })
    }
}

/// Writes a process to the file, if a test requests it.
fn write_down(pid: u32) {
    if let Some(path) = std::env::var_os(PIDS) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{pid} {}\n", Process::of(pid).started).as_bytes()).unwrap();
    }
}

/// Returns the processes in the file.
fn written_down(path: &Path) -> Vec<Process> {
    let process = |line: &str| {
        let (pid, started) = line.split_once(' ')?;
        Some(Process { pid: pid.parse().ok()?, started: started.parse().ok()? })
    };
    fs::read_to_string(path).unwrap_or_default().lines().filter_map(process).collect()
}

/// Starts an exploration of a test in this module, with this many runs and one worker.
fn explore(test: &str, runs: u64, pids: &Path) -> Started {
    let request = Request::explore(1, Budget::Runs(runs), Some(1));
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

/// Returns the children of a process.
fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| Stat::of(*child).is_some_and(|stat| stat.parent == pid)).collect()
}

fn kill_now(pid: u32) {
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
}
