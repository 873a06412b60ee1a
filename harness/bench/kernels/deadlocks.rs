//! Deadlocks and lost notifications.

use super::{
    join,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering::*},
        thread,
    },
    threads,
};
use std::sync::Arc;

/// SCTBench, `carter01_bad`: the first thread of a class takes the lock of the classes while it holds the lock of the counters.
pub fn carter01(repaired: bool) {
    let shared = Arc::new((Mutex::new([0; 2]), Mutex::new(())));
    threads(4, move |nth| {
        if nth > 1 {
            return;
        }
        let (counters, class) = &*shared;
        let before = repaired.then(|| class.lock().unwrap());
        let mut inside = counters.lock().unwrap();
        inside[nth] += 1;
        let first = (!repaired && inside[nth] == 1).then(|| class.lock().unwrap());
        drop(inside);
        let mut inside = counters.lock().unwrap();
        inside[nth] -= 1;
        drop(first);
        drop(inside);
        drop(before);
    });
}

/// SCTBench, `deadlock01_bad`: two locks are taken in both orders.
pub fn deadlock01(repaired: bool) {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    threads(2, move |nth| {
        let (one, two) = if nth == 0 || repaired { (&locks.0, &locks.1) } else { (&locks.1, &locks.0) };
        let mut one = one.lock().unwrap();
        let mut two = two.lock().unwrap();
        *one += 1;
        *two += 1;
    });
}

/// SCTBench, `din_phil3_sat`: each philosopher holds the left fork and waits for the right one.
pub fn philosophers(repaired: bool) {
    let forks = Arc::new([0; 3].map(Mutex::new));
    threads(3, move |nth| {
        let (left, right) = (nth, (nth + 1) % 3);
        let (first, second) = if repaired { (left.min(right), left.max(right)) } else { (left, right) };
        let mut first = forks[first].lock().unwrap();
        let mut second = forks[second].lock().unwrap();
        *first += 1;
        *second += 1;
    });
}

/// SCTBench, `sync01_bad`: the decision to wait is made before the lock is taken, and the notification comes in between.
pub fn sync01(repaired: bool) {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let produces = shared.clone();
    let producer = thread::spawn(move || {
        *produces.0.lock().unwrap() += 1;
        produces.1.notify_one();
    });
    let (items, added) = &*shared;
    let is_empty = *items.lock().unwrap() == 0;
    let mut left = items.lock().unwrap();
    if repaired {
        while *left == 0 {
            left = added.wait(left).unwrap();
        }
    } else if is_empty {
        left = added.wait(left).unwrap();
    }
    *left -= 1;
    drop(left);
    producer.join().unwrap();
}

/// As in several crates with futures: after a waker is registered, the flag is not checked again.
pub fn waker(repaired: bool) {
    #[derive(Default)]
    struct Task {
        ready: AtomicBool,
        registered: Mutex<bool>,
        woken: Mutex<bool>,
        wake: Condvar,
    }
    let task = Arc::new(Task::default());
    let completes = task.clone();
    let complete = thread::spawn(move || {
        completes.ready.store(true, Release);
        let is_registered = *completes.registered.lock().unwrap();
        if is_registered {
            *completes.woken.lock().unwrap() = true;
            completes.wake.notify_one();
        }
    });
    if !task.ready.load(Acquire) {
        *task.registered.lock().unwrap() = true;
        if !repaired || !task.ready.load(Acquire) {
            let mut woken = task.woken.lock().unwrap();
            while !*woken {
                woken = task.wake.wait(woken).unwrap();
            }
        }
    }
    join([complete]);
}
