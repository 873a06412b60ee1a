//! Litmus tests: exactly the executions that C++20 allows are accepted.

use super::history::History;
use std::sync::atomic::Ordering::{self, *};

const X: u32 = 1;
const Y: u32 = 2;
const Z: u32 = 3;

/// The threads' operations in order; thread 0 created the atomics.
enum Op {
    Stores(usize, u32, Ordering, u64),
    Loads(usize, u32, Ordering, u64),
    Fences(usize, Ordering),
    Adds(usize, u32, Ordering, u64),
}
use Op::*;

/// Checks whether the last operation, a load, can have read its value; the earlier ones can.
#[track_caller]
fn check(ops: &[Op], is_allowed: bool) {
    let mut history = History::default();
    [X, Y, Z].iter().for_each(|atomic| history.store(0, *atomic, Relaxed, 0));
    let begun = history.release(0);
    (1..5).for_each(|thread| history.acquire(thread, &begun));
    let mut allowed = vec![];
    for one in ops {
        match *one {
            Stores(thread, atomic, order, value) => history.store(thread, atomic, order, value),
            Loads(thread, atomic, order, value) => allowed.push(history.load(thread, atomic, order, value)),
            Fences(thread, order) => history.fence(thread, order),
            Adds(thread, atomic, order, was) => {
                allowed.push(history.exchange(thread, atomic, order, was, was + 1));
            }
        }
    }
    let last = allowed.pop().expect("there is a load");
    assert!(allowed.into_iter().all(|allowed| allowed), "all but the last are allowed");
    assert_eq!(last, is_allowed);
}

fn store_buffering(stores: (Ordering, Ordering), loads: (Ordering, Ordering)) -> [Op; 4] {
    [Stores(1, X, stores.0, 1), Stores(2, Y, stores.1, 1), Loads(1, Y, loads.0, 0), Loads(2, X, loads.1, 0)]
}

#[test]
fn store_buffering_needs_an_access_that_is_not_seq_cst() {
    check(&store_buffering((SeqCst, SeqCst), (SeqCst, SeqCst)), false);
    check(&store_buffering((Relaxed, SeqCst), (SeqCst, SeqCst)), true);
    check(&store_buffering((SeqCst, SeqCst), (SeqCst, Relaxed)), true);
    check(&store_buffering((Release, Release), (SeqCst, SeqCst)), true);
    check(&store_buffering((SeqCst, SeqCst), (Acquire, Acquire)), true);
    check(&store_buffering((Relaxed, Relaxed), (Relaxed, Relaxed)), true);
}

#[test]
fn store_buffering_with_a_fence_on_one_side_and_accesses_on_the_other_is_forbidden() {
    let with = |load: Ordering, own: Ordering| {
        [
            Stores(1, X, SeqCst, 1),
            Stores(2, Y, Relaxed, 1),
            Loads(1, Y, own, 0),
            Fences(2, SeqCst),
            Loads(2, X, load, 0),
        ]
    };
    check(&with(Relaxed, SeqCst), false);
    check(&with(SeqCst, SeqCst), false);
    // The load before the fence is not in the total order.
    check(&with(Relaxed, Relaxed), true);
}

#[test]
fn store_buffering_with_two_fences_is_forbidden() {
    let fenced = [
        Stores(1, X, Relaxed, 1),
        Stores(2, Y, Relaxed, 1),
        Fences(1, SeqCst),
        Loads(1, Y, Relaxed, 0),
        Fences(2, SeqCst),
        Loads(2, X, Relaxed, 0),
    ];
    check(&fenced, false);
}

#[test]
fn independent_readers_agree_if_all_is_seq_cst() {
    let readers = |stores: Ordering, loads: Ordering| {
        [
            Stores(1, X, stores, 1),
            Stores(2, Y, stores, 1),
            Loads(3, X, loads, 1),
            Loads(4, Y, loads, 1),
            Loads(3, Y, loads, 0),
            Loads(4, X, loads, 0),
        ]
    };
    check(&readers(SeqCst, SeqCst), false);
    check(&readers(Release, Acquire), true);
    check(&readers(SeqCst, Acquire), true);
}

/// A relaxed flag does not publish other values, `SeqCst` or not.
#[test]
fn a_relaxed_flag_publishes_nothing() {
    let with = |flag: (Ordering, Ordering), data: Ordering| {
        [Stores(1, X, SeqCst, 1), Stores(1, Y, flag.0, 1), Loads(2, Y, flag.1, 1), Loads(2, X, data, 0)]
    };
    check(&with((Relaxed, Relaxed), SeqCst), true);
    check(&with((Relaxed, SeqCst), SeqCst), true);
}

/// The order is transitive through acquires.
#[test]
fn what_was_acquired_comes_before() {
    let with = |flag: (Ordering, Ordering)| {
        [
            Stores(1, X, SeqCst, 1),
            Stores(1, Z, flag.0, 1),
            Loads(2, Z, flag.1, 1),
            Loads(2, Y, SeqCst, 0),
            Stores(3, Y, SeqCst, 1),
            Loads(3, X, SeqCst, 0),
        ]
    };
    check(&with((Release, Acquire)), false);
    check(&with((Relaxed, Acquire)), true);
}

/// C++11 forbade it, and Power does it: a `SeqCst` store that is itself acquired does not order what precedes it.
#[test]
fn a_mixed_access_is_ordered_by_coherence_only() {
    let mixed = [
        Stores(1, X, SeqCst, 1),
        Loads(2, X, Acquire, 1),
        Loads(2, Y, SeqCst, 0),
        Stores(3, Y, SeqCst, 1),
        Loads(3, X, SeqCst, 0),
    ];
    check(&mixed, true);
}

/// The last load reads the newest store, which determines the order of the two.
#[test]
fn two_stores_of_one_atomic_stand_in_the_order() {
    let peterson = |flag: Ordering| {
        [
            Stores(1, X, flag, 1),
            Stores(1, Z, SeqCst, 2),
            Stores(2, Y, flag, 1),
            Stores(2, Z, SeqCst, 1),
            Loads(2, X, SeqCst, 0),
            Loads(1, Y, SeqCst, 1),
            Loads(1, Z, SeqCst, 1),
        ]
    };
    check(&peterson(SeqCst), false);
    check(&peterson(Relaxed), true);
}

#[test]
fn exchanges_that_are_seq_cst_stand_in_the_order() {
    let with =
        |order: Ordering| [Adds(1, X, order, 0), Adds(2, Y, order, 0), Loads(1, Y, SeqCst, 0), Loads(2, X, SeqCst, 0)];
    check(&with(SeqCst), false);
    check(&with(AcqRel), true);
}

/// A read-modify-write reads the store before its own, so it cannot leave out one that happened before it.
#[test]
fn exchanges_read_around_no_store_that_happened_before() {
    let with = |published: Ordering| {
        [Stores(1, X, Relaxed, 9), Stores(1, Y, published, 1), Adds(2, Y, Acquire, 1), Adds(2, X, Relaxed, 0)]
    };
    check(&with(Release), false);
    check(&with(Relaxed), true);
}
