//! Loops that wait for another thread without a yield or spin hint.

use super::{threads, traces::shrunk};
use refrain::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    thread,
};
use refrain_core::plan::Threads;
use std::sync::Arc;

#[refrain::model(complete)]
fn a_loop_that_reads_until_it_is_time() {
    let ready = Arc::new(AtomicBool::new(false));
    let own = ready.clone();
    let thread = thread::spawn(move || own.store(true, Release));
    while !ready.load(Acquire) {}
    thread.join().unwrap();
}

/// Two loads per iteration.
#[refrain::model(complete)]
fn a_loop_that_reads_two_flags() {
    let ready = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
    let own = ready.clone();
    let thread = thread::spawn(move || own[1].store(true, Relaxed));
    while !ready[0].load(Relaxed) && !ready[1].load(Relaxed) {}
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_lock_that_spins() {
    let shared = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
    let own = shared.clone();
    threads(2, move |_| {
        while shared.0.compare_exchange(false, true, Acquire, Relaxed).is_err() {}
        shared.1.store(shared.1.load(Relaxed) + 1, Relaxed);
        shared.0.store(false, Release);
    });
    assert_eq!(own.1.load(Relaxed), 2);
}

#[refrain::model(complete)]
fn a_mutex_that_is_tried_until_it_is_had() {
    let count = Arc::new(Mutex::new(0));
    let own = count.clone();
    threads(2, move |_| {
        loop {
            if let Ok(mut count) = count.try_lock() {
                *count += 1;
                return;
            }
        }
    });
    assert_eq!(*own.lock().unwrap(), 2);
}

#[refrain::model(preemptions = 1, complete)]
fn a_mutex_that_is_locked_until_it_is_time() {
    let ready = Arc::new(Mutex::new(false));
    let own = ready.clone();
    let thread = thread::spawn(move || *own.lock().unwrap() = true);
    while !*ready.lock().unwrap() {}
    thread.join().unwrap();
}

/// The other thread stores the flag before the message.
#[refrain::model(expect = "panic")]
fn a_flag_that_is_raised_too_early() {
    let shared = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
    let own = shared.clone();
    let thread = thread::spawn(move || {
        own.0.store(true, Release);
        own.1.store(7, Release);
    });
    while !shared.0.load(Acquire) {}
    assert_eq!(shared.1.load(Acquire), 7);
    thread.join().unwrap();
}

#[test]
fn what_waits_in_a_loop_is_shrunk_by_the_exhaustive_search() {
    let (shrunk, trace) = shrunk("model::spin::a_flag_that_is_raised_too_early");
    let (threads, events) = (shrunk.after.threads.unwrap(), trace.events.len());
    assert!(matches!(threads, Threads::Choices { .. }), "{threads:?}");
    assert!(threads.preemptions() <= 1 && events <= 16, "{events} events: {threads:?}");
}
