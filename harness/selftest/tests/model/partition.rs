//! With one worker or several, a search makes the same executions and finds the same failure. `ci/bench` checks the
//! former with larger models.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    Condvar, Mutex, RwLock,
    atomic::{AtomicUsize, Ordering::*},
    thread,
};
use refrain_core::{
    find,
    protocol::{Budget, Exploration, How, Outcome, Request, SearchEnd, Searched},
};
use std::sync::Arc;

/// Loads that may return old values.
#[refrain::model(preemptions = 3, complete)]
fn stores_and_loads() {
    let atomics = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    threads(3, move |nth| {
        atomics[nth % 2].store(nth + 1, Relaxed);
        atomics[(nth + 1) % 2].load(Relaxed);
    });
}

#[refrain::model(preemptions = 3, complete)]
fn locks_and_a_condition() {
    let shared = Arc::new((Mutex::new(0), Condvar::new(), AtomicUsize::new(0)));
    let other = shared.clone();
    let waits = thread::spawn(move || {
        let ready = other.1.wait_while(other.0.lock().unwrap(), |ready| *ready < 2).unwrap();
        assert_eq!(*ready, 2);
        other.2.load(Relaxed);
    });
    threads(2, move |nth| {
        shared.2.store(nth, Relaxed);
        *shared.0.lock().unwrap() += 1;
        shared.1.notify_all();
    });
    waits.join().unwrap();
}

#[refrain::model(complete)]
fn readers_and_a_writer() {
    let lock = Arc::new(RwLock::new(0));
    threads(3, move |nth| {
        if nth == 0 {
            *lock.write().unwrap() += 1;
        } else {
            let read = *lock.read().unwrap();
            assert!(*lock.read().unwrap() >= read);
        }
    });
}

/// Three threads take numbers in turn; the failure needs two preemptions, late in the tree.
#[refrain::model(engine = "loom", expect = "panic")]
fn a_thread_that_is_overtaken_twice() {
    let next = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    threads(3, move |nth| {
        let taken = [0; 3].map(|_| {
            next[1].fetch_add(1, AcqRel);
            next[0].fetch_add(1, AcqRel)
        });
        assert!(nth != 2 || taken != [0, 4, 8], "overtaken");
    });
}

/// Returns what an exploration with this many workers executes and finds.
fn explored(test: &str, budget: Budget, jobs: usize) -> Exploration {
    match ask(test, &Request::explore(1, budget, Some(jobs))) {
        Outcome::Explored(explored) => {
            let engines = explored.engines.into_iter().map(|searched| Searched { took_ms: 0, ..searched }).collect();
            Exploration { took_ms: 0, engines, ..explored }
        }
        other => panic!("{test}: {other:?}"),
    }
}

/// Explores with one worker and with several, and returns the result of one.
#[track_caller]
fn check(test: &str, budget: Budget, jobs: &[usize]) -> Exploration {
    let alone = explored(test, budget, 1);
    compare(&alone, test, budget, jobs);
    alone
}

#[track_caller]
fn compare(alone: &Exploration, test: &str, budget: Budget, jobs: &[usize]) {
    for jobs in jobs {
        assert_eq!(*alone, explored(test, budget, *jobs), "{test}: one worker and {jobs}");
    }
}

#[test]
fn a_search_of_every_model_is_split_exactly() {
    let modules = ["model::correct::", "model::partition::", "model::refcount::"];
    let mut found = find::in_executable(&std::env::current_exe().unwrap()).unwrap();
    found.retain(|test| test.expect.is_none() && modules.iter().any(|module| test.name.starts_with(module)));
    let mut split = 0;
    for test in found {
        let alone = explored(&test.name, Budget::Runs(2_000), 1);
        let mut looms = alone.engines.iter().filter(|searched| searched.engine == "loom");
        let long = looms.clone().filter(|searched| searched.executions > 128).count();
        // A short one is not split at all.
        if long > 0 {
            compare(&alone, &test.name, Budget::Runs(2_000), &[2, 3]);
        }
        split += long;
        let last = looms.next_back().unwrap();
        assert_eq!(last.end, SearchEnd::Complete, "{}: {last:?}", test.name);
    }
    assert!(split >= 8, "{split} searches were long enough to be split");
}

#[test]
fn the_find_is_that_of_one_worker() {
    let explored = check("model::partition::a_thread_that_is_overtaken_twice", Budget::OfTest, &[2, 2, 3, 4]);
    let last = explored.engines.last().unwrap();
    let how = How::Exhaustive { preemptions: Some(3), total_order: false };
    assert_eq!((last.engine.as_str(), last.how, last.executions), ("loom", how, 4_923));
    assert!(explored.caught.is_some());
}

#[test]
fn a_search_that_stops_at_its_budget_stops_where_one_worker_does() {
    let explored = check("model::partition::a_thread_that_is_overtaken_twice", Budget::Runs(4_000), &[2, 3]);
    assert_eq!((explored.runs, explored.caught), (4_000, None));
}
