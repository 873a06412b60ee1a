//! Outside a model the same names are the standard library's: code under test runs on real threads.

use super::threads;
use refrain::sync::{
    Arc, Condvar, LazyLock, Mutex, RwLock, TryLockError,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    mpsc, thread,
};
use std::{panic, time::Duration};

#[test]
fn threads_count_under_a_lock() {
    let shared = Arc::new((Mutex::new(0), AtomicUsize::new(0), RwLock::new(0)));
    let own = shared.clone();
    let counts = move || {
        for _ in 0..100 {
            *shared.0.lock().unwrap() += 1;
            shared.1.fetch_add(1, Relaxed);
            *shared.2.write().unwrap() += 1;
        }
    };
    threads(4, move |_| counts());
    assert_eq!((*own.0.lock().unwrap(), own.1.load(Relaxed), *own.2.read().unwrap()), (400, 400, 400));
}

#[test]
fn a_wait_ends_with_its_condition_or_its_time() {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let (guard, result) = shared.1.wait_timeout(shared.0.lock().unwrap(), Duration::from_millis(1)).unwrap();
    assert!(result.timed_out() && !*guard);
    assert!(matches!(shared.0.try_lock(), Err(TryLockError::WouldBlock)));
    drop(guard);
    let other = shared.clone();
    let thread = thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    assert!(*shared.1.wait_while(shared.0.lock().unwrap(), |ready| !*ready).unwrap());
    thread.join().unwrap();
}

#[test]
fn a_parked_thread_is_unparked() {
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
    thread::park_timeout(Duration::from_millis(1));
}

#[test]
fn channels_carry_and_end() {
    for bound in [0, 1, 7] {
        let (sender, receiver) = mpsc::sync_channel(bound);
        let thread = thread::spawn(move || (0..9).try_for_each(|n| sender.send(n)));
        assert_eq!(receiver.into_iter().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        thread.join().unwrap().unwrap();
    }
    let (sender, receiver) = mpsc::channel::<()>();
    assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Err(mpsc::RecvTimeoutError::Timeout));
    drop(sender);
    assert_eq!(receiver.recv_timeout(Duration::from_secs(9)), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_panic_of_a_thread_is_its_result_and_poisons_nothing() {
    static LOCK: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(7));
    let thread = thread::spawn(|| {
        let _guard = LazyLock::force(&LOCK).lock();
        panic::resume_unwind(Box::new("no slot is free"));
    });
    assert_eq!(*thread.join().unwrap_err().downcast::<&str>().unwrap(), "no slot is free");
    assert_eq!(*LazyLock::force(&LOCK).lock().unwrap(), 7);
}
