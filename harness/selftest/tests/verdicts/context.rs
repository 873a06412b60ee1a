//! Context in verdicts and timelines: the last faults, and the spans of the service.

use crate::driver::Started;
use refrain::{
    World,
    event::{Event, Kind, Span},
    verdict::{Cause, Failure},
};
use std::{future::pending, time::Duration};
use tokio::{sync::Notify, time::sleep};
use tracing::{Instrument, info, info_span};

#[refrain::test(runs = 1, expect = "panic", without_holds)]
async fn an_assertion_fails_after_a_fault(world: World) {
    world.host("server", pending::<()>);
    world.client("client");
    world.fault("cut client <-> server at 1 ms for 2 ms");
    sleep(Duration::from_millis(10)).await;
    panic!("the answer is wrong");
}

#[refrain::test(runs = 1)]
async fn a_service_logs_in_spans(world: World) {
    world.host("server", || async {
        let work = async {
            async { info!(step = 2, "works") }.instrument(info_span!("inner")).await;
        };
        work.instrument(info_span!("outer", id = 7)).await;
        pending::<()>().await;
    });
    sleep(Duration::from_millis(1)).await;
}

#[refrain::test(runs = 1, expect = "stall", without_holds)]
async fn an_idle_worker_is_not_to_blame(world: World) {
    world.host("server", || async {
        let work = Notify::new();
        loop {
            work.notified().await;
        }
    });
    world.client("client");
    world.fault("cut client <-> server at 1 ms for 2 ms");
    sleep(Duration::from_millis(10)).await;
    world.eventually(Duration::from_secs(1), "a permit is free", || async { Err::<(), _>("no permit") }).await;
}

/// Returns a new run of a test.
fn recorded(test: &str) -> serde_json::Value {
    Started::worker(&format!("verdicts::context::{test}")).record(serde_json::json!({ "seed": 1 }))
}

#[test]
fn a_failed_assertion_names_the_faults_before_it() {
    let ran = recorded("an_assertion_fails_after_a_fault");
    let failure: Failure = serde_json::from_value(ran["verdict"]["failed"].clone()).unwrap();
    let [Cause::Fault { fault, began, ended: Some(ended) }] = &failure.causes[..] else { panic!("{failure:#?}") };
    assert_eq!(fault.to_string(), "cut client <-> server at 1 ms for 2 ms");
    assert_eq!((began / 1_000_000, ended / 1_000_000), (1, 3));
}

#[test]
fn a_stall_without_a_known_cause_says_so() {
    let ran = recorded("an_idle_worker_is_not_to_blame");
    let failure: Failure = serde_json::from_value(ran["verdict"]["failed"].clone()).unwrap();
    assert!(matches!(failure.causes[..], [Cause::Unknown, Cause::Fault { .. }]), "{failure:#?}");
}

#[test]
fn a_timeline_has_the_spans_with_their_fields() {
    let ran = recorded("a_service_logs_in_spans");
    let events: Vec<Event> = serde_json::from_value(ran["events"].clone()).unwrap();
    let logs = events.iter().filter_map(|event| if let Kind::Log(log) = &event.kind { Some(log) } else { None });
    let spans: Vec<&[Span]> = logs.map(|log| &log.spans[..]).collect();
    let outer = Span { name: "outer".into(), fields: [("id".to_owned(), 7.into())].into() };
    let inner = Span { name: "inner".into(), fields: [].into() };
    assert_eq!(spans, [[outer, inner]]);
}
