//! Threads that share nothing but the reference count of an `Arc`.

use super::threads;
use refrain::sync::{Arc, thread};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Each of two asks whether it has the last reference, and drops its own: if both ask first, nobody cleans up.
fn the_last_of_two_cleans_up(others: usize) {
    let value = Arc::new(());
    let own = value.clone();
    let cleaned = std::sync::Arc::new(AtomicUsize::new(0));
    let cleans_up = |value: Arc<()>, cleaned: &AtomicUsize| {
        cleaned.fetch_add((Arc::strong_count(&value) == 1).into(), Relaxed);
    };
    let other = cleaned.clone();
    let thread = thread::spawn(move || cleans_up(value, &other));
    threads(others, |_| thread::yield_now());
    cleans_up(own, &cleaned);
    thread.join().unwrap();
    assert_eq!(cleaned.load(Relaxed), 1);
}

/// Nothing is shared but the reference count.
#[refrain::model(expect = "panic")]
fn two_that_ask_whether_they_are_the_last() {
    the_last_of_two_cleans_up(0);
}

#[refrain::model(expect = "panic", engine = "shuttle")]
fn two_that_ask_whether_they_are_the_last_under_shuttle() {
    the_last_of_two_cleans_up(0);
}

#[refrain::model(expect = "panic")]
fn two_among_six_that_ask_whether_they_are_the_last() {
    the_last_of_two_cleans_up(4);
}

/// `get_mut` succeeds exactly for the last owner.
#[refrain::model(complete)]
fn a_reference_that_is_the_only_one_gives_its_value() {
    let mut value = Arc::new(7);
    let other = value.clone();
    let thread = thread::spawn(move || drop(other));
    let early = Arc::get_mut(&mut value).is_some();
    thread.join().unwrap();
    assert!(Arc::get_mut(&mut value).is_some() || !early);
}

#[refrain::model(expect = "panic")]
fn a_reference_that_is_taken_for_the_only_one() {
    let mut value = Arc::new(7);
    let other = value.clone();
    let thread = thread::spawn(move || drop(other));
    assert!(Arc::get_mut(&mut value).is_some());
    thread.join().unwrap();
}
