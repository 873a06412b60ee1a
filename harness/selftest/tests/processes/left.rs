//! Services that leave processes behind, in every way in which a process can detach from its parent.

use super::{explore, write_down, written_down};
use nix::unistd::{ForkResult, close, fork, pause, setsid};
use refrain::World;
use refrain_core::{
    protocol::{Exploration, Outcome},
    verdict::Class,
};
use std::{
    future::pending,
    os::unix::process::CommandExt,
    process::{Command, exit, id},
    time::Duration,
};

/// Runs `child` in a forked process.
fn fork_off(child: fn()) {
    // SAFETY: the run's other thread waits for this one and holds no lock.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            child();
            exit(0)
        }
        // Not by the child: the run may end, and the child with it, before the child gets to it.
        ForkResult::Parent { child } => write_down(child.as_raw() as u32),
    }
}

fn waits_for_ever() {
    loop {
        pause();
    }
}

fn spins() {
    loop {
        std::hint::black_box(());
    }
}

async fn in_a_host(world: World, service: fn()) {
    world.host("server", move || async move {
        service();
        pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 2, allow = ["processes"])]
async fn a_child_that_has_the_runs_pipe(world: World) {
    in_a_host(world, || fork_off(waits_for_ever)).await;
}

#[refrain::test(runs = 2, allow = ["processes"])]
async fn a_child_that_computes(world: World) {
    in_a_host(world, || fork_off(spins)).await;
}

#[refrain::test(runs = 2, allow = ["processes"])]
async fn a_daemon_in_a_session_of_its_own(world: World) {
    in_a_host(world, || {
        fork_off(|| {
            setsid().unwrap();
            fork_off(|| {
                setsid().unwrap();
                fork_off(waits_for_ever);
            });
        });
    })
    .await;
}

#[refrain::test(runs = 2, allow = ["processes"])]
async fn many_daemons(world: World) {
    in_a_host(world, || {
        for _ in 0..50 {
            fork_off(|| {
                setsid().unwrap();
                fork_off(waits_for_ever);
            });
        }
    })
    .await;
}

#[refrain::test(runs = 2, allow = ["processes"])]
async fn another_program(world: World) {
    in_a_host(world, || write_down(Command::new("sleep").arg("1000").spawn().unwrap().id())).await;
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop", allow = ["processes"])]
async fn a_run_that_closes_everything_and_spins(world: World) {
    in_a_host(world, || {
        write_down(id());
        for fd in 0..1100 {
            let _ = close(fd);
        }
        spins();
    })
    .await;
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop", allow = ["processes"])]
async fn a_run_that_becomes_another_program(world: World) {
    in_a_host(world, || {
        write_down(id());
        panic!("{}", Command::new("sleep").arg("1000").exec());
    })
    .await;
}

#[track_caller]
fn check(test: &str, caught: Option<Class>) {
    let pids = tempfile::NamedTempFile::new().unwrap();
    let outcome = explore(&format!("left::{test}"), 3, pids.path()).outcome();
    let Outcome::Explored(Exploration { caught: found, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(found.map(|found| found.failure.class), caught);
    let pids = written_down(pids.path());
    assert!(pids.len() >= if caught.is_some() { 1 } else { 3 }, "{pids:?}");
    let left: Vec<_> = pids.into_iter().filter_map(|process| Some((process, process.stat()?))).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn nothing_that_a_run_starts_outlives_it() {
    check("a_child_that_has_the_runs_pipe", None);
    check("a_child_that_computes", None);
    check("a_daemon_in_a_session_of_its_own", None);
    check("many_daemons", None);
    check("another_program", None);
}

#[test]
fn a_run_that_can_no_longer_be_heard_is_ended() {
    check("a_run_that_closes_everything_and_spins", Some(Class::EndlessLoop));
    check("a_run_that_becomes_another_program", Some(Class::EndlessLoop));
}
