//! Traces of models: replayed in one execution, rejected where that would be a different one, and as small as possible.

use crate::driver::{STARTED, Started, ask};
use refrain::{
    plan::{Choice, Deviation, Part, Plan, Threads},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    trace::{self, Trace},
    verdict::{Cause, Class, Property, ThreadWait, Verdict},
};
use refrain_core::{
    job::Ran,
    protocol::{Budget, Fewest, Outcome, Replay, Request, Shrunk},
};
use serde_json::json;
use std::{fs, path::Path};

/// Returns the saved trace of a test of this executable.
fn saved(test: &str) -> Trace {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let prefix = format!("{}-", test.replace("::", "."));
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let path = entries.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
    trace::read(&path.unwrap_or_else(|| panic!("{test} has a trace"))).unwrap()
}

/// Returns the result of replaying a trace of this test.
fn replayed(trace: &Trace, until: Option<usize>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    trace::write(&path, trace).unwrap();
    ask(&trace.test, &Request::Replay { trace: path, until })
}

fn with(trace: &Trace, threads: Threads) -> Trace {
    Trace { plan: Plan { threads: Some(threads), ..Plan::default() }, ..trace.clone() }
}

const LOOMS: &str = "model::refcount::lower_then_test_is_caught_with_one_preemption";
const SHUTTLES: &str = "model::refcount::lower_then_test_is_caught_by_shuttle";

#[test]
fn a_trace_of_either_engine_is_reproduced() {
    for test in [LOOMS, SHUTTLES] {
        let outcome = replayed(&saved(test), None);
        assert!(matches!(outcome, Outcome::Replayed(Replay::Reproduced { .. })), "{outcome:?}");
    }
}

#[test]
fn a_replay_stops_where_it_is_asked_to_and_tells_what_waits() {
    let Outcome::Replayed(Replay::Stopped { events, waits }) = replayed(&saved(LOOMS), Some(7)) else {
        panic!("it stops");
    };
    assert_eq!(events.len(), 7, "{events:#?}");
    let joins = |wait: &Cause| matches!(wait, Cause::ThreadWaits(thread) if thread.thread == 0 && thread.waits == ThreadWait::Join { thread: 1 });
    assert!(waits.iter().any(joins), "{waits:?}");
}

#[test]
fn a_replay_that_is_to_stop_at_the_first_event_shows_none() {
    let Outcome::Replayed(Replay::Stopped { events, .. }) = replayed(&saved(LOOMS), Some(0)) else {
        panic!("it stops");
    };
    assert_eq!(events, []);
}

#[test]
fn a_trace_of_another_version_of_an_engine_is_refused() {
    let mut trace = saved(LOOMS);
    trace.engine.version = "0.7.1".into();
    let outcome = replayed(&trace, None);
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("was saved with loom 0.7.1")), "{outcome:?}");
}

/// Simulates that the model has changed since.
#[test]
fn choices_that_the_model_does_not_have_are_stale() {
    let trace = saved(LOOMS);
    let choices = [Choice::Wakes(true), Choice::Value(3), Choice::Wakes(true)];
    for n in 1..=choices.len() {
        let threads = Threads::Choices { choices: choices[..n].to_vec(), total_order: false };
        let outcome = replayed(&with(&trace, threads), None);
        let Outcome::Replayed(Replay::Stale { not_triggered }) = &outcome else { panic!("{outcome:?}") };
        assert_eq!(not_triggered[0].part, Part::Choices);
    }
}

/// It has one execution.
#[refrain::model(engine = "loom")]
fn a_store_and_a_load() {
    let count = AtomicUsize::new(0);
    count.store(1, Relaxed);
    assert_eq!(count.load(Relaxed), 1);
}

/// As if the model had become shorter since.
#[test]
fn choices_that_are_left_over_are_stale() {
    let test = "model::traces::a_store_and_a_load";
    let mut worker = Started::worker(test);
    let mut is_followed = |choices: &[Choice]| {
        let threads = Threads::Choices { choices: choices.to_vec(), total_order: false };
        let ran = worker.record(json!({ "plan": Plan { threads: Some(threads), ..Plan::default() } }));
        let ran: Ran = serde_json::from_value(ran).unwrap();
        assert_eq!(ran.verdict, Verdict::Passed);
        ran.not_triggered.is_empty()
    };
    let goes_on = Choice::Thread { thread: 0, preempts: false };
    let mut choices = vec![];
    while choices.len() < 100 {
        // The load reads the second store: loom reads any other one, too, if it is told to.
        let next = [goes_on, Choice::Value(1)].into_iter();
        let Some(longer) = next.map(|next| [&choices[..], &[next]].concat()).find(|longer| is_followed(longer)) else {
            break;
        };
        choices = longer;
    }
    assert!((2..20).contains(&choices.len()), "it has an end: {choices:?}");
    for (more, is_stale) in [(0, false), (1, true)] {
        let choices = choices.iter().copied().chain(vec![goes_on; more]).collect();
        let trace = with(&saved(LOOMS), Threads::Choices { choices, total_order: false });
        let outcome = replayed(&Trace { test: test.into(), ..trace }, None);
        let Outcome::Replayed(replay) = outcome else { panic!("{outcome:?}") };
        assert_eq!(matches!(replay, Replay::Stale { .. }), is_stale, "{more} more: {replay:?}");
        assert_eq!(matches!(replay, Replay::PassesNow), !is_stale, "{more} more: {replay:?}");
    }
}

#[test]
fn deviations_to_threads_that_cannot_go_on_are_stale() {
    let deviation = |step| Deviation::Thread { step, thread: 77, preempts: true };
    let threads = Threads::Deviations((0..9).map(deviation).collect());
    let outcome = replayed(&with(&saved(SHUTTLES), threads), None);
    assert!(matches!(outcome, Outcome::Replayed(Replay::Stale { .. })), "{outcome:?}");
}

#[test]
fn no_deviation_of_a_shrunk_plan_can_be_left_out() {
    let trace = saved(SHUTTLES);
    let Some(Threads::Deviations(deviations)) = &trace.plan.threads else { panic!("it is shuttle's") };
    assert_eq!(trace.plan.threads.as_ref().unwrap().preemptions(), 1);
    for left_out in 0..deviations.len() {
        let mut fewer = deviations.clone();
        fewer.remove(left_out);
        let outcome = replayed(&with(&trace, Threads::Deviations(fewer)), None);
        assert!(matches!(outcome, Outcome::Replayed(Replay::PassesNow | Replay::Stale { .. })), "{outcome:?}");
    }
}

#[test]
fn what_shuttle_found_loom_finds_again_with_one_preemption() {
    let trace = saved("model::refcount::lower_then_test_frees_twice");
    assert_eq!(trace.engine.name, "loom");
    assert_eq!(trace.plan.threads.as_ref().unwrap().preemptions(), 1, "{}", trace.plan);
}

/// Returns what a failure of this test is shrunk to, from a new exploration.
pub fn shrunk(test: &str) -> (Shrunk, Trace) {
    let request = Request::explore(1, Budget::OfTest, Some(1));
    let Outcome::Explored(explored) = ask(test, &request) else { panic!("{test}") };
    let caught = explored.caught.unwrap();
    let engine = match &caught.plan.threads {
        Some(Threads::Deviations(_)) => saved(SHUTTLES).engine,
        _ => saved(LOOMS).engine,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let trace = Trace { plan: caught.plan, failure: caught.failure, engine, ..saved(test) };
    trace::write(&path, &trace).unwrap();
    match ask(test, &Request::Shrink { trace: path.clone(), jobs: Some(1) }) {
        Outcome::Shrunk(shrunk) => (shrunk, trace::read(&path).unwrap()),
        other => panic!("{test}: {other:?}"),
    }
}

#[test]
fn what_many_threads_need_is_shrunk_to_the_fewest_preemptions() {
    let (shrunk, _) = shrunk("model::seeded_bugs::a_count_among_seven_threads_is_raised_in_two_steps");
    assert_eq!(shrunk.after.threads.as_ref().unwrap().preemptions(), 1, "{}", shrunk.after);
    assert_eq!(shrunk.fewest, Some(Fewest::Needed(1)));
}

#[test]
fn an_execution_without_old_values_explains_a_failure_that_needs_none() {
    let (shrunk, trace) = shrunk("model::seeded_bugs::a_count_is_raised_in_two_relaxed_steps");
    assert!(shrunk.before != shrunk.after, "the first one that is found reads an old value");
    assert!(!trace.failure.causes.iter().any(|cause| matches!(cause, Cause::StaleRead(_))), "{:?}", trace.failure);
    assert_eq!(trace.plan.threads.as_ref().unwrap().preemptions(), 1, "{}", trace.plan);
}

#[test]
fn a_failure_that_needs_an_old_value_keeps_it() {
    let (shrunk, trace) = shrunk("model::weak::relaxed_flags_let_both_enter");
    assert!(trace.failure.causes.iter().any(|cause| matches!(cause, Cause::StaleRead(_))), "{:?}", trace.failure);
    assert!(matches!(shrunk.fewest, Some(Fewest::NotFound { .. })), "{:?}", shrunk.fewest);
}

/// Its second execution in a process has no end, in the worker of the test below.
#[refrain::model(engine = "loom", time_limit = "3s")]
fn a_loop_in_the_second_execution() {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = AtomicUsize::new(0);
    while RUNS.load(Relaxed) > 0 && std::env::var_os(STARTED).is_some() {
        std::hint::black_box(());
    }
    RUNS.fetch_add(1, Relaxed);
    count.store(1, Relaxed);
}

/// The end of the execution before it, in the same process, is not its own: a loop is no stale plan.
#[test]
fn a_repeated_execution_has_its_whole_time() {
    let goes_on = Choice::Thread { thread: 0, preempts: false };
    let threads = Threads::Choices { choices: vec![goes_on], total_order: false };
    let plan = Plan { threads: Some(threads), ..Plan::default() };
    let ran = Started::worker("model::traces::a_loop_in_the_second_execution").record(json!({ "again": plan }));
    let ran: Ran = serde_json::from_value(ran).unwrap();
    let Verdict::Failed(failure) = &ran.verdict else { panic!("{ran:?}") };
    assert_eq!((failure.class, &failure.property), (Class::EndlessLoop, &Property::ExecutionEnds), "{ran:?}");
}
