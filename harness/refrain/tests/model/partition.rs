//! One worker or several: the exhaustive search makes the same number of executions. `ci/bench` shows it of larger models.

use crate::{driver::ask, threads};
use refrain::{
    protocol::{Budget, Outcome, Request, Searched},
    sync::{
        Condvar, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering::*},
        thread,
    },
};
use std::sync::Arc;

/// Loads of old values.
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

#[track_caller]
fn check(test: &str) {
    let of_loom = |jobs| match ask(test, &Request::Explore { seed: 1, budget: Budget::OfTest, jobs: Some(jobs) }) {
        Outcome::Explored(explored) => {
            let engines = explored.engines.into_iter().filter(|searched| searched.by.starts_with("loom"));
            engines.map(|searched| Searched { took_ms: 0, ..searched }).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let alone = of_loom(1);
    assert!(alone.iter().any(|searched| searched.executions > 1_000), "it is split: {alone:?}");
    assert_eq!(alone, of_loom(2));
    assert_eq!(alone, of_loom(3));
}

#[test]
fn a_search_of_stores_and_loads_is_split_exactly() {
    check("partition::stores_and_loads");
}

#[test]
fn a_search_of_locks_and_a_condition_is_split_exactly() {
    check("partition::locks_and_a_condition");
}

#[test]
fn a_search_of_readers_and_a_writer_is_split_exactly() {
    check("partition::readers_and_a_writer");
}
