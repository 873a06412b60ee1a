//! Processes that exit by themselves, tests that return errors, and panics that the test allows.

use crate::driver::Started;
use refrain::{
    World,
    report::{self, Style},
    verdict::Verdict,
};
use std::{error::Error, fmt, future::pending, io, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// An error with a source.
#[derive(Debug)]
struct CannotStart(io::Error);

impl fmt::Display for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot start")
    }
}

impl Error for CannotStart {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn cannot_start() -> Result<(), CannotStart> {
    Err(CannotStart(io::Error::other("no config")))
}

#[refrain::test(runs = 1, expect = "exit")]
async fn a_process_that_ends_with_an_error_is_caught(world: World) {
    world.host("server", || async { cannot_start() });
    sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "exit")]
async fn a_process_that_ends_is_caught(world: World) {
    world.host("server", || sleep(Duration::from_secs(1)));
    sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, expect = "exit")]
async fn an_error_after_sigterm_is_caught(world: World) {
    let server = world.host("server", || async {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap().recv().await;
        cannot_start()
    });
    sleep(Duration::from_secs(1)).await;
    server.terminate();
    sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 20)]
async fn a_process_may_end_if_the_test_says_so(world: World) {
    let server = world.host("server", || async { cannot_start() });
    server.may_exit();
    sleep(Duration::from_secs(60)).await;
    assert!(!server.is_running());
}

#[refrain::test(runs = 20)]
async fn a_process_ends_when_it_is_told_to(world: World) {
    let server = world.host("server", || async {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap().recv().await;
    });
    let other = world.host("other", pending::<()>);
    sleep(Duration::from_secs(60)).await;
    server.terminate();
    other.terminate();
    sleep(Duration::from_secs(60)).await;
    assert!(!server.is_running() && !other.is_running());
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_test_that_returns_an_error_fails(_world: World) -> Result<(), Box<dyn Error>> {
    Ok(cannot_start()?)
}

#[refrain::test(runs = 2)]
async fn a_test_may_return_a_result(_world: World) -> io::Result<()> {
    Ok(())
}

#[refrain::model(runs = 2, expect = "panic")]
fn a_model_that_returns_an_error_fails() -> Result<(), CannotStart> {
    cannot_start()
}

#[test]
fn a_verdict_tells_what_caused_an_error() {
    let message = |test: &str| {
        let mut worker = Started::worker(&format!("verdicts::exits::{test}"));
        let ran = worker.record(serde_json::json!({ "seed": 1 }));
        let verdict: Verdict = serde_json::from_value(ran["verdict"].clone()).unwrap();
        report::failure(verdict.failure().expect("it fails"), Style::default())
    };
    let exits = message("a_process_that_ends_with_an_error_is_caught");
    assert!(exits.contains("the process of server exited with an error: cannot start: no config"), "{exits}");
    let fails = message("a_test_that_returns_an_error_fails");
    assert!(fails.contains("it returned an error: cannot start: no config"), "{fails}");
}

#[refrain::test(runs = 100)]
async fn a_panic_that_the_test_allows_is_seen_by_whoever_awaits(world: World) {
    world.may_panic("bad frame");
    world.host("server", || async {
        let error = tokio::spawn(async { panic!("a bad frame") }).await.unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert!(error.to_string().ends_with("panicked with message \"a bad frame\""), "{error}");
        assert_eq!(error.into_panic().downcast_ref::<&str>().unwrap(), &"a bad frame");
        let mut set = JoinSet::new();
        set.spawn_blocking(|| panic!("bad frame"));
        assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
        tracing::info!("it goes on");
        pending::<()>().await
    });
    world.sometimes("it goes on", "selftest::verdicts", "it goes on");
    sleep(Duration::from_secs(60)).await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn any_other_panic_is_caught(world: World) {
    world.may_panic("bad frame");
    world.host("server", || async {
        let _ = tokio::spawn(async { panic!("no slot is free") }).await;
        pending::<()>().await
    });
    sleep(Duration::from_secs(60)).await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_a_process_itself_is_caught(world: World) {
    world.may_panic("bad frame");
    world.host("server", || async { panic!("bad frame") });
    sleep(Duration::from_secs(60)).await;
}
