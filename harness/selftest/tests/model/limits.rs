//! Limits of an engine are never reported as failures of the model.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    Condvar, Mutex,
    atomic::{AtomicUsize, Ordering::*},
    thread,
};
use refrain_core::{
    protocol::{Budget, EngineLimit, Exploration, How, Outcome, Request, SearchEnd, Searched},
    verdict::Class,
};
use std::{sync::Arc, time::Duration};

#[refrain::model]
fn six_threads_are_sampled() {
    let count = Arc::new(AtomicUsize::new(0));
    threads(5, move |_| {
        count.fetch_add(1, Relaxed);
    });
}

#[refrain::model]
fn a_wait_with_a_time_is_sampled() {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let (guard, result) = shared.1.wait_timeout(shared.0.lock().unwrap(), Duration::from_secs(1)).unwrap();
    assert!(result.timed_out(), "nobody notifies it");
    drop(guard);
}

fn a_wait_with_a_time(notified: bool) {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        let _guard = other.0.lock().unwrap();
        other.1.notify_one();
    });
    let (guard, result) = shared.1.wait_timeout(shared.0.lock().unwrap(), Duration::from_secs(1)).unwrap();
    drop(guard);
    thread.join().unwrap();
    assert_ne!(result.timed_out(), notified);
}

#[refrain::model(expect = "panic")]
fn a_wait_with_a_time_may_be_notified() {
    a_wait_with_a_time(false);
}

#[refrain::model(expect = "panic")]
fn a_wait_with_a_time_may_time_out() {
    a_wait_with_a_time(true);
}

/// More choices than loom supports in one execution, and fewer steps than shuttle does.
#[refrain::model(runs = 80)]
fn twelve_thousand_stores_are_sampled() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    let thread = thread::spawn(move || (0..12_000).for_each(|n| own.store(n, Relaxed)));
    thread.join().unwrap();
    assert_eq!(count.load(Relaxed), 11_999);
}

fn explored(test: &str) -> Result<Exploration, String> {
    match ask(test, &Request::explore(1, Budget::OfTest, Some(1))) {
        Outcome::Explored(exploration) => Ok(exploration),
        Outcome::Refused(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// Returns the outcome of the exhaustive search, which could not continue.
#[track_caller]
fn exhaustive(explored: &Exploration) -> &Searched {
    let mut looms = explored.engines.iter().filter(|searched| searched.engine == "loom");
    let (Some(loom), None) = (looms.next(), looms.next()) else { panic!("it stops at once: {explored:?}") };
    assert_eq!(explored.caught, None);
    loom
}

/// What cannot be searched exhaustively is sampled, with the whole budget.
#[test]
fn a_sixth_thread_stops_loom_and_not_shuttle() {
    let explored = explored("model::limits::six_threads_are_sampled").unwrap();
    let loom = exhaustive(&explored);
    assert_eq!(loom.end, SearchEnd::Limited(EngineLimit::TooManyThreads { most: 5 }));
    assert_eq!(explored.runs, 10_000);
}

#[test]
fn more_atomics_of_dependencies_than_loom_is_prepared_for_stop_it_and_not_shuttle() {
    let explored = explored("model::dependencies::two_hundred_atomics_are_sampled").unwrap();
    let loom = exhaustive(&explored);
    assert_eq!(loom.end, SearchEnd::Limited(EngineLimit::TooManyAtomics { most: 96 }));
    assert_eq!(explored.runs, 500);
}

/// The relaxed flag is seen before the message by an old value only. loom cannot search a model with so many threads.
#[refrain::model(expect = "panic")]
fn an_old_value_among_six_threads_is_read() {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    threads(5, move |nth| match nth {
        0 => {
            shared[0].store(7, Relaxed);
            shared[1].store(1, Relaxed);
        }
        1 if shared[1].load(Relaxed) == 1 => assert_eq!(shared[0].load(Relaxed), 7, "an old message"),
        _ => {}
    });
}

#[test]
fn what_sampling_does_not_look_for_is_said() {
    let explored = explored("model::limits::six_threads_are_sampled").unwrap();
    let report = refrain::report::engines(&explored.engines, refrain::report::Style::default());
    let said = "only sampled: data races were looked for, by vector clocks; stale reads in no more than ";
    assert!(report.lines().last().is_some_and(|line| line.starts_with(said)), "{report}");
}

#[test]
fn a_wait_with_a_time_stops_loom_and_not_shuttle() {
    let explored = explored("model::limits::a_wait_with_a_time_is_sampled").unwrap();
    let loom = exhaustive(&explored);
    assert_eq!(loom.end, SearchEnd::Limited(EngineLimit::Time { call: "Condvar::wait_timeout".into() }));
    // PCT does not sample a model with a single thread.
    assert!(explored.runs > 4_000, "{explored:?}");
}

#[test]
fn an_execution_that_is_too_long_stops_loom_and_not_shuttle() {
    let explored = explored("model::limits::twelve_thousand_stores_are_sampled").unwrap();
    let loom = exhaustive(&explored);
    assert_eq!(loom.end, SearchEnd::Limited(EngineLimit::TooManySteps));
}

/// The first executions preempt threads at conflicting operations, and this bug needs one such preemption.
#[test]
fn what_one_preemption_shows_is_found_at_once() {
    let explored = explored("model::refcount::lower_then_test_frees_twice").unwrap();
    assert!(explored.runs <= 3, "{explored:?}");
    assert!(explored.caught.is_some());
}

/// loom on its own reports them.
#[test]
fn a_find_that_only_sequential_consistency_forbids_is_not_confirmed() {
    let explored = explored("model::weak::sequentially_consistent_flags_let_one_enter").unwrap();
    let not_confirmed = SearchEnd::NotConfirmed(Class::Panic);
    assert!(explored.engines.iter().any(|searched| searched.end == not_confirmed), "{explored:?}");
    let last = explored.engines.last().unwrap();
    assert!(matches!(last.how, How::Exhaustive { total_order: true, .. }), "{last:?}");
    assert_eq!(last.end, SearchEnd::Complete);
    assert_eq!(explored.caught, None);
}
