//! What the memory model allows, what it forbids, and what loom does not know that it forbids.

use crate::threads;
use refrain::sync::{
    atomic::{AtomicUsize, Ordering, Ordering::*, fence},
    thread,
};
use std::sync::Arc;

/// Two threads raise a flag each and look at the other's; says whether both saw it down.
fn both_enter(order: (Ordering, Ordering), fenced: bool) -> bool {
    let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = flags.clone();
    let enter = move |flags: &[AtomicUsize; 2], own: usize| {
        flags[own].store(1, order.0);
        if fenced {
            fence(SeqCst);
        }
        flags[1 - own].load(order.1) == 0
    };
    let thread = thread::spawn(move || enter(&other, 1));
    let one = enter(&flags, 0);
    thread.join().unwrap() && one
}

/// Real processors do this: each keeps its store to itself for a while.
#[refrain::model(expect = "panic", snapshot)]
fn relaxed_flags_let_both_enter() {
    assert!(!both_enter((Relaxed, Relaxed), false), "both entered");
}

#[refrain::model(expect = "panic")]
fn released_flags_let_both_enter() {
    assert!(!both_enter((Release, Acquire), false), "both entered");
}

/// loom reports this one, too, and is wrong: it treats the accesses as acquire and release.
#[refrain::model(complete)]
fn sequentially_consistent_flags_let_one_enter() {
    assert!(!both_enter((SeqCst, SeqCst), false), "both entered");
}

#[refrain::model(complete)]
fn fences_let_one_enter() {
    assert!(!both_enter((Relaxed, Relaxed), true), "both entered");
}

/// One flag of two is sequentially consistent: that orders nothing, and what is found stays found.
#[refrain::model(expect = "panic")]
fn a_sequentially_consistent_counter_beside_them_does_not_help() {
    let beside = Arc::new(AtomicUsize::new(0));
    let own = beside.clone();
    let thread = thread::spawn(move || own.store(1, SeqCst));
    let both = both_enter((Relaxed, Relaxed), false);
    thread.join().unwrap();
    assert!(!both, "both entered");
}

#[refrain::model(expect = "panic")]
fn a_relaxed_message_is_read_before_it_is_written() {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = shared.clone();
    let thread = thread::spawn(move || {
        other[0].store(7, Relaxed);
        other[1].store(1, Relaxed);
    });
    if shared[1].load(Acquire) == 1 {
        assert_eq!(shared[0].load(Relaxed), 7, "a stale message");
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn one_atomic_is_coherent() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    threads(2, move |_| {
        count.fetch_add(1, Relaxed);
    });
    assert_eq!(own.load(Relaxed), 2);
}
