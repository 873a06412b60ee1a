//! A trace file reads back as it was written, and nothing that happened to it since goes unnoticed.

use super::*;
use crate::plan::arbitrary;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{fs, path::Path, path::PathBuf};

mod disk;
mod hostile;

/// One file of each format; they must never change.
const V1: &str = include_str!("../../tests/traces/v1.jsonl");
const V2: &str = include_str!("../../tests/traces/v2.jsonl");

fn v2() -> Trace {
    parse(Path::new("v2.jsonl"), V2.as_bytes()).unwrap()
}

/// What the reader says about a text that is no trace.
#[track_caller]
fn refusal(text: impl AsRef<[u8]>) -> String {
    parse(Path::new("a.jsonl"), text.as_ref()).expect_err("no trace").to_string()
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, why: &str) {
    let refusal = refusal(text);
    assert!(refusal.contains(why), "{refusal}");
}

/// The file of format 2 with another header.
fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let (header, events) = V2.split_once('\n').unwrap();
    let mut header: Value = serde_json::from_str(header).unwrap();
    change(&mut header);
    // Where the format stands in the file matters; serde_json sorts the names.
    let format = header.as_object_mut().unwrap().remove("refrain-trace").unwrap_or_default();
    format!("{{\"refrain-trace\":{format},{}\n{events}", &header.to_string()[1..])
}

#[test]
fn format_1_is_read() {
    let trace = parse(Path::new("v1.jsonl"), V1.as_bytes()).unwrap();
    assert_eq!(trace.sockets, []);
    assert_eq!(trace.test, "link::queries_recover_after_the_link_heals");
    assert_eq!(trace.plan.to_string().lines().nth(2), Some("cut exchange <-> notes at 12.3 s for 4.2 s"));
    assert_eq!(trace.plan.workload[0].value, json!([{"user": "ålice", "weight": 0.1}]));
    assert_eq!(trace.failure.causes.len(), 2);
    assert_eq!((trace.digest.as_str(), trace.left_out, trace.events.len()), ("07c1e5a9b3d2f846", 0, 12));
    assert_eq!(trace.events[8].fields["ratio"], json!(0.1));
    assert_eq!((trace.engine.name.as_str(), trace.build.profile.as_str()), ("madsim", "debug"));
}

#[test]
fn format_2_is_read() {
    let trace = v2();
    let plan = trace.plan.to_string();
    let lose = "lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s";
    assert_eq!(plan.lines().nth(3), Some(lose));
    assert_eq!((trace.events.len(), trace.sockets.len()), (12, 3));
    assert_eq!((trace.sockets[0].state.as_str(), trace.sockets[0].send_queue), ("LISTEN", 1024));
    assert_eq!(trace.sockets[1].timer.as_ref().map(|timer| (timer.name.as_str(), timer.tries)), Some(("on", 3)));
}

#[test]
fn format_2_is_written_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    write(&path, &v2()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), V2);
}

#[test]
fn the_first_difference_is_the_first_event_that_is_not_the_same() {
    let events = v2().events;
    assert_eq!(first_difference(&events, &events), None);
    assert_eq!(first_difference(&[], &[]), None);
    assert_eq!(first_difference(&events, &events[..5]), Some(5));
    assert_eq!(first_difference(&events[..5], &events), Some(5));
    let mut other = events.clone();
    other[3].at += 1;
    other[7].at += 1;
    assert_eq!(first_difference(&events, &other), Some(3));
}

#[test]
fn files_are_named_after_test_and_plan() {
    let (plan, other) = (v2().plan, Plan { seed: 43, ..v2().plan });
    let test = "link::queries_recover_after_the_link_heals";
    // Names outlive builds: a changed hash would save every known failure a second time.
    assert_eq!(file_name(test, &plan, 1), "link.queries_recover_after_the_link_heals-d38aa1b0.jsonl");
    assert_eq!(file_name(test, &plan, 2), "link.queries_recover_after_the_link_heals-d38aa1b0-2.jsonl");
    assert_ne!(file_name(test, &plan, 1), file_name(test, &other, 1));
    let name = file_name(&format!("../a b/{}", "é".repeat(500)), &plan, 1);
    assert!(name.len() <= 180 && !name.contains(['/', ' ']), "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn traces_read_back(plan in arbitrary::plans(), text in arbitrary::texts(), value in arbitrary::values()) {
        let mut trace = Trace { plan, test: text.clone(), left_out: usize::MAX, ..v2() };
        trace.failure.causes.push(text.clone());
        trace.events[0].fields.insert(text.clone(), value);
        trace.events[1].text = text;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        write(&path, &trace).unwrap();
        prop_assert_eq!(read(&path).unwrap(), trace);
    }
}
