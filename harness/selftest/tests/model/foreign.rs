//! Models with locks that no engine sees are refused, with the backtrace of a wait and what to use instead.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    atomic::{AtomicUsize, Ordering::*},
    cell::UnsafeCell,
    thread,
};
use refrain_core::protocol::{Budget, Outcome, Request};
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

struct Shared<L>(L, UnsafeCell<u32>);
// SAFETY: the lock is held at each access.
unsafe impl<L: Sync> Sync for Shared<L> {}
// SAFETY: as above.
unsafe impl<L: Send> Send for Shared<L> {}

impl<L> Shared<L> {
    fn add(&self) {
        // SAFETY: the lock is held.
        self.1.with_mut(|value| unsafe { *value += 1 });
    }
}

/// Parks the thread of the operating system, as the `block_on` of other crates does.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}

/// Both accesses hold the lock, so there is no data race.
#[refrain::model]
#[ignore = "it is refused: see the tests below"]
fn a_lock_of_std_around_a_cell() {
    let shared = Arc::new(Shared(std::sync::Mutex::new(()), UnsafeCell::new(0)));
    threads(2, move |_| {
        let _guard = shared.0.lock().unwrap();
        shared.add();
    });
}

#[refrain::model]
#[ignore = "it is refused: see the tests below"]
fn a_notification_of_tokio() {
    let shared = Arc::new((real::sync::Notify::new(), AtomicUsize::new(0)));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        other.1.fetch_add(1, AcqRel);
        block_on(other.0.notified());
    });
    shared.1.fetch_add(1, AcqRel);
    shared.0.notify_one();
    thread.join().unwrap();
}

#[refrain::model]
#[ignore = "it is refused: see the tests below"]
fn a_lock_of_std_held_across_an_operation() {
    let shared = Arc::new((std::sync::Mutex::new(()), AtomicUsize::new(0)));
    threads(2, move |_| {
        let _guard = shared.0.lock().unwrap();
        shared.1.fetch_add(1, AcqRel);
    });
}

#[refrain::model]
#[ignore = "it is refused: see the tests below"]
fn a_lock_of_parking_lot_held_across_an_operation() {
    let shared = Arc::new((parking_lot::RwLock::new(()), AtomicUsize::new(0)));
    threads(2, move |_| {
        let _guard = shared.0.write();
        shared.1.fetch_add(1, AcqRel);
    });
}

#[refrain::model(complete)]
#[ignore = "it is refused: see the tests below"]
fn a_lost_update_through_a_lock_of_parking_lot() {
    let count = Arc::new(parking_lot::Mutex::new(0));
    let other = count.clone();
    let thread = thread::spawn(move || {
        let before = *other.lock();
        *other.lock() = before + 1;
    });
    let before = *count.lock();
    *count.lock() = before + 1;
    thread.join().unwrap();
    assert_eq!(*count.lock(), 2);
}

#[refrain::model]
#[ignore = "it is refused: see the tests below"]
fn a_lost_update_through_a_lock_of_tokio() {
    let count = Arc::new(real::sync::Mutex::new(0));
    let own = count.clone();
    threads(2, move |_| {
        let before = *block_on(count.lock());
        *block_on(count.lock()) = before + 1;
    });
    assert_eq!(*block_on(own.lock()), 2);
}

/// A real data race is still reported.
#[refrain::model(expect = "data-race")]
fn a_lock_of_std_around_one_of_two_accesses() {
    let shared = Arc::new(Shared(std::sync::Mutex::new(()), UnsafeCell::new(0)));
    threads(2, move |nth| {
        let guard = (nth == 0).then(|| shared.0.lock().unwrap());
        shared.add();
        drop(guard);
    });
}

/// Threads may share nothing but the values that they return.
#[refrain::model(complete)]
fn threads_that_only_return_values_are_not_refused() {
    let threads = [1, 2].map(|value| thread::spawn(move || value * value));
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 4]);
}

/// Asserts that a model is refused soon, with an explanation that contains these texts.
#[track_caller]
fn refused(test: &str, says: &[&str]) {
    let started = Instant::now();
    let outcome = ask(&format!("model::foreign::{test}"), &Request::explore(1, Budget::OfTest, Some(1)));
    let Outcome::Refused(why) = outcome else { panic!("{test}: {outcome:?}") };
    for text in says {
        assert!(why.contains(text), "{text:?} is not in: {why}");
    }
    for harness in ["refrain::interleaving", "refrain::sync::thread", "shuttle", "generator", "__restore"] {
        assert!(!why.contains(harness), "{harness:?} is in: {why}");
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

const HERE: &str = "tests/model/foreign.rs";

#[test]
fn a_lock_of_std_around_a_cell_is_not_a_data_race() {
    refused("a_lock_of_std_around_a_cell", &["use refrain::sync::Mutex", "Mutex", HERE]);
}

#[test]
fn a_notification_of_tokio_is_refused() {
    refused("a_notification_of_tokio", &["refrain::sync", "park", HERE]);
}

#[test]
fn a_lock_held_across_an_operation_is_not_an_endless_loop() {
    refused("a_lock_of_std_held_across_an_operation", &["use refrain::sync::Mutex", "Mutex", HERE]);
    refused("a_lock_of_parking_lot_held_across_an_operation", &["use refrain::sync::RwLock", "RawRwLock", HERE]);
}

#[test]
fn threads_that_share_nothing_that_refrain_sees_are_refused() {
    for test in ["a_lost_update_through_a_lock_of_parking_lot", "a_lost_update_through_a_lock_of_tokio"] {
        refused(test, &["share nothing that refrain sees", "refrain::sync"]);
    }
}

/// A reference count that is asked for when nobody else can change it says nothing of the lock in it.
#[refrain::model]
#[ignore = "it is refused: see the test below"]
fn a_lost_update_through_a_counted_lock_of_std() {
    let count = refrain::sync::Arc::new(std::sync::Mutex::new(0));
    let own = count.clone();
    threads(2, move |_| {
        let before = *count.lock().unwrap();
        *count.lock().unwrap() = before + 1;
    });
    assert_eq!(refrain::sync::Arc::try_unwrap(own).unwrap().into_inner().unwrap(), 2);
}

#[test]
fn a_count_that_nobody_else_changes_is_nothing_shared() {
    refused("a_lost_update_through_a_counted_lock_of_std", &["share nothing that refrain sees", "refrain::sync"]);
}
