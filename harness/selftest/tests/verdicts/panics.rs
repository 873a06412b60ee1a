//! Where panics are, and what was on the stack.

use crate::driver::Started;
use refrain::{
    World,
    verdict::{Detail, Failure, Frame},
};
use serde_json::{Value, json};
use std::{future::pending, time::Duration};
use tokio::time::sleep;

#[inline(never)]
fn inner(length: usize) -> u8 {
    let bytes = [1, 2, 3];
    assert!(length < bytes.len(), "there are {} bytes", bytes.len());
    bytes[length]
}

#[inline(never)]
fn outer() -> u8 {
    std::hint::black_box(inner(std::hint::black_box(7)))
}

#[refrain::test(runs = 1, expect = "panic", without_holds)]
async fn a_function_of_the_service_panics(world: World) {
    world.host("server", || async {
        outer();
        pending::<()>().await
    });
    sleep(Duration::from_secs(1)).await;
}

#[inline(never)]
fn calls_a_dependency() -> bytes::Bytes {
    let bytes = std::hint::black_box(bytes::Bytes::from_static(b"x"));
    bytes.slice(5..9)
}

#[refrain::test(runs = 1, expect = "panic", without_holds)]
async fn a_function_of_a_dependency_panics(world: World) {
    world.host("server", || async {
        std::hint::black_box(calls_a_dependency());
        pending::<()>().await
    });
    sleep(Duration::from_secs(1)).await;
}

fn failure(ran: &Value) -> Failure {
    serde_json::from_value(ran["verdict"]["failed"].clone()).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

fn backtrace(failure: &Failure) -> &[Frame] {
    let Detail::Panicked { backtrace, .. } = &failure.detail else { panic!("{failure:#?}") };
    &backtrace.frames
}

/// The nth line of this file that contains the text.
fn line(text: &str) -> u32 {
    (1..).zip(include_str!("panics.rs").lines()).find(|(_, line)| line.contains(text)).expect("it is there").0
}

#[test]
fn a_recorded_panic_tells_the_functions_of_the_service() {
    let test = "verdicts::panics::a_function_of_the_service_panics";
    let with = failure(&Started::worker_with_backtraces(test).record(json!({ "seed": 1 })));
    let frames = backtrace(&with);
    for (frame, (function, text)) in frames.iter().zip([("inner", "assert!(length <"), ("outer", "black_box(inner(")]) {
        assert!(frame.function.ends_with(&format!("::panics::{function}")), "{frames:#?}");
        let place = frame.place.as_ref().unwrap();
        assert_eq!((place.file.as_str(), place.line), ("harness/selftest/tests/verdicts/panics.rs", line(text)));
    }
    assert!(frames.len() >= 3, "the process called it: {frames:#?}");
    let strange = |frame: &&Frame| {
        let file = frame.place.as_ref().map_or("", |place| &place.file);
        frame.function.starts_with("std::")
            || frame.function.starts_with("core::")
            || !(file.starts_with("harness/selftest/") && file.ends_with(".rs"))
    };
    assert_eq!(frames.iter().filter(strange).collect::<Vec<_>>(), Vec::<&Frame>::new());
    let report = refrain::report::failure(&with, Default::default());
    assert!(
        report.contains("backtrace, innermost first:\n") && report.contains("::panics::outer at harness/"),
        "{report}"
    );

    let without = failure(&Started::worker(test).record(json!({ "seed": 1 })));
    assert_eq!(backtrace(&without), []);
    assert_eq!(without.signature(), with.signature());
}

#[test]
fn a_panic_in_a_dependency_is_at_the_nearest_line_of_the_service() {
    let test = "verdicts::panics::a_function_of_a_dependency_panics";
    let recorded = Started::worker_with_backtraces(test).record(json!({ "seed": 1 }));
    let with = failure(&recorded);
    let place = with.place.clone().unwrap();
    assert_eq!(
        (place.file.as_str(), place.line),
        ("harness/selftest/tests/verdicts/panics.rs", line("bytes.slice(5..9)"))
    );
    let first = &backtrace(&with)[0];
    assert!(first.place.as_ref().is_some_and(|place| place.file.starts_with("bytes-1.")), "{first:#?}");
    // Shrinking compares runs that record nothing.
    let tried = Started::worker(test).ask(&json!({ "try": recorded["plan"] }));
    assert_eq!(failure(&tried["ran"]).signature(), with.signature());
}

#[test]
fn what_engines_print_is_not_shown() {
    for test in [
        "verdicts::panics::a_function_of_the_service_panics",
        "verdicts::deaths::a_panic_of_a_task_is_caught",
        "verdicts::deaths::a_panic_of_the_test_itself_is_caught",
        "verdicts::stalls::a_lock_taken_twice_is_a_deadlock",
        "verdicts::stalls::an_answer_that_never_comes_is_a_stall",
        "model::seeded_bugs::two_locks_in_two_orders_deadlock",
        "model::seeded_bugs::a_panic_of_a_thread_is_caught",
        "model::seeded_bugs::a_count_among_seven_threads_is_raised_in_two_steps",
        "model::refcount::lower_then_test_is_caught_by_shuttle",
        "model::memory::two_writers_without_order_race",
    ] {
        assert_eq!(super::explained::run(test).printed, "", "{test}");
        let mut libtest = std::process::Command::new(std::env::current_exe().unwrap());
        let ran = libtest.args(["--exact", test, "--include-ignored", "--nocapture"]).output().unwrap();
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        for engines in ["panicked at", "thread '", "serializing", "tasks will block forever", "MADSIM", "SHUTTLE"] {
            assert!(!said.contains(engines), "{test} prints {engines:?}:\n{said}");
        }
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    }
}

#[refrain::test(runs = 1, expect = "crash", without_holds)]
async fn a_panic_during_a_panic_aborts(world: World) {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("while it unwinds");
        }
    }
    world.host("server", || async {
        let _panics = Panics;
        assert!(std::hint::black_box(false), "the first one");
    });
    sleep(Duration::from_secs(1)).await;
}

#[test]
fn an_abort_by_a_second_panic_tells_both() {
    let failure =
        failure(&Started::worker("verdicts::panics::a_panic_during_a_panic_aborts").record(json!({ "seed": 1 })));
    let report = refrain::report::failure(&failure, Default::default());
    for said in ["the first one", "while it unwinds"] {
        assert!(report.contains(said), "{report}");
    }
}
