//! `parking_lot`: an update takes two locks, locks are taken in two orders, a condition is checked without the lock; one lock, one order, with the lock.

use super::both;
use parking_lot::{Condvar, Mutex, Once, RwLock};
use refrain::sync::{cell::UnsafeCell, thread};
use std::sync::Arc;

/// The lock is released between the read and the write.
#[refrain::model(expect = "panic")]
fn an_update_is_lost_between_two_locks() {
    let value = Arc::new(Mutex::new(0));
    let shared = value.clone();
    both(move || {
        let was = *shared.lock();
        *shared.lock() = was + 1;
    });
    assert_eq!(*value.lock(), 2);
}

#[refrain::model(complete)]
fn an_update_under_one_lock_is_kept() {
    let value = Arc::new(Mutex::new(0));
    let shared = value.clone();
    both(move || *shared.lock() += 1);
    assert_eq!(*value.lock(), 2);
}

/// The lock orders the accesses of a cell.
struct Counter(Mutex<()>, UnsafeCell<u32>);
// SAFETY: the lock is held at each access, unless a test is about just that.
unsafe impl Sync for Counter {}

impl Counter {
    fn add(&self) {
        // SAFETY: as above.
        self.1.with_mut(|value| unsafe { *value += 1 });
    }
}

#[refrain::model(complete)]
fn accesses_under_the_lock_are_ordered() {
    let counter = Counter(Mutex::new(()), UnsafeCell::new(0));
    both(move || {
        let _guard = counter.0.lock();
        counter.add();
    });
}

#[refrain::model(expect = "data-race")]
fn an_access_after_the_lock_is_a_data_race() {
    let counter = Counter(Mutex::new(()), UnsafeCell::new(0));
    both(move || {
        drop(counter.0.lock());
        counter.add();
    });
}

#[refrain::model(expect = "deadlock")]
fn two_locks_in_two_orders_deadlock() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = locks.clone();
    let thread = thread::spawn(move || {
        let _second = other.1.lock();
        let _first = other.0.lock();
    });
    let first = locks.0.lock();
    let second = locks.1.lock();
    drop((first, second));
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn two_locks_in_one_order_do_not_deadlock() {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    both(move || {
        let mut first = locks.0.lock();
        let mut second = locks.1.lock();
        (*first, *second) = (1, 1);
    });
}

/// A second reader may come in between.
#[refrain::model(expect = "panic")]
fn a_read_and_a_write_are_two_steps() {
    let value = Arc::new(RwLock::new(0));
    let shared = value.clone();
    both(move || {
        let was = *shared.read();
        *shared.write() = was + 1;
    });
    assert_eq!(*value.read(), 2);
}

#[refrain::model(complete)]
fn an_upgradable_read_and_a_write_are_one_step() {
    let value = Arc::new(RwLock::new(0));
    let shared = value.clone();
    both(move || {
        let read = shared.upgradable_read();
        let was = *read;
        *parking_lot::RwLockUpgradableReadGuard::upgrade(read) = was + 1;
    });
    assert_eq!(*value.read(), 2);
}

/// The notification comes between the check and the wait.
#[refrain::model(expect = "deadlock")]
fn a_notification_before_the_wait_is_lost() {
    let state = Arc::new((Mutex::new(false), Condvar::new()));
    let other = state.clone();
    let thread = thread::spawn(move || {
        *other.0.lock() = true;
        other.1.notify_one();
    });
    let is_ready = *state.0.lock();
    if !is_ready {
        state.1.wait(&mut state.0.lock());
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_wait_that_checks_under_the_lock_ends() {
    let state = Arc::new((Mutex::new(false), Condvar::new()));
    let other = state.clone();
    let thread = thread::spawn(move || {
        *other.0.lock() = true;
        other.1.notify_one();
    });
    let mut is_ready = state.0.lock();
    while !*is_ready {
        state.1.wait(&mut is_ready);
    }
    drop(is_ready);
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_once_runs_once() {
    let state = Arc::new((Once::new(), Mutex::new(0)));
    let shared = state.clone();
    both(move || {
        shared.0.call_once(|| *shared.1.lock() += 1);
        assert_eq!(*shared.1.lock(), 1);
    });
}
