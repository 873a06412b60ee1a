//! Models of code on `refrain_std`, as an unmodified dependency is: its atomics, locks, threads and thread-locals are the
//! model's.

mod operations;

use super::threads;
use refrain::{__private::prepare_dependencies, sync::cell::UnsafeCell};
use refrain_std::{
    hint,
    sync::{
        Condvar, Mutex, Once, RwLock,
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, Ordering::*, fence},
    },
    thread, thread_local,
};
use std::{
    cell::Cell,
    sync::{Arc, PoisonError},
    time::Duration,
};

/// Two threads store to a flag each and load the other's; returns whether both read the old value. The threads use the
/// atomics first, which the engine knows only from then on.
fn both_enter(order: Ordering, fenced: bool) -> bool {
    let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let other = flags.clone();
    let enter = move |flags: &[AtomicUsize; 2], own: usize| {
        flags[own].store(1, order);
        if fenced {
            fence(SeqCst);
        }
        flags[1 - own].load(if order == Release { Acquire } else { order }) == 0
    };
    let thread = thread::spawn(move || enter(&other, 1));
    let one = enter(&flags, 0);
    thread.join().unwrap() && one
}

#[refrain::model(complete)]
fn sequentially_consistent_flags_let_one_enter() {
    prepare_dependencies();
    assert!(!both_enter(SeqCst, false), "both entered");
}

#[refrain::model(complete)]
fn fences_let_one_enter() {
    prepare_dependencies();
    assert!(!both_enter(Relaxed, true), "both entered");
}

#[refrain::model(expect = "panic")]
fn released_flags_let_both_enter() {
    prepare_dependencies();
    assert!(!both_enter(Release, false), "both entered");
}

struct Message(AtomicBool, UnsafeCell<u32>);
// SAFETY: the cell is read after the flag, unless a test is about just that.
unsafe impl Sync for Message {}

fn announced(order: Ordering) {
    let message = Arc::new(Message(AtomicBool::new(false), UnsafeCell::new(0)));
    let other = message.clone();
    let thread = thread::spawn(move || {
        // SAFETY: the other thread reads it after the flag.
        other.1.with_mut(|value| unsafe { *value = 1 });
        other.0.store(true, order);
    });
    if message.0.load(Acquire) {
        // SAFETY: the other thread has written it before the flag.
        assert_eq!(message.1.with(|value| unsafe { *value }), 1);
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_released_flag_announces_a_cell() {
    prepare_dependencies();
    announced(Release);
}

#[refrain::model(expect = "data-race")]
fn a_relaxed_flag_announces_nothing() {
    prepare_dependencies();
    announced(Relaxed);
}

/// Nothing of an execution is left in the next one.
#[refrain::model(complete)]
fn a_static_starts_anew() {
    prepare_dependencies();
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    threads(2, |_| {
        COUNT.fetch_add(1, Relaxed);
    });
    assert_eq!(COUNT.load(Relaxed), 2);
}

#[refrain::model(complete)]
fn a_moved_atomic_keeps_its_value() {
    prepare_dependencies();
    let count = AtomicUsize::new(0);
    count.store(1, Relaxed);
    let count = Arc::new(count);
    let shared = count.clone();
    threads(2, move |_| {
        shared.fetch_add(1, Relaxed);
    });
    assert_eq!(count.load(Relaxed), 3);
}

/// The memory of one is reused for the next: it is another atomic.
#[refrain::model(complete)]
fn an_atomic_in_the_memory_of_another_is_new() {
    prepare_dependencies();
    let shared = Arc::new(AtomicPtr::<AtomicUsize>::default());
    let other = shared.clone();
    let thread = thread::spawn(move || {
        for value in 0..2 {
            let mut new = Box::new(AtomicUsize::new(value));
            assert_eq!(new.load(Relaxed), value);
            new.store(7, Relaxed);
            *new.get_mut() = value + 10;
            assert_eq!(new.swap(3, Relaxed), value + 10);
        }
        other.store(std::ptr::null_mut(), Release);
    });
    assert!(shared.load(Acquire).is_null());
    thread.join().unwrap();
}

/// As `AtomicCell` of crossbeam does.
#[refrain::model(complete)]
fn a_word_in_memory_is_an_atomic() {
    prepare_dependencies();
    let mut word = 0usize;
    let address = (&raw mut word).expose_provenance();
    threads(2, move |_| {
        // SAFETY: the word outlives the threads, which use it only in this way.
        let word = unsafe { AtomicUsize::from_ptr(std::ptr::with_exposed_provenance_mut(address)) };
        word.fetch_add(1, Relaxed);
    });
    assert_eq!(word, 2);
}

thread_local! {
    static OWN: Cell<usize> = const { Cell::new(0) };
}

#[refrain::model(complete)]
fn a_thread_local_belongs_to_its_thread() {
    prepare_dependencies();
    let count = Arc::new(AtomicUsize::new(0));
    threads(2, move |_| {
        OWN.set(OWN.get() + 1);
        // Here the other thread may go on.
        count.fetch_add(1, Relaxed);
        assert_eq!(OWN.get(), 1);
    });
    assert_eq!(OWN.get(), 0);
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct CountsDrops;

impl Drop for CountsDrops {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Release);
    }
}

thread_local! {
    static COUNTS: CountsDrops = CountsDrops;
}

#[refrain::model(complete)]
fn a_thread_local_is_dropped_before_its_thread_is_joined() {
    prepare_dependencies();
    threads(2, |_| COUNTS.with(|_| ()));
    assert_eq!(DROPPED.load(Acquire), 2);
}

#[refrain::model(complete)]
fn a_lock_hands_on_what_was_written() {
    prepare_dependencies();
    let shared = Arc::new((Mutex::new(()), Message(AtomicBool::new(false), UnsafeCell::new(0))));
    let other = shared.clone();
    threads(2, move |_| {
        let _guard = other.0.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the lock is held.
        other.1.1.with_mut(|value| unsafe { *value += 1 });
    });
    // SAFETY: the threads have ended.
    assert_eq!(shared.1.1.with(|value| unsafe { *value }), 2);
}

#[refrain::model(expect = "panic")]
fn an_update_is_lost_between_two_locks() {
    prepare_dependencies();
    let value = Arc::new(RwLock::new(0));
    let shared = value.clone();
    threads(2, move |_| {
        let was = *shared.read().unwrap();
        *shared.write().unwrap() = was + 1;
    });
    assert_eq!(*value.read().unwrap(), 2);
}

#[refrain::model(complete)]
fn a_wait_that_checks_under_the_lock_ends() {
    prepare_dependencies();
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    drop(shared.1.wait_while(shared.0.lock().unwrap(), |is_ready| !*is_ready).unwrap());
    thread.join().unwrap();
}

#[refrain::model(expect = "deadlock")]
fn a_notification_before_the_wait_is_lost() {
    prepare_dependencies();
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || other.1.notify_one());
    drop(shared.1.wait(shared.0.lock().unwrap()).unwrap());
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_once_in_a_static_runs_once_in_each_execution() {
    prepare_dependencies();
    static ONCE: Once = Once::new();
    static RAN: AtomicUsize = AtomicUsize::new(0);
    threads(2, |_| {
        ONCE.call_once(|| {
            RAN.fetch_add(1, Relaxed);
        });
        assert_eq!(RAN.load(Relaxed), 1);
    });
}

/// The permit of a `park` is not taken by a wait for a lock.
#[refrain::model]
fn a_lock_does_not_take_the_permit_of_a_park() {
    prepare_dependencies();
    let lock = Arc::new(Mutex::new(()));
    let other = lock.clone();
    let main = thread::current();
    let guard = lock.lock().unwrap();
    let thread = thread::spawn(move || {
        main.unpark();
        drop(other.lock().unwrap());
    });
    drop(guard);
    drop(lock.lock().unwrap());
    thread::park();
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_loop_with_a_spin_hint_ends() {
    prepare_dependencies();
    let flag = Arc::new(AtomicBool::new(false));
    let other = flag.clone();
    let thread = thread::spawn(move || other.store(true, Release));
    while !flag.load(Acquire) {
        hint::spin_loop();
        hint::spin_loop();
    }
    thread.join().unwrap();
}

#[refrain::model]
fn a_wait_with_a_time_is_sampled() {
    prepare_dependencies();
    let shared = (Mutex::new(()), Condvar::new());
    let (_guard, result) = shared.1.wait_timeout(shared.0.lock().unwrap(), Duration::from_secs(1)).unwrap();
    assert!(result.timed_out(), "nobody notifies it");
}

#[refrain::model(runs = 500)]
fn two_hundred_atomics_are_sampled() {
    prepare_dependencies();
    let all: Arc<Vec<AtomicUsize>> = Arc::new((0..200).map(AtomicUsize::new).collect());
    threads(2, move |_| assert_eq!(all.iter().map(|one| one.load(Relaxed)).sum::<usize>(), 19_900));
}

/// Without a model, everything is std's own.
#[test]
fn outside_of_a_model_nothing_changes() {
    let shared = Arc::new((Mutex::new(0), Condvar::new(), AtomicUsize::new(0)));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        OWN.set(1);
        *other.0.lock().unwrap() = 1;
        other.1.notify_all();
        other.2.store(1, SeqCst);
        OWN.get()
    });
    drop(shared.1.wait_while(shared.0.lock().unwrap(), |value| *value == 0).unwrap());
    assert_eq!((thread.join().unwrap(), shared.2.load(SeqCst), OWN.get()), (1, 1, 0));
}
