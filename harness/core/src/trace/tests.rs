//! A trace file reads back as it was written, and modified files are rejected.

use super::*;
use crate::{
    arbitrary,
    event::{Kind, Level},
    graph::Package,
    place::Task,
    plan::{self, Part},
    verdict::{Cause, Property},
};
use proptest::{collection, prelude::*};
use serde_json::{Value, json};
use std::{fs, path::Path, path::PathBuf};

mod disk;
mod hostile;

/// A file of the format, which must never change.
const V3: &str = include_str!("../../tests/traces/v3.jsonl");

fn v3() -> Trace {
    parse(Path::new("v3.jsonl"), V3.as_bytes()).unwrap()
}

/// Returns the reader's error for a text that is not a trace.
#[track_caller]
fn refusal(text: impl AsRef<[u8]>) -> String {
    parse(Path::new("a.jsonl"), text.as_ref()).expect_err("no trace").to_string()
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, why: &str) {
    let refusal = refusal(text);
    assert!(refusal.contains(why), "{refusal}");
}

/// Returns the file of format 3 with a modified header.
fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let (header, events) = V3.split_once('\n').unwrap();
    let mut header: Value = serde_json::from_str(header).unwrap();
    change(&mut header);
    // The position of the format in the line matters, and serde_json sorts the names.
    let format = header.as_object_mut().unwrap().remove("refrain-trace").unwrap_or_default();
    format!("{{\"refrain-trace\":{format},{}\n{events}", &header.to_string()[1..])
}

#[test]
fn format_3_is_read() {
    let trace = v3();
    let plan = trace.plan.to_string();
    let lose = "lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s";
    assert_eq!(plan.lines().nth(3), Some(lose));
    assert_eq!(trace.test, "link::queries_recover_after_the_link_heals");
    assert_eq!(trace.plan.workload[0].value, json!([{"user": "ålice", "weight": 0.1}]));
    assert_eq!(trace.failure.property, Property::Eventually("a fresh query is answered".to_owned()));
    let cut =
        Cause::LastFault { fault: trace.plan.faults[0].clone(), began: 12_300_000_000, ended: Some(16_500_000_000) };
    assert_eq!(trace.failure.causes[1..], [cut, Cause::NotTriggered(Part::Fault(trace.plan.faults[1].clone()))]);
    let Kind::Log(log) = &trace.events[8].kind else { panic!("the service says something") };
    assert_eq!((log.level, log.message.as_str(), &log.fields["ratio"]), (Level::Info, "waits for HELLO", &json!(0.1)));
    assert_eq!(trace.events[5].kind, Kind::Spawn(Task { place: "src/server.rs:52".parse().unwrap(), nth: 2 }));
    assert_eq!((trace.digest.as_str(), trace.left_out), ("07c1e5a9b3d2f846", 0));
    assert_eq!((trace.engine.name.as_str(), trace.build.profile.as_str()), ("madsim", "debug"));
    assert_eq!((trace.events.len(), trace.sockets.len()), (12, 3));
    assert_eq!((trace.sockets[0].state.as_str(), trace.sockets[0].send_queue), ("LISTEN", 1024));
    assert_eq!(trace.sockets[1].timer.as_ref().map(|timer| (timer.name.as_str(), timer.tries)), Some(("on", 3)));
}

#[test]
fn format_3_is_written_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    write(&path, &v3()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), V3);
}

#[test]
fn a_trace_may_say_which_packages_the_service_had() {
    assert_eq!(v3().packages, []);
    let with = |packages: Value| with_header(|header| header["packages"] = packages);
    let trace = parse(Path::new("a.jsonl"), with(json!(["bytes 1.12.1"])).as_bytes()).unwrap();
    assert_eq!(trace.packages, [Package { name: "bytes".into(), version: "1.12.1".into() }]);
    refused(with(json!(["bytes"])), "packages[0]: expected a package like \"bytes 1.12.1\", found \"bytes\"");
}

#[test]
fn the_first_difference_is_the_first_event_that_is_not_the_same() {
    let events = v3().events;
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
    let (plan, other) = (v3().plan, Plan { seed: 43, ..v3().plan });
    let test = "link::queries_recover_after_the_link_heals";
    // Names must be stable across builds: a changed hash would save every known failure a second time.
    assert_eq!(file_name(test, &plan, 1), "link.queries_recover_after_the_link_heals-d38aa1b0.jsonl");
    assert_eq!(file_name(test, &plan, 2), "link.queries_recover_after_the_link_heals-d38aa1b0-2.jsonl");
    assert_ne!(file_name(test, &plan, 1), file_name(test, &other, 1));
    let name = file_name(&format!("../a b/{}", "é".repeat(500)), &plan, 1);
    assert!(name.len() <= 180 && !name.contains(['/', ' ']), "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn traces_read_back(
        plan in plan::arbitrary::plans(),
        test in plan::arbitrary::texts(),
        failure in arbitrary::failures(),
        events in collection::vec(arbitrary::events(), 0..9),
        packages in collection::vec("[a-z][a-z0-9_-]{0,8} [0-9][0-9a-z.+-]{0,8}", 0..9),
    ) {
        let packages = packages.iter().map(|package| package.parse().unwrap()).collect();
        let trace = Trace { plan, test, failure, events, packages, left_out: usize::MAX, ..v3() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        write(&path, &trace).unwrap();
        prop_assert_eq!(read(&path).unwrap(), trace);
    }
}
