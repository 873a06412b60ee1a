//! Threads that wait in a loop for what no thread can do any more: a deadlock, although none of them blocks.

use super::{threads, traces::shrunk};
use crate::driver::ask;
use refrain::sync::{
    Condvar, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    hint, thread,
};
use refrain_core::{
    protocol::{Budget, Outcome, Request},
    verdict::{Cause, ThreadWait},
};
use std::{sync::Arc, time::Duration};

/// Waits for a flag that is raised only if another one was not.
fn a_flag_that_may_not_be_raised(others: usize, wait: fn(&AtomicBool)) {
    let shared = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
    let own = shared.clone();
    let waits = thread::spawn(move || {
        own.1.store(true, SeqCst);
        wait(&own.0);
    });
    threads(others, move |_| {
        if !shared.1.load(SeqCst) {
            shared.0.store(true, SeqCst);
        }
    });
    waits.join().unwrap();
}

fn read_and_yield(flag: &AtomicBool) {
    while !flag.load(Acquire) {
        thread::yield_now();
    }
}

#[refrain::model(expect = "deadlock", snapshot)]
fn a_thread_yields_until_a_flag_is_raised() {
    a_flag_that_may_not_be_raised(1, read_and_yield);
}

#[refrain::model(expect = "deadlock", engine = "shuttle")]
fn a_thread_yields_until_a_flag_is_raised_under_shuttle() {
    a_flag_that_may_not_be_raised(1, read_and_yield);
}

#[refrain::model(expect = "deadlock")]
fn a_thread_among_six_yields_until_a_flag_is_raised() {
    a_flag_that_may_not_be_raised(4, read_and_yield);
}

#[refrain::model(expect = "deadlock")]
fn a_thread_spins_without_a_hint() {
    a_flag_that_may_not_be_raised(1, |flag| while !flag.load(Acquire) {});
}

/// It writes the value that is there.
#[refrain::model(expect = "deadlock")]
fn a_thread_swaps_until_a_lock_is_free() {
    let lock = Arc::new(AtomicBool::new(false));
    threads(2, move |nth| {
        while lock.swap(true, Acquire) {
            hint::spin_loop();
        }
        // One of the two forgets to unlock.
        if nth == 1 {
            lock.store(false, Release);
        }
    });
}

#[refrain::model(expect = "deadlock")]
fn two_threads_wait_for_each_other() {
    let turns = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    threads(2, move |nth| {
        while turns[1 - nth].load(Acquire) == 0 {
            thread::yield_now();
        }
        turns[nth].store(1, Release);
    });
}

/// Each timeout elapses, and the flag is as before.
#[refrain::model(expect = "deadlock")]
fn a_thread_waits_with_a_timeout_again_and_again() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    threads(1, move |_| {
        let mut guard = shared.0.lock().unwrap();
        while !*guard {
            guard = shared.1.wait_timeout(guard, Duration::from_millis(10)).unwrap().0;
        }
    });
}

/// A loop that ends is none that waits for ever, however long it takes.
#[refrain::model(runs = 40)]
fn a_thread_gives_up_after_two_thousand_yields() {
    let flag = Arc::new(AtomicBool::new(false));
    threads(2, move |_| {
        for _ in 0..2_000 {
            if flag.load(Acquire) {
                break;
            }
            thread::yield_now();
        }
    });
}

/// The state that changes is in a mutex, and no operation shows it.
#[refrain::model(runs = 40, engine = "shuttle")]
fn a_thread_counts_to_two_thousand() {
    let count = Arc::new(Mutex::new(0));
    threads(2, move |_| {
        while *count.lock().unwrap() < 2_000 {
            *count.lock().unwrap() += 1;
            thread::yield_now();
        }
    });
}

#[test]
fn the_verdict_names_the_loop_and_who_waits_for_its_thread() {
    let test = "model::stuck::a_thread_yields_until_a_flag_is_raised";
    let request = Request::explore(1, Budget::OfTest, Some(1));
    let Outcome::Explored(explored) = ask(test, &request) else { panic!("{test}") };
    let causes = explored.caught.unwrap().failure.causes;
    let waits = |wait: fn(&ThreadWait) -> bool| {
        causes.iter().any(|cause| matches!(cause, Cause::ThreadWaits(waiting) if wait(&waiting.waits)))
    };
    assert!(waits(|wait| matches!(wait, ThreadWait::Loop { atomic: Some(_) })), "{causes:?}");
    assert!(waits(|wait| matches!(wait, ThreadWait::Join { .. })), "{causes:?}");
    let (_, trace) = shrunk(test);
    assert!(trace.events.len() < 80, "repetitions are not logged: {} events", trace.events.len());
}
