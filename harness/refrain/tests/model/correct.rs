//! Threads that are right, in every order.

use refrain::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::*},
    thread,
};
use std::sync::Arc;

#[refrain::model(complete)]
fn the_last_of_two_frees() {
    let count = Arc::new(AtomicUsize::new(2));
    let freed = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (count, freed) = (count.clone(), freed.clone());
            thread::spawn(move || {
                if count.fetch_sub(1, AcqRel) == 1 {
                    freed.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(freed.load(Relaxed), 1);
}

#[refrain::model(complete)]
fn a_mutex_counts_every_increment() {
    let count = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let count = count.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    *count.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*count.lock().unwrap(), 4);
}
