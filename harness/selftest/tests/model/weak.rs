//! What the memory model allows and forbids, and what it forbids that loom allows.

use super::threads;
use refrain::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering, Ordering::*, fence},
    thread,
};
use std::sync::Arc;

/// Two threads store to a flag each and load the other's; returns whether both read the old value (store buffering).
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

/// Real processors do this: a store stays in the store buffer for a while.
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

/// The store is not part of the total order: a processor may perform it after the load.
#[refrain::model(expect = "panic")]
fn a_relaxed_store_before_a_sequentially_consistent_load_lets_both_enter() {
    assert!(!both_enter((Relaxed, SeqCst), false), "both entered");
}

#[refrain::model(expect = "panic")]
fn a_relaxed_load_after_a_sequentially_consistent_store_lets_both_enter() {
    assert!(!both_enter((SeqCst, Relaxed), false), "both entered");
}

/// One relaxed access of four is enough.
#[refrain::model(expect = "panic")]
fn one_relaxed_access_of_four_lets_both_enter() {
    let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = flags.clone();
    let thread = thread::spawn(move || {
        other[1].store(1, Relaxed);
        other[0].load(SeqCst) == 0
    });
    flags[0].store(1, SeqCst);
    let one = flags[1].load(SeqCst) == 0;
    assert!(!(thread.join().unwrap() && one), "both entered");
}

/// Accesses on one side and a fence on the other are enough, too.
#[refrain::model(complete)]
fn a_fence_and_accesses_let_one_enter() {
    let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = flags.clone();
    let thread = thread::spawn(move || {
        other[1].store(1, Relaxed);
        fence(SeqCst);
        other[0].load(Relaxed) == 0
    });
    flags[0].store(1, SeqCst);
    let one = flags[1].load(SeqCst) == 0;
    assert!(!(thread.join().unwrap() && one), "both entered");
}

/// Each raises a flag and yields priority to the other, then checks; returns whether both proceed. Like Peterson's
/// algorithm, except that a thread that would have to wait gives up.
fn both_go(flag: Ordering) -> bool {
    let shared = Arc::new(([AtomicUsize::new(0), AtomicUsize::new(0)], AtomicUsize::new(0)));
    let other = shared.clone();
    let goes = move |(flags, first): &([AtomicUsize; 2], AtomicUsize), own: usize| {
        flags[own].store(1, flag);
        first.store(1 - own, SeqCst);
        flags[1 - own].load(SeqCst) == 0 || first.load(SeqCst) == own
    };
    let thread = thread::spawn(move || goes(&other, 1));
    let one = goes(&shared, 0);
    thread.join().unwrap() && one
}

/// The stores to `first` are ordered only by the total order.
#[refrain::model(complete)]
fn one_of_two_goes_first() {
    assert!(!both_go(SeqCst), "both went");
}

#[refrain::model(expect = "panic")]
fn both_go_whose_flags_are_raised_late() {
    assert!(!both_go(Relaxed), "both went");
}

/// Two threads read what two others write; returns whether they see the writes in different orders (IRIW).
fn readers_disagree(store: Ordering, load: Ordering) -> bool {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let writers = [0, 1].map(|nth| {
        let own = shared.clone();
        thread::spawn(move || own[nth].store(1, store))
    });
    let own = shared.clone();
    let reads = move |shared: &[AtomicUsize; 2], first: usize| {
        shared[first].load(load) == 1 && shared[1 - first].load(load) == 0
    };
    let reader = thread::spawn(move || reads(&own, 1));
    let one = reads(&shared, 0);
    let other = reader.join().unwrap();
    writers.into_iter().for_each(|thread| thread.join().unwrap());
    one && other
}

#[refrain::model(complete)]
fn readers_agree_if_all_is_sequentially_consistent() {
    assert!(!readers_disagree(SeqCst, SeqCst), "two orders");
}

#[refrain::model(expect = "panic")]
fn readers_that_only_acquire_disagree() {
    assert!(!readers_disagree(SeqCst, Acquire), "two orders");
}

/// The flag is sequentially consistent but the count is not: the last owner does not see the other's accesses.
#[refrain::model(expect = "panic")]
fn a_relaxed_count_beside_a_sequentially_consistent_flag_is_caught() {
    let shared = Arc::new((AtomicUsize::new(2), AtomicUsize::new(0), [AtomicUsize::new(0), AtomicUsize::new(0)]));
    threads(2, move |nth| {
        let (count, flag, done) = &*shared;
        done[nth].store(1, Relaxed);
        flag.store(1, SeqCst);
        flag.load(SeqCst);
        if count.fetch_sub(1, Relaxed) == 1 {
            assert!(done.iter().all(|one| one.load(Relaxed) == 1), "what a holder did is not seen");
        }
    });
}

/// A relaxed flag does not publish anything, whatever its own order is.
#[refrain::model(expect = "panic")]
fn a_relaxed_flag_announces_nothing() {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = shared.clone();
    let thread = thread::spawn(move || {
        other[0].store(7, SeqCst);
        other[1].store(1, Relaxed);
    });
    if shared[1].load(Relaxed) == 1 {
        assert_eq!(shared[0].load(SeqCst), 7, "a stale message");
    }
    thread.join().unwrap();
}

/// Only one of two flags is sequentially consistent: that orders nothing, so the failure remains.
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

/// Only a park synchronizes with an unpark.
#[refrain::model(expect = "panic")]
fn an_unpark_publishes_nothing_before_the_park() {
    let shared = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = shared.clone();
    let thread = thread::spawn(move || {
        if other[1].load(Relaxed) == 1 {
            assert_eq!(other[0].load(Relaxed), 7, "a stale message");
        }
    });
    shared[0].store(7, Relaxed);
    thread.thread().unpark();
    shared[1].store(1, Relaxed);
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

/// Operations ordered by a lock are part of the total order, too.
#[refrain::model(complete)]
fn a_lock_hands_on_what_is_sequentially_consistent() {
    let shared = Arc::new(([AtomicUsize::new(0), AtomicUsize::new(0)], Mutex::new(false)));
    let (one, other) = (shared.clone(), shared.clone());
    let writes = thread::spawn(move || {
        one.0[0].store(1, SeqCst);
        *one.1.lock().unwrap() = true;
    });
    let reads = thread::spawn(move || {
        let is_written = *other.1.lock().unwrap();
        is_written && other.0[1].load(SeqCst) == 0
    });
    shared.0[1].store(1, SeqCst);
    let is_first = shared.0[0].load(SeqCst) == 0;
    writes.join().unwrap();
    assert!(!(reads.join().unwrap() && is_first), "two orders");
}

/// A failed compare-exchange may read an old value, like a load.
#[refrain::model(expect = "panic")]
fn an_exchange_that_fails_reads_an_old_value() {
    let atomics = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = atomics.clone();
    let thread = thread::spawn(move || {
        other[0].store(1, Relaxed);
        other[1].store(1, Relaxed);
    });
    if atomics[1].load(Relaxed) == 1 {
        assert_eq!(atomics[0].compare_exchange(1, 2, Relaxed, Relaxed), Ok(1));
    }
    thread.join().unwrap();
}

/// It synchronizes with the store that it reads, according to its failure ordering.
fn an_exchange_that_fails_learns(failure: Ordering) {
    let atomics = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = atomics.clone();
    let thread = thread::spawn(move || {
        other[0].store(1, Relaxed);
        other[1].store(1, Release);
        other[1].store(2, Release);
    });
    if atomics[1].compare_exchange(0, 9, Relaxed, failure) == Err(1) {
        assert_eq!(atomics[0].load(Relaxed), 1, "the message is there");
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn an_exchange_that_fails_with_acquire_learns_what_was_released() {
    an_exchange_that_fails_learns(Acquire);
}

#[refrain::model(expect = "panic")]
fn an_exchange_that_fails_relaxed_learns_nothing() {
    an_exchange_that_fails_learns(Relaxed);
}

/// A successful compare-exchange reads the newest store.
#[refrain::model(complete)]
fn exchanges_that_succeed_never_read_an_old_value() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    threads(2, move |_| {
        let mut was = count.load(Relaxed);
        while let Err(is) = count.compare_exchange(was, was + 1, Relaxed, Relaxed) {
            was = is;
        }
    });
    assert_eq!(own.load(Relaxed), 2);
}

/// Both stores have the same value, and the load reads the first one: only the modification order distinguishes them.
#[refrain::model(expect = "panic")]
fn an_old_store_of_the_value_that_is_the_newest_is_read() {
    let atomics = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = atomics.clone();
    let thread = thread::spawn(move || {
        other[0].store(1, Release);
        other[1].store(7, Relaxed);
        other[0].store(0, Release);
        other[0].store(1, Release);
    });
    if atomics[0].load(Acquire) == 1 && atomics[1].load(Relaxed) == 7 {
        thread.join().unwrap();
        panic!("the message was there");
    }
    thread.join().unwrap();
}
