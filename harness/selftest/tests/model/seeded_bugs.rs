//! Threads that wait for each other in vain.

use super::threads;
use refrain::sync::{
    Barrier, Condvar, Mutex, OnceLock, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    mpsc, thread,
};
use std::sync::Arc;

#[refrain::model(expect = "deadlock", snapshot)]
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

/// The flag is looked at outside of the lock: the notification may come in between.
#[refrain::model(expect = "deadlock")]
fn a_notification_before_the_wait_is_lost() {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || other.1.notify_one());
    drop(shared.1.wait(shared.0.lock().unwrap()).unwrap());
    thread.join().unwrap();
}

#[refrain::model(expect = "deadlock")]
fn a_guard_that_is_leaked_is_never_unlocked() {
    let lock = Arc::new(Mutex::new(()));
    threads(2, move |_| std::mem::forget(lock.lock().unwrap()));
}

#[refrain::model(expect = "deadlock")]
fn a_reader_that_becomes_a_writer_waits_for_itself() {
    let lock = RwLock::new(0);
    let read = lock.read().unwrap();
    *lock.write().unwrap() += *read;
}

#[refrain::model(expect = "deadlock")]
fn a_receiver_waits_for_a_sender_that_it_holds() {
    let (sender, receiver) = mpsc::channel::<()>();
    let other = sender.clone();
    let thread = thread::spawn(move || drop(other));
    assert!(receiver.recv().is_err());
    thread.join().unwrap();
    drop(sender);
}

#[refrain::model(expect = "deadlock")]
fn who_hands_over_waits_for_a_receiver() {
    let (sender, receiver) = mpsc::sync_channel(0);
    sender.send(1).unwrap();
    receiver.recv().unwrap();
}

/// `std` says that a park may end by itself.
#[refrain::model(expect = "panic", engine = "loom")]
fn a_park_without_a_loop_wakes_too_early() {
    let ready = Arc::new(AtomicBool::new(false));
    let own = ready.clone();
    let thread = thread::spawn(move || {
        thread::park();
        assert!(own.load(Acquire), "nobody unparked it");
    });
    ready.store(true, Release);
    thread.thread().unpark();
    thread.join().unwrap();
}

#[refrain::model(expect = "deadlock")]
fn a_thread_that_nobody_unparks_stays() {
    threads(1, |_| thread::park());
}

#[refrain::model(expect = "panic")]
fn a_panic_of_the_model_itself_is_caught() {
    threads(1, |_| {});
    assert_eq!(1 + 1, 3, "the sum");
}

#[refrain::model(expect = "panic")]
fn a_panic_of_a_thread_is_caught() {
    threads(1, |_| panic!("no slot is free"));
}

/// `std` refuses it; the engines would not.
#[refrain::model(expect = "panic")]
fn a_load_that_releases_is_none() {
    AtomicUsize::new(0).load(Release);
}

/// Its destructor would abort a program.
#[refrain::model(expect = "panic")]
fn a_panic_while_a_panic_unwinds_is_one_panic() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            panic!("a second one");
        }
    }
    threads(1, |_| {
        let _guard = Guard;
        panic!("the first one");
    });
}

#[refrain::model(expect = "deadlock")]
fn a_barrier_waits_for_one_more_than_there_are() {
    let barrier = Arc::new(Barrier::new(3));
    threads(2, move |_| {
        barrier.wait();
    });
}

/// Both may see that there is none.
#[refrain::model(expect = "panic")]
fn a_value_that_is_looked_for_and_then_set_is_made_twice() {
    let value = Arc::new(OnceLock::new());
    threads(2, move |nth| {
        if value.get().is_none() {
            value.set(nth).expect("nobody has set it");
        }
    });
}
