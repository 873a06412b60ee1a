//! A test fails if no run reaches something that it requires, once it has made as many runs as specified. A subscriber
//! of the service itself hides nothing.

use crate::driver::ask_in;
use refrain::World;
use refrain_core::protocol::{Budget, Exploration, Outcome, Request, Unreached};
use std::{future::pending, process::Command, time::Duration};
use tokio::{net::TcpListener, time::sleep};
use tracing::{info, subscriber::NoSubscriber};

/// If set in the environment, the service does nothing that its test requires.
const SILENT: &str = "REFRAIN_SELFTEST_SILENT";

/// Returns whether the service should do nothing that its test requires.
fn is_silent() -> bool {
    std::env::var_os(SILENT).is_some()
}

#[refrain::test(runs = 20)]
async fn all_is_reached(world: World) {
    world.sometimes("it starts", "selftest::verdicts", "it starts");
    world.counts("it stops", "selftest::verdicts", "it stops");
    world.conserves("session");
    world.host("server", || async {
        let _listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        if !is_silent() {
            info!("it starts");
        }
        let kind = if is_silent() { "sesion" } else { "session" };
        info!(kind, id = 1, "opened");
        info!(kind, id = 1, "closed");
        pending::<()>().await
    });
    let hours = if is_silent() { 5000 } else { 1 };
    world.fault(format!("pause server at {hours} s for 1 s"));
    sleep(Duration::from_secs(10)).await;
}

fn explore(test: &str, budget: Budget) -> Result<Exploration, String> {
    let mut silent = Command::new(std::env::current_exe().unwrap());
    silent.env(SILENT, "1");
    match ask_in(silent, test, &Request::explore(1, budget, Some(1))) {
        Outcome::Explored(explored) => Ok(explored),
        Outcome::Refused(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_no_run_reaches_fails_the_test() {
    let explored = explore("verdicts::unreached::all_is_reached", Budget::OfTest).unwrap();
    let expected = [
        Unreached::Sometimes("it starts".into()),
        Unreached::Kind { kind: "session".into(), near: vec!["sesion".into()] },
        Unreached::Faults,
    ];
    assert_eq!(explored.unreached, expected);
    assert_eq!(refrain::report::standing(&explored), refrain::report::Standing::Unreached);
}

#[test]
fn fewer_runs_than_the_test_asks_for_prove_nothing() {
    let explored = explore("verdicts::unreached::all_is_reached", Budget::Runs(19)).unwrap();
    assert_eq!(explored.unreached, []);
    assert_eq!(explored.coverage.sometimes["it starts"], 0);
}

#[refrain::test(runs = 20)]
async fn a_service_may_set_the_global_subscriber(world: World) {
    world.host("early", || async {
        tracing::subscriber::set_global_default(NoSubscriber::default()).expect("it is the first");
        pending::<()>().await
    });
    sleep(Duration::from_secs(60)).await;
    world.sometimes("it is heard", "selftest::verdicts", "it is heard");
    world.host("server", || async {
        info!("it is heard");
        pending::<()>().await
    });
    sleep(Duration::from_secs(60)).await;
}

#[refrain::test(runs = 20)]
async fn a_service_may_set_the_global_subscriber_after_the_harness(world: World) {
    world.sometimes("it is heard", "selftest::verdicts", "it is heard");
    world.host("server", || async {
        tracing::subscriber::set_global_default(NoSubscriber::default()).expect("it is the first");
        info!("it is heard");
        pending::<()>().await
    });
    sleep(Duration::from_secs(60)).await;
}

#[refrain::test(runs = 20)]
async fn a_subscriber_of_the_thread(world: World) {
    world.sometimes("it is heard", "selftest::verdicts", "it is heard");
    world.host("server", || async {
        let guard = is_silent().then(|| tracing::subscriber::set_default(NoSubscriber::default()));
        info!("it is heard");
        pending::<()>().await;
        drop(guard);
    });
    sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_subscriber_that_hides_events_is_refused() {
    let why = explore("verdicts::unreached::a_subscriber_of_the_thread", Budget::OfTest).unwrap_err();
    assert!(why.contains("`tracing` subscriber"), "{why}");
}
