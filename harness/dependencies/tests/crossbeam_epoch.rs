//! `crossbeam-epoch`: a pointer is loaded and then swapped; it is exchanged if it is still the same.

use super::both;
use crossbeam_epoch::{self as epoch, Atomic, Owned};
use std::sync::{Arc, atomic::Ordering::*};

/// Another thread may store in between.
#[refrain::model(expect = "panic")]
fn a_load_and_a_store_are_two_steps() {
    let value = Arc::new(Atomic::new(0));
    let shared = value.clone();
    both(move || {
        let guard = epoch::pin();
        // SAFETY: it is never null, and freed only later.
        let was = unsafe { *shared.load(Acquire, &guard).deref() };
        let old = shared.swap(Owned::new(was + 1), AcqRel, &guard);
        // SAFETY: nobody else has removed it.
        unsafe { guard.defer_destroy(old) };
    });
    let guard = epoch::pin();
    // SAFETY: as above.
    assert_eq!(unsafe { *value.load(Acquire, &guard).deref() }, 2);
}

#[refrain::model]
fn a_compare_exchange_is_one_step() {
    let value = Arc::new(Atomic::new(0));
    let shared = value.clone();
    both(move || {
        let guard = epoch::pin();
        loop {
            let was = shared.load(Acquire, &guard);
            // SAFETY: it is never null, and freed only later.
            let new = Owned::new(unsafe { *was.deref() } + 1);
            if shared.compare_exchange(was, new, AcqRel, Acquire, &guard).is_ok() {
                // SAFETY: nobody else has removed it.
                unsafe { guard.defer_destroy(was) };
                return;
            }
        }
    });
    let guard = epoch::pin();
    // SAFETY: as above.
    assert_eq!(unsafe { *value.load(Acquire, &guard).deref() }, 2);
}
