//! Memory with data races, double frees and leaks.

use super::threads;
use refrain::sync::{
    Arc,
    alloc::{Layout, Track, alloc, dealloc},
    atomic::{AtomicPtr, AtomicUsize, Ordering::*},
    cell::UnsafeCell,
    thread,
};
use std::ptr;

struct Shared(UnsafeCell<u32>);
// SAFETY: unsound on purpose; the test expects this to be found.
unsafe impl Sync for Shared {}
unsafe impl Send for Shared {}

#[refrain::model(expect = "data-race")]
fn two_writers_without_order_race() {
    let shared = std::sync::Arc::new(Shared(UnsafeCell::new(0)));
    // SAFETY: the access is tracked.
    threads(2, move |nth| shared.0.with_mut(|value| unsafe { *value = nth as u32 }));
}

/// A flag that is stored without release does not publish earlier writes.
#[refrain::model(expect = "data-race")]
fn a_relaxed_flag_publishes_nothing() {
    let shared = std::sync::Arc::new((Shared(UnsafeCell::new(0)), AtomicUsize::new(0)));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        // SAFETY: the access is tracked.
        other.0.0.with_mut(|value| unsafe { *value = 7 });
        other.1.store(1, Relaxed);
    });
    if shared.1.load(Acquire) == 1 {
        // SAFETY: the access is tracked.
        shared.0.0.with(|value| unsafe { assert_eq!(*value, 7) });
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_released_flag_publishes() {
    let shared = std::sync::Arc::new((Shared(UnsafeCell::new(0)), AtomicUsize::new(0)));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        // SAFETY: the access is tracked.
        other.0.0.with_mut(|value| unsafe { *value = 7 });
        other.1.store(1, Release);
    });
    if shared.1.load(Acquire) == 1 {
        // SAFETY: the access is tracked.
        shared.0.0.with(|value| unsafe { assert_eq!(*value, 7) });
    }
    thread.join().unwrap();
}

fn slot() -> std::sync::Arc<AtomicPtr<u8>> {
    // SAFETY: the size is not zero.
    std::sync::Arc::new(AtomicPtr::new(unsafe { alloc(Layout::new::<u8>()) }))
}

/// Both may see the pointer before either takes it.
#[refrain::model(expect = "double-free")]
fn a_pointer_that_is_looked_at_and_then_taken_is_freed_twice() {
    let slot = slot();
    threads(2, move |_| {
        let memory = slot.load(Acquire);
        if !memory.is_null() {
            slot.store(ptr::null_mut(), Release);
            // SAFETY: unsound on purpose; the test expects this to be found.
            unsafe { dealloc(memory, Layout::new::<u8>()) };
        }
    });
}

#[refrain::model(complete)]
fn a_pointer_that_is_swapped_out_is_freed_once() {
    let slot = slot();
    threads(2, move |_| {
        let memory = slot.swap(ptr::null_mut(), AcqRel);
        if !memory.is_null() {
            // SAFETY: allocated with this layout, and owned exclusively by the thread that swapped it out.
            unsafe { dealloc(memory, Layout::new::<u8>()) };
        }
    });
}

fn freed_in_one_order_only() {
    let slot = slot();
    let other = slot.clone();
    let closed = std::sync::Arc::new(AtomicUsize::new(0));
    let seen = closed.clone();
    let thread = thread::spawn(move || {
        if seen.load(Acquire) == 0 {
            // SAFETY: allocated with this layout, and freed only here.
            unsafe { dealloc(other.load(Acquire), Layout::new::<u8>()) };
        }
    });
    closed.store(1, Release);
    thread.join().unwrap();
}

#[refrain::model(expect = "leak")]
fn memory_that_only_one_order_frees_leaks() {
    freed_in_one_order_only();
}

#[refrain::model(expect = "leak", engine = "loom")]
fn memory_that_only_one_order_frees_leaks_under_loom() {
    freed_in_one_order_only();
}

#[refrain::model(expect = "leak")]
fn a_tracked_value_that_is_forgotten_leaks() {
    std::mem::forget(Track::new(7));
}

#[refrain::model(expect = "leak", engine = "loom")]
fn a_count_that_is_forgotten_leaks() {
    let arc = Arc::new(7);
    std::mem::forget(arc.clone());
}

#[refrain::model(complete)]
fn a_counted_value_is_dropped_once() {
    let arc = Arc::new(Track::new(7));
    let other = arc.clone();
    let thread = thread::spawn(move || drop(other));
    drop(arc);
    thread.join().unwrap();
}
