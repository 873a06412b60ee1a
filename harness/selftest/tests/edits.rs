//! Replays of a trace after its service was edited. The edits of the echo service are in `build.rs`.

use crate::driver::{Started, ask};
use refrain::{
    Faults, World,
    place::Place,
    plan::{Nearest, Part, Plan},
    report,
    trace::{self, Build, Engine, Trace},
};
use refrain_core::{
    anchor::Anchor,
    graph::{self, Change},
    job::Ran,
    protocol::{Outcome, Replay, Request},
};
use serde_json::json;
use std::{env, fs, path::Path, process::Command, time::Duration};
use tokio::time::timeout;

/// The service after each edit.
#[allow(dead_code)]
mod service {
    include!(concat!(env!("OUT_DIR"), "/edits/mod.rs"));
}

/// A test of each: a client is answered in time. Only a plan that holds the server's task makes it fail.
macro_rules! tests {
    ($($edit:ident)*) => {$(
        #[refrain::test(runs = 1, without_holds)]
        async fn $edit(world: World) {
            world.host("server", || service::$edit::serve("0.0.0.0:7"));
            let client = world.client("client");
            world.faults(Faults::between("server", "client"));
            let answers = client.run(timeout(Duration::from_secs(1), service::$edit::ask("server:7", &MESSAGES)));
            assert_eq!(answers.await.expect("the answers come within a second").unwrap(), *MESSAGES);
        }
    )*};
}

static MESSAGES: std::sync::LazyLock<Vec<Vec<u8>>> =
    std::sync::LazyLock::new(|| vec![b"one".to_vec(), b"two".to_vec()]);

tests! {
    original comment log_line renamed_local renamed_function new_parameter moved_function new_task extra_await new_field no_task
}

/// The name of the file that the build script has generated.
fn source_of(edit: &str) -> String {
    format!("refrain-selftest-{}/out/edits/{edit}.rs", env!("CARGO_PKG_VERSION"))
}

/// Returns the trace of the original service, in which the answering task is held for two seconds.
fn saved() -> Trace {
    let file = source_of("original");
    let source = include_str!(concat!(env!("OUT_DIR"), "/edits/original.rs"));
    let line = 1 + source.lines().position(|line| line.contains("tokio::spawn(")).unwrap() as u32;
    let hold = format!("hold the 1st task spawned on server at {file}:{line} at its 2nd poll for 2 s");
    let slow = "slow client <-> server by 1 ms when server accepts its 1st connection";
    let plan: Plan = format!("seed 1\n{slow}\n{hold}").parse().unwrap();
    let ran = Started::worker("edits::original").record(json!({ "plan": plan }));
    let ran: Ran = serde_json::from_value(ran).unwrap();
    assert_eq!((ran.plan.clone(), ran.not_triggered), (plan, vec![]));
    Trace {
        test: "edits::original".into(),
        package: "refrain-selftest".into(),
        target: "test/selftest".into(),
        engine: Engine { name: "madsim".into(), version: "0.2.34".into() },
        anchors: vec![Anchor::of(&file, line, source).unwrap()],
        plan: ran.plan,
        failure: ran.verdict.failure().expect("the answers come too late").clone(),
        digest: format!("{:016x}", ran.digest),
        left_out: 0,
        build: Build::this(),
        packages: vec![],
        events: ran.events,
        sockets: vec![],
    }
}

/// Replays the trace as if the original file had been edited.
#[track_caller]
fn replay(edit: &str) -> Replay {
    replay_of(&saved(), edit)
}

#[track_caller]
fn replay_of(saved: &Trace, edit: &str) -> Replay {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.jsonl");
    write_of(saved, edit, &path);
    match ask(&format!("edits::{edit}"), &Request::Replay { trace: path, until: None }) {
        Outcome::Replayed(replay) => replay,
        other => panic!("{other:#?}"),
    }
}

/// Writes the trace as that of an edited service.
fn write_of(saved: &Trace, edit: &str, path: &Path) {
    trace::write(path, saved).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let text =
        text.replace(&source_of("original"), &source_of(edit)).replace("edits::original", &format!("edits::{edit}"));
    fs::write(path, text).unwrap();
}

/// What `cargo test` says of a package with this trace.
fn cargo_test_of(saved: &Trace, edit: &str) -> String {
    // In this workspace, as the sources are looked for in it.
    let package = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(own.join("Cargo.toml"), package.path().join("Cargo.toml")).unwrap();
    fs::create_dir(package.path().join("traces")).unwrap();
    write_of(saved, edit, &package.path().join(format!("traces/edits.{edit}-00000000.jsonl")));
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("edits::{edit}")]).current_dir(package.path());
    let ran = command.env("CARGO_MANIFEST_DIR", package.path()).output().unwrap();
    assert!(!ran.status.success(), "{edit}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn cargo_test_says_what_a_replay_says() {
    let saved = saved();
    for edit in ["comment", "log_line", "new_task", "new_field", "no_task"] {
        let replayed = report::replay(&replay_of(&saved, edit), report::Style::default());
        let tested = cargo_test_of(&saved, edit);
        assert!(tested.contains(&*replayed), "{edit}:\n{tested}\nis not\n{replayed}");
    }
}

#[test]
fn a_trace_is_the_same_run_where_only_lines_have_moved() {
    for edit in
        ["original", "comment", "log_line", "renamed_local", "renamed_function", "new_parameter", "moved_function"]
    {
        let replay = replay(edit);
        assert!(matches!(replay, Replay::Reproduced { diverges: None, .. }), "{edit}: {replay:#?}");
    }
}

#[test]
fn a_trace_fails_in_the_same_way_where_the_run_is_another_one() {
    for edit in ["new_task", "new_field"] {
        match replay(edit) {
            Replay::Reproduced { diverges: Some(from), .. } => {
                assert!(from.saved != from.now && from.nearby.is_none(), "{edit}: {from:#?}");
            }
            other => panic!("{edit}: {other:#?}"),
        }
    }
}

#[test]
fn another_run_names_the_dependencies_that_were_other_ones() {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    let now = graph::needed_by(&graph::locked(&lock), "refrain-selftest");
    let version = |name: &str| now.iter().find(|package| package.name == name).unwrap().version.clone();
    let (mut saved, bytes) = (saved(), version("bytes"));
    for (edit, before) in [("new_task", &bytes), ("new_task", &"1.0.0".to_owned()), ("original", &"1.0.0".to_owned())] {
        saved.packages = now.clone();
        saved.packages.iter_mut().find(|package| package.name == "bytes").unwrap().version = before.clone();
        let Replay::Reproduced { diverges, .. } = replay_of(&saved, edit) else { panic!("{edit}, {before}") };
        assert_eq!(diverges.is_some(), edit == "new_task");
        let change = Change { name: "bytes".into(), before: vec![before.clone()], now: vec![bytes.clone()] };
        let expected = if *before == bytes { vec![] } else { vec![change] };
        assert!(diverges.is_none_or(|from| from.packages == expected), "{edit}, {before}");
    }
}

/// The hold then occurs one poll earlier, and is found in a nearby plan.
#[test]
fn a_trace_is_found_nearby_where_a_task_is_polled_more_often() {
    match replay("extra_await") {
        Replay::Reproduced { diverges, .. } => assert!(diverges.is_none_or(|from| from.event > 0)),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_trace_is_stale_where_the_held_task_is_gone() {
    match replay("no_task") {
        Replay::Stale { not_triggered } => {
            let [hold] = &not_triggered[..] else { panic!("{not_triggered:#?}") };
            assert!(matches!(hold.part, Part::Hold(_)), "{hold:#?}");
            let Nearest::SpawnedAt(places) = &hold.nearest else { panic!("{hold:#?}") };
            assert!(places.iter().any(|place: &Place| place.file == file!()), "{places:?}");
        }
        other => panic!("{other:#?}"),
    }
}
