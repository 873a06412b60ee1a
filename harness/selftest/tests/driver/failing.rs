//! Failing runs of a test, and their traces.

use super::Started;
use refrain::trace::{Build, Engine, Trace};
use refrain_core::job::Ran;
use serde_json::json;

/// How many seeds are tried.
const SEEDS: usize = 100;

/// Returns the first failing run from a seed on, and its trace.
#[track_caller]
pub fn failing(test: &str, first: u64) -> (Ran, Trace) {
    let mut worker = Started::worker(test);
    let ran = (first..).map(|seed| serde_json::from_value::<Ran>(worker.record(json!({ "seed": seed }))).unwrap());
    let ran = ran.take(SEEDS).find(|ran| ran.verdict.failure().is_some()).expect("a run of a hundred fails");
    let trace = Trace {
        test: test.into(),
        package: "refrain-selftest".into(),
        target: "test/selftest".into(),
        engine: Engine { name: "madsim".into(), version: "0.2.34".into() },
        plan: ran.plan.clone(),
        failure: ran.verdict.failure().unwrap().clone(),
        digest: format!("{:016x}", ran.digest),
        left_out: 0,
        build: Build::this(),
        packages: vec![],
        events: ran.events.clone(),
        sockets: vec![],
        anchors: vec![],
    };
    (ran, trace)
}
