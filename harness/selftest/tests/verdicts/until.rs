//! A replay that stops before an event shows the state before it, whatever of the same poll or instant came before.

use crate::driver::Started;
use refrain::{
    World,
    event::{Event, Kind},
    verdict::{Actor, Cause, Waiting},
};
use serde_json::{Value, json};
use std::{future::pending, time::Duration};
use tokio::time::sleep;
use tracing::info;

#[refrain::test(runs = 1, without_holds)]
async fn a_task_spawns_and_a_host_dies(world: World) {
    world.host("server", || async {
        info!("before");
        tokio::spawn(pending::<()>());
        info!("after");
        pending::<()>().await
    });
    world.host("other", pending::<()>);
    world.fault("crash server at 1 s");
    sleep(Duration::from_secs(2)).await;
    world.heal().await;
    sleep(Duration::from_secs(1)).await;
}

fn record(until: Option<usize>) -> Value {
    let job = json!({ "record": { "source": { "seed": 1 }, "until": until } });
    Started::worker("verdicts::until::a_task_spawns_and_a_host_dies").ask(&job)["ran"].clone()
}

/// The state before the event of which this is true, and how many events there were.
fn before(is: impl Fn(&Event) -> bool) -> (Vec<Cause>, usize) {
    let events: Vec<Event> = serde_json::from_value(record(None)["events"].clone()).unwrap();
    let at = events.iter().position(is).unwrap_or_else(|| panic!("{events:#?}"));
    let ran = record(Some(at));
    assert_eq!(ran["events"].as_array().unwrap().len(), at);
    (serde_json::from_value(ran["waits"].clone()).unwrap(), at)
}

fn on<'a>(state: &'a [Cause], host: &str) -> Vec<&'a Waiting> {
    let waiting = state.iter().filter_map(|cause| if let Cause::Waits(task) = cause { Some(task) } else { None });
    waiting.filter(|task| task.host == host).collect()
}

fn says(event: &Event, text: &str) -> bool {
    matches!(&event.kind, Kind::Log(log) if log.message == text)
}

#[test]
fn within_a_poll_the_task_runs_and_what_it_has_spawned_is_there() {
    let (state, _) = before(|event| says(event, "before"));
    let [Cause::Runs(Actor::Task { host, .. }), ..] = &state[..] else { panic!("{state:#?}") };
    assert_eq!((host.as_str(), on(&state, "server").len()), ("server", 0));
    let (state, _) = before(|event| says(event, "after"));
    assert!(matches!(&state[0], Cause::Runs(_)) && on(&state, "server").len() == 1, "{state:#?}");
}

#[test]
fn before_a_host_dies_its_tasks_wait_and_after_that_there_are_none() {
    let (state, at) = before(|event| matches!(event.kind, Kind::FaultBegins(_)));
    assert_eq!((on(&state, "server").len(), on(&state, "other").len()), (2, 1), "{state:#?}");
    assert!(!matches!(&state[0], Cause::Runs(_)), "nothing runs while a fault begins: {state:#?}");
    let heals = |event: &Event| matches!(event.kind, Kind::Heal);
    let (state, heals) = before(heals);
    assert!(heals > at);
    assert_eq!((on(&state, "server").len(), on(&state, "other").len()), (0, 1), "{state:#?}");
}

#[test]
fn before_the_first_event_nothing_has_happened() {
    let ran = record(Some(0));
    assert_eq!(ran["events"], json!([]));
    let state: Vec<Cause> = serde_json::from_value(ran["waits"].clone()).unwrap();
    assert!(on(&state, "server").is_empty(), "{state:#?}");
}
