//! `cargo refrain model`: which operations become threads, and which traces are rejected.

use super::fixture::{Ran, fixture, refrain, saved, task};
use refrain_core::{
    event::{Event, Kind, Level, Log},
    trace,
    verdict::{Class, Property},
};
use serde_json::json;
use std::fs;

/// Returns a trace in which tasks of one host perform operations on sessions: task, session, operation.
pub fn trace_of(name: &str, class: Class, did: &[(&str, u64, &str)]) -> String {
    let path = saved(&format!("models/{name}.jsonl"), "sessions::race", None);
    let mut trace = trace::read(&path).expect("it was written");
    trace.failure.class = class;
    trace.failure.property = Property::ClosedOnce("notes.session".into());
    let said = |(at, (line, id, what)): (usize, &(&str, u64, &str))| Event {
        at: at as u64 * 1_000_000,
        host: "notes".into(),
        task: Some(task(&format!("src/server.rs:{line}"))),
        kind: Kind::Log(Log {
            level: Level::Info,
            target: "calcon::session".into(),
            message: what.to_string(),
            fields: [("kind".to_owned(), json!("notes.session")), ("id".to_owned(), json!(id))].into(),
            spans: vec![],
        }),
    };
    trace.events.extend(did.iter().enumerate().map(said));
    trace::write(&path, &trace).expect("it can be written");
    path.display().to_string()
}

/// Writes a model of the trace; returns the command's output and the written file.
pub fn model(trace: &str, name: &str, core: &str) -> (Ran, Option<String>) {
    let output = format!("models/{name}.rs");
    // May exist from an earlier run.
    let _ = fs::remove_file(fixture().join(&output));
    let ran = refrain(&["model", trace, "--core", core, "--type", "Session", "--output", &output]);
    (ran, fs::read_to_string(fixture().join(output)).ok())
}

/// Two tasks release the same session concurrently.
pub const ROUND_TRIP: [(&str, u64, &str); 9] = [
    ("1", 7, "opened"),
    ("2", 7, "acquired"),
    ("9", 8, "opened"),
    ("2", 7, "handed over"),
    ("1", 7, "released"),
    ("9", 8, "closed"),
    ("2", 7, "released"),
    ("1", 7, "closed"),
    ("2", 7, "closed"),
];

#[test]
fn the_last_operations_of_the_tasks_become_threads() {
    let (ran, written) = model(&trace_of("race", Class::DoubleClose, &ROUND_TRIP), "race", "src/lib.rs");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout, "written models/race.rs; run it with `cargo test --test race`\n");
    insta::assert_snapshot!(written.expect("written"));
}

#[test]
fn what_is_written_is_not_written_over() {
    let did = [("1", 7, "opened"), ("2", 7, "acquired"), ("1", 7, "released"), ("2", 7, "released")];
    let trace = trace_of("twice", Class::DoubleClose, &did);
    let (first, written) = model(&trace, "twice", "src/lib.rs");
    assert_eq!(first.code, 0, "{first:?}");
    let output = fixture().join("models/twice.rs");
    let output = output.to_str().expect("UTF-8");
    let again = refrain(&["model", &trace, "--core", "src/lib.rs", "--type", "Other", "--output", output]);
    assert_eq!(again.code, 3, "{again:?}");
    assert!(again.stderr.contains("the file exists: remove it, or name another one"), "{again:?}");
    assert_eq!(fs::read_to_string(output).ok(), written);
}

#[test]
fn of_one_task_no_model_is_made() {
    let did = [("1", 7, "opened"), ("1", 7, "acquired"), ("1", 7, "released"), ("1", 7, "closed")];
    let (ran, written) = model(&trace_of("alone", Class::DoubleClose, &did), "alone", "src/lib.rs");
    assert_eq!((ran.code, written), (3, None));
    let why =
        "only one task did something to notes.session 7 around the failure (released): there is nothing to interleave";
    assert!(ran.stderr.contains(why), "{ran:?}");
}

#[test]
fn a_service_that_reports_nothing_is_told_how() {
    let (ran, written) = model(&trace_of("silent", Class::Stall, &[]), "silent", "src/lib.rs");
    assert_eq!((ran.code, written), (3, None));
    assert!(ran.stderr.contains("have the service report them, as `tracing` events"), "{ran:?}");
}

#[test]
fn a_core_that_is_not_there_is_named() {
    let did = [("1", 7, "opened"), ("2", 7, "acquired"), ("1", 7, "released"), ("2", 7, "released")];
    let (ran, written) = model(&trace_of("coreless", Class::DoubleClose, &did), "coreless", "src/nowhere.rs");
    assert_eq!((ran.code, written), (3, None));
    assert!(ran.stderr.contains("src/nowhere.rs: "), "{ran:?}");
}
