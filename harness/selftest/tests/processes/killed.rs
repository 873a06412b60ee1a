//! When a process is killed, everything that it started dies too, and lost work is repeated.

use super::{Process, children, eventually, explore, kill_now, write_down, written_down};
use crate::driver::{Started, ask};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{ForkResult, Pid, fork, pause, setsid},
};
use refrain::World;
use refrain_core::{
    protocol::{Budget, Exploration, Machine, Outcome, Request},
    verdict::Class,
};
use std::{process::id, thread, time::Duration};
use tempfile::NamedTempFile;

/// An endless poll, and a daemon if a test tracks them.
#[refrain::test(runs = 1, poll_limit = "1h", allow = ["processes"])]
async fn goes_on_for_ever(_world: World) {
    if std::env::var_os(super::PIDS).is_none() {
        return;
    }
    // SAFETY: the run's other thread waits for this one and holds no lock.
    if let ForkResult::Child = unsafe { fork() }.unwrap() {
        setsid().unwrap();
        write_down(id());
        loop {
            pause();
        }
    }
    write_down(id());
    loop {
        pause();
    }
}

#[refrain::test(runs = 1, allow = ["processes"])]
async fn takes_a_while(_world: World) {
    if std::env::var_os(super::PIDS).is_some() {
        write_down(id());
        crate::machine::sleep(Duration::from_millis(20));
    }
}

/// Returns the guard and the worker of a test with one worker.
fn guard_and_worker(test: u32) -> Option<(u32, u32)> {
    let guard = *children(test).first()?;
    Some((guard, *children(guard).first()?))
}

/// Starts a test, and returns it with the file of processes, its guard and its worker once a run and its daemon are in that file.
fn started() -> (Started, NamedTempFile, u32, u32) {
    let pids = NamedTempFile::new().unwrap();
    let test = explore("killed::goes_on_for_ever", 1, pids.path());
    eventually("a run and its daemon", || written_down(pids.path()).len() == 2);
    let (guard, worker) = guard_and_worker(test.id()).unwrap();
    (test, pids, guard, worker)
}

/// Waits for the second worker, kills the test, and waits until nothing of it is left.
fn end(test: &Started, pids: &NamedTempFile) {
    eventually("another worker", || written_down(pids.path()).len() == 4);
    kill_now(test.id());
    eventually("the end of the other worker", || written_down(pids.path()).iter().all(|process| process.is_gone()));
}

/// Kills the test (0), the guard (1) or the worker (2).
fn check(victim: usize) {
    let (test, pids, guard, worker) = started();
    let mut all = written_down(pids.path());
    all.extend([guard, worker].map(Process::of));
    kill_now([test.id(), guard, worker][victim]);
    eventually("the end of what was below it", || all.iter().all(|process| process.is_gone()));
    if victim > 0 {
        end(&test, &pids);
    }
}

#[test]
fn everything_dies_with_the_test() {
    check(0);
}

#[test]
fn everything_dies_with_the_guard() {
    check(1);
}

#[test]
fn everything_dies_with_the_worker() {
    check(2);
}

/// Neither can see that the other is gone: both stand still when they are killed.
#[test]
fn everything_dies_with_guard_and_worker_at_once() {
    let (test, pids, guard, worker) = started();
    let mut all = written_down(pids.path());
    all.extend([guard, worker].map(Process::of));
    for pid in [guard, worker] {
        kill(Pid::from_raw(pid as i32), Signal::SIGSTOP).unwrap();
    }
    for pid in [guard, worker] {
        kill_now(pid);
    }
    eventually("the end of what was below them", || all.iter().all(|process| process.is_gone()));
    end(&test, &pids);
}

/// `cargo refrain` holds the other end of the test's standard input.
#[test]
fn everything_dies_with_the_command() {
    let (test, pids, guard, worker) = started();
    let mut all = written_down(pids.path());
    all.extend([test.id(), guard, worker].map(Process::of));
    // Dropping it waits for the test's exit.
    drop(test);
    eventually("the end of the test", || all.iter().all(|process| process.is_gone()));
}

/// It is repeated, too, but the machine has not interfered.
#[test]
fn what_kills_itself_each_time_is_not_blamed_on_the_machine() {
    let request = Request::explore(1, Budget::Runs(1), Some(1));
    let outcome = ask("verdicts::deaths::a_kill_from_outside_is_caught", &request);
    let Outcome::Explored(Exploration { caught: Some(caught), machine, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((caught.failure.class, machine.made_again), (Class::Crash, 0));
}

#[test]
fn what_is_killed_from_outside_is_made_again() {
    const RUNS: u64 = 60;
    let pids = NamedTempFile::new().unwrap();
    let mut test = explore("killed::takes_a_while", RUNS, pids.path());
    let id = test.id();
    // A test whose reports nobody reads pauses.
    let outcome = thread::spawn(move || test.outcome());
    let runs = |count: usize| eventually("runs", || written_down(pids.path()).len() >= count);
    for (nth, victim) in ["run", "guard", "run", "worker", "run"].into_iter().enumerate() {
        runs(6 * (nth + 1));
        eventually("something to kill", || {
            let Some((guard, worker)) = guard_and_worker(id) else { return false };
            let run = children(worker).first().copied();
            let victim = match victim {
                "run" => run,
                "guard" => run.and(Some(guard)),
                _ => run.and(Some(worker)),
            };
            // It may be gone already.
            victim.is_some_and(|pid| kill(Pid::from_raw(pid as i32), Signal::SIGKILL).is_ok())
        });
    }
    let outcome = outcome.join().expect("it does not panic");
    let Outcome::Explored(Exploration { runs, caught: None, machine: Machine { made_again, .. }, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(runs, RUNS);
    assert!((2..=5).contains(&made_again), "{made_again}");
}
