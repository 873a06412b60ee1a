//! Plans that were edited, or saved by another version of their test: rejected, stale, or executed.

use crate::driver::ask;
use refrain::{
    Client, Faults, World,
    place::Place,
    plan::{Nearest, NotTriggered, Part, Plan},
    socket::STATES,
    trace::{self, Build, Engine, Trace},
    verdict::{Actor, Cause, Class, Detail, Failure, Property},
};
use refrain_core::protocol::{Budget, Outcome, Replay, Request};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The test of these plans: a server that closes each connection after a while, and a client with one connection.
#[refrain::test(runs = 20)]
async fn a_connection_ends(world: World, #[any(1u16..1000)] after_ms: u16) {
    world.host("server", move || async move {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms.into())).await;
                drop(stream);
            });
        }
    });
    let client = world.client("client");
    world.faults(Faults::between("server", "client").slowdowns());
    let read = async {
        let mut stream = TcpStream::connect("server:80").await?;
        stream.read(&mut [0]).await
    };
    let _ = client.run(tokio::time::timeout(Duration::from_secs(100), read)).await;
}

/// An echo server on port 80.
fn echo(world: &World) -> Client {
    world.host("server", || async move {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut reader, mut writer) = stream.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
    });
    world.client("client")
}

/// Sends requests to the echo server.
async fn ask_often(client: &Client, times: u32) {
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let asked = async {
            let mut stream = TcpStream::connect("server:80").await?;
            stream.write_all(b"?").await?;
            stream.read(&mut [0]).await
        };
        let _ = client.run(tokio::time::timeout(Duration::from_secs(1), asked)).await;
    }
}

/// Requests its faults only after the first messages.
#[refrain::test(runs = 100)]
async fn faults_are_asked_for_late(world: World) {
    let client = echo(&world);
    ask_often(&client, 100).await;
    world.faults(Faults::between("server", "client").resets());
    ask_often(&client, 100).await;
}

/// Fails while the server is down.
#[refrain::test(runs = 1)]
async fn a_question_fails(world: World) {
    let client = echo(&world);
    world.faults(Faults::between("server", "client"));
    tokio::time::sleep(Duration::from_millis(10)).await;
    client.run(TcpStream::connect("server:80")).await.expect("the server is there");
}

/// The same without faults.
#[refrain::test(runs = 1)]
async fn nothing_goes_wrong(world: World) {
    world.client("client");
}

/// Asks once, heals everything, and then asks for a second and more.
#[refrain::test(runs = 1, without_holds)]
async fn everything_is_healed_in_between(world: World) {
    let client = echo(&world);
    world.faults(Faults::between("server", "client"));
    ask_often(&client, 1).await;
    world.heal().await;
    ask_often(&client, 100).await;
}

fn replay(test: &str, plan: &str) -> Outcome {
    let trace = Trace {
        test: test.into(),
        package: "refrain-selftest".into(),
        target: "test/plans".into(),
        engine: Engine { name: "madsim".into(), version: "0.2.34".into() },
        plan: plan.parse::<Plan>().unwrap(),
        failure: Failure {
            class: Class::Panic,
            property: Property::NoPanic,
            place: None,
            detail: Detail::Panicked {
                by: Actor::Test,
                message: "it once panicked".into(),
                backtrace: Default::default(),
            },
            causes: vec![],
        },
        digest: "0123456789abcdef".into(),
        left_out: 0,
        build: Build::this(),
        packages: vec![],
        events: vec![],
        sockets: vec![],
        anchors: vec![],
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.jsonl");
    trace::write(&path, &trace).unwrap();
    ask(test, &Request::Replay { trace: path, until: None })
}

#[track_caller]
pub fn refused(test: &str, plan: &str, why: &str) {
    match replay(test, plan) {
        Outcome::Refused(said) => assert!(said.contains(why), "{said:?} does not say {why:?}"),
        other => panic!("{plan:?} is not refused: {other:#?}"),
    }
}

/// Checks which parts of a passing plan are reported as not triggered; if none, the plan passes.
#[track_caller]
fn not_triggered(test: &str, plan: &str, wanted: &[(Part, Nearest)]) {
    let wanted: Vec<_> = wanted.iter().cloned().map(|(part, nearest)| NotTriggered { part, nearest }).collect();
    match replay(test, plan) {
        Outcome::Replayed(Replay::Stale { not_triggered }) => assert_eq!(not_triggered, wanted),
        Outcome::Replayed(Replay::PassesNow) => assert_eq!(wanted, []),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_plan_names_hosts_that_there_are() {
    let plan = |fault: &str| format!("seed 1\nafter_ms = 5\n{fault}");
    let refused = |fault: &str, why| refused("plans::a_connection_ends", &plan(fault), why);
    let known = "refers to the host \"sever\"; when the test requests its faults, its hosts are: server, client";
    refused("cut sever <-> client at 1 s", known);
    refused("cut server -> sever at 1 s", known);
    refused("kill sever at 1 s", known);
    refused("cut server <-> client when sever accepts its 1st connection", known);
    refused("cut server <-> client when client -> sever makes its 2nd write", known);
    let served = "\"client\", which runs no process of the service; these do: server";
    refused("crash client at 1 s and reboot it after 1 s", served);
    refused("pause client at 1 s", served);
}

#[test]
fn what_can_never_begin_is_refused() {
    let late = "cut client <-> server when server accepts its 2nd connection";
    let refused = |why: &str| refused("plans::faults_are_asked_for_late", &format!("seed 1\n{late}"), why);
    refused(&format!(
        "the fault `{late}` can never start: when the test requests it, its trigger has already occurred "
    ));
}

#[test]
fn a_verdict_names_what_was_not_triggered() {
    let idle = "cut client <-> server when server accepts its 9th connection";
    match replay("plans::a_question_fails", &format!("seed 1\nkill server at 0 s\n{idle}")) {
        Outcome::Replayed(Replay::Differs { failure, .. }) => {
            let fault = Part::Fault(idle.parse().unwrap());
            assert_eq!(failure.causes.last(), Some(&Cause::NotTriggered(fault)), "{failure:#?}");
        }
        other => panic!("{other:#?}"),
    }
}

/// Triggers count from the request for faults, whatever happened before.
#[test]
fn faults_that_are_drawn_late_still_begin() {
    let request = Request::explore(1, Budget::OfTest, Some(1));
    match ask("plans::faults_are_asked_for_late", &request) {
        Outcome::Explored(explored) => {
            let resets = &explored.coverage.faults["reset"];
            assert!(resets.began > resets.planned / 4, "{resets:?}");
            assert!(resets.met.keys().all(|state| STATES.contains(&state.as_str())), "{resets:?}");
            assert!(resets.met.contains_key("ESTAB"), "{resets:?}");
        }
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_workload_fits_the_tests_parameters() {
    let refused = |plan: &str, why| refused("plans::a_connection_ends", plan, why);
    let takes = "the plan's workload does not match the test, which takes (after_ms)";
    refused("seed 1", takes);
    refused("seed 1\nafter_s = 5", takes);
    refused("seed 1\nafter_ms = 5\nmore = 5", takes);
    let wrong = "the plan's workload argument `after_ms` does not match the test's type";
    refused("seed 1\nafter_ms = \"soon\"", wrong);
    refused("seed 1\nafter_ms = 65536", wrong);
    refused("seed 1\nafter_ms = null", wrong);
    refused("seed 1\nafter_ms = [1]", "The test has changed since the trace was saved: delete the trace");
}

#[test]
fn a_plan_with_faults_that_the_test_never_asks_for_is_stale() {
    let fault = "cut client <-> client at 1 s";
    let part = Part::Fault(fault.parse().unwrap());
    not_triggered("plans::nothing_goes_wrong", &format!("seed 1\n{fault}"), &[(part, Nearest::NotAsked)]);
}

#[test]
fn a_plan_of_which_parts_are_not_triggered_is_stale_and_tells_what_came_nearest() {
    let test = "plans::a_connection_ends";
    let begins = "seed 1\nafter_ms = 5";
    let begun = format!("{begins}\nreset client <-> server when client -> server starts its 1st connect");
    not_triggered(test, &begun, &[]);
    let cut = "cut client <-> server when server accepts its 9th connection";
    let fault = |fault: &str| Part::Fault(fault.parse().unwrap());
    not_triggered(test, &format!("{begun}\n{cut}"), &[(fault(cut), Nearest::Happened(1))]);
    let kill = "kill server at 18446744073709551615 s and restart it after 1 s";
    match replay(test, &format!("{begins}\n{kill}")) {
        Outcome::Replayed(Replay::Stale { not_triggered }) => {
            assert!(matches!(not_triggered[0].nearest, Nearest::Ended(at) if at < 1_000_000_000), "{not_triggered:#?}");
        }
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_fault_that_comes_after_everything_is_healed_is_stale() {
    for late in ["cut client <-> server when server accepts its 2nd connection", "cut client <-> server at 900 ms"] {
        let part = Part::Fault(late.parse().unwrap());
        let plan = format!("seed 1\n{late}");
        not_triggered("plans::everything_is_healed_in_between", &plan, &[(part, Nearest::Healed)]);
    }
}

#[test]
fn a_hold_that_is_not_triggered_tells_where_tasks_are() {
    let test = "plans::a_connection_ends";
    let source = include_str!("plans.rs");
    let spawns = 1 + source.lines().position(|line| line.trim() == "tokio::spawn(async move {").unwrap() as u32;
    let file = file!();
    let there = Place { file: file.to_owned(), line: spawns };
    let stale = |nth: &str, line: u32, poll: &str, nearest| {
        let hold = format!(
            "hold the {nth} task spawned on server at {file}:{line} at its {poll} poll until nothing else can run"
        );
        let part = Part::Hold(hold.parse().unwrap());
        not_triggered(test, &format!("seed 1\nafter_ms = 5\n{hold}"), &[(part, nearest)]);
    };
    stale("1st", spawns, "77th", Nearest::Polled(2));
    stale("7th", spawns, "1st", Nearest::Spawned(1));
    let main = Place { line: spawns - 4, ..there.clone() };
    stale("1st", spawns + 1, "1st", Nearest::SpawnedAt(vec![there, main]));
}

#[test]
fn a_plan_without_measure_passes_or_fails_but_breaks_nothing() {
    let longest = "18446744073709551615.999999999 s";
    for fault in [
        format!("slow client <-> server by {longest} at 0 s for {longest}"),
        format!("pause server at {longest} for {longest}"),
        format!("crash server at 1 ms and reboot it after {longest}"),
        "slow server <-> server by 1 s at 0 s\ncut server <-> server at 0 s\nreset server <-> server at 1 ms".into(),
        "cut client <-> server when server accepts its 4294967295th connection".into(),
    ] {
        let outcome = replay("plans::a_connection_ends", &format!("seed 1\nafter_ms = 5\n{fault}"));
        let passes = matches!(outcome, Outcome::Replayed(Replay::PassesNow | Replay::Stale { .. }));
        assert!(passes, "{fault}: {outcome:#?}");
    }
}
