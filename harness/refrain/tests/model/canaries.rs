//! Threads that are wrong in known ways.

use refrain::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::*},
    thread,
};
use std::sync::Arc;

/// Joins them all.
fn join(threads: Vec<thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[refrain::model(expect = "panic")]
fn a_count_that_is_read_again_after_it_was_lowered_frees_twice() {
    let count = Arc::new(AtomicUsize::new(2));
    let freed = Arc::new(AtomicUsize::new(0));
    let threads = (0..2).map(|_| {
        let (count, freed) = (count.clone(), freed.clone());
        thread::spawn(move || {
            count.fetch_sub(1, AcqRel);
            if count.load(Acquire) == 0 {
                assert_eq!(freed.fetch_add(1, AcqRel), 0, "freed twice");
            }
        })
    });
    join(threads.collect());
}

#[refrain::model(expect = "deadlock")]
fn two_locks_in_two_orders_deadlock() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = locks.clone();
    let thread = thread::spawn(move || {
        let _one = other.0.lock().unwrap();
        let _two = other.1.lock().unwrap();
    });
    {
        let _two = locks.1.lock().unwrap();
        let _one = locks.0.lock().unwrap();
    }
    thread.join().unwrap();
}
