//! Threads that are right, in every order.

use crate::threads;
use refrain::sync::{
    Condvar, LazyLock, Mutex, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    hint, mpsc, thread,
};
use std::sync::Arc;

#[refrain::model(complete)]
fn a_mutex_counts_every_increment() {
    let count = Arc::new(Mutex::new(0));
    let own = count.clone();
    threads(2, move |_| {
        for _ in 0..2 {
            *count.lock().unwrap() += 1;
        }
    });
    assert_eq!(*own.lock().unwrap(), 4);
}

#[refrain::model(complete)]
fn a_lock_that_is_tried_is_had_by_one() {
    let lock = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
    threads(2, move |_| {
        if let Ok(_guard) = lock.0.try_lock() {
            assert_eq!(lock.1.fetch_add(1, AcqRel), 0);
            lock.1.fetch_sub(1, AcqRel);
        }
    });
}

#[refrain::model(complete)]
fn a_writer_is_alone() {
    let lock = Arc::new(RwLock::new((0, 0)));
    let own = lock.clone();
    let reader = thread::spawn(move || {
        let (one, two) = *own.read().unwrap();
        assert_eq!(one, two);
    });
    threads(1, move |_| {
        let mut pair = lock.write().unwrap();
        pair.0 += 1;
        pair.1 += 1;
    });
    reader.join().unwrap();
}

#[refrain::model(complete)]
fn a_condition_that_is_looked_at_under_the_lock_is_never_missed() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    let ready = shared.1.wait_while(shared.0.lock().unwrap(), |ready| !*ready).unwrap();
    assert!(*ready);
    drop(ready);
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn what_is_sent_is_received_and_then_the_channel_ends() {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || sender.send(7).unwrap());
    assert_eq!(receiver.recv(), Ok(7));
    assert_eq!(receiver.recv(), Err(mpsc::RecvError));
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_full_channel_waits_for_its_receiver() {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::spawn(move || {
        sender.send(1).unwrap();
        sender.send(2).unwrap();
    });
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn an_unpark_before_the_park_counts() {
    let ready = Arc::new(AtomicBool::new(false));
    let own = ready.clone();
    let thread = thread::spawn(move || {
        while !own.load(Acquire) {
            thread::park();
        }
    });
    ready.store(true, Release);
    thread.thread().unpark();
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_loop_that_yields_ends() {
    let ready = Arc::new(AtomicBool::new(false));
    let own = ready.clone();
    let thread = thread::spawn(move || own.store(true, Release));
    while !ready.load(Acquire) {
        hint::spin_loop();
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_model_without_threads_has_one_execution() {
    let count = AtomicUsize::new(1);
    assert_eq!(count.fetch_add(1, Relaxed), 1);
}

#[refrain::model(complete)]
fn a_lazy_static_is_made_once_in_each_execution() {
    static COUNT: LazyLock<AtomicUsize> = LazyLock::new(|| AtomicUsize::new(0));
    threads(2, |_| {
        LazyLock::force(&COUNT).fetch_add(1, AcqRel);
    });
    assert_eq!(LazyLock::force(&COUNT).load(Acquire), 2);
}
