//! Threads that are correct in every interleaving.

use super::threads;
use refrain::sync::{
    self, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    cell::UnsafeCell,
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
fn a_channel_without_room_hands_over() {
    let (sender, receiver) = mpsc::sync_channel(0);
    let received = Arc::new(AtomicBool::new(false));
    let other = received.clone();
    let thread = thread::spawn(move || {
        sender.send(1).unwrap();
        assert!(other.load(Acquire), "nobody had it yet");
        sender.send(2)
    });
    // Before it is received, not after: the sender continues as soon as it is received.
    received.store(true, Release);
    assert_eq!(receiver.recv(), Ok(1));
    drop(receiver);
    assert_eq!(thread.join().unwrap(), Err(mpsc::SendError(2)));
}

/// A thread that waits for a lock is not woken by an unpark.
#[refrain::model(preemptions = 2, complete)]
fn an_unpark_of_a_thread_that_waits_for_a_lock_is_kept() {
    let lock = Arc::new(Mutex::new(()));
    let own = lock.clone();
    let thread = thread::spawn(move || {
        drop(own.lock().unwrap());
        thread::park();
    });
    let handle = thread.thread().clone();
    let guard = lock.lock().unwrap();
    handle.unpark();
    drop(guard);
    thread.join().unwrap();
}

/// As in `std`, the contents need not be `Debug`, and pointers compare their targets.
#[refrain::model]
fn names_have_the_bounds_of_std() {
    struct Plain;
    let (sender, receiver) = mpsc::channel::<Plain>();
    let thread = thread::spawn(|| Plain);
    let shown = format!("{sender:?} {receiver:?} {thread:?} {:?}", UnsafeCell::new(Plain));
    assert_eq!(shown, "Sender { .. } Receiver { .. } JoinHandle { .. } UnsafeCell { .. }");
    thread.join().unwrap();
    drop(sender);
    assert!(receiver.try_iter().next().is_none());
    let (one, two) = (sync::Arc::new(1), sync::Arc::new(2));
    assert!(one < two && one == one.clone());
    assert_eq!(sync::Arc::try_unwrap(two).unwrap(), 2);
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

#[refrain::model(complete)]
fn who_passes_a_barrier_sees_what_everyone_did_before() {
    let shared = Arc::new((Barrier::new(2), [AtomicUsize::new(0), AtomicUsize::new(0)], AtomicUsize::new(0)));
    let own = shared.clone();
    threads(2, move |nth| {
        shared.1[nth].store(1, Relaxed);
        if shared.0.wait().is_leader() {
            shared.2.fetch_add(1, Relaxed);
        }
        assert_eq!(shared.1[1 - nth].load(Relaxed), 1);
    });
    assert_eq!(own.2.load(Relaxed), 1, "one came last");
}

#[refrain::model(complete)]
fn a_value_is_made_once_and_seen_whole() {
    let shared = Arc::new((OnceLock::new(), AtomicUsize::new(0)));
    let own = shared.clone();
    threads(2, move |nth| {
        let (value, made) = (&shared.0, &shared.1);
        let first = *value.get_or_init(|| {
            made.fetch_add(1, Relaxed);
            nth
        });
        assert_eq!((value.get(), made.load(Relaxed)), (Some(&first), 1));
    });
    assert_eq!(own.0.set(7), Err(7), "it is made");
}

#[refrain::model(complete)]
fn who_returns_from_a_call_once_finds_it_done() {
    let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
    threads(2, move |_| {
        shared.0.call_once(|| {
            shared.1.fetch_add(1, Relaxed);
        });
        assert!(shared.0.is_completed());
        assert_eq!(shared.1.load(Relaxed), 1);
    });
}

/// loom lets the last exchange read the flag's first value, although the store that replaced it happened before.
#[refrain::model]
fn an_exchange_overlooks_no_store_that_happened_before_it() {
    let [flag, count] = [0; 2].map(|value| Arc::new(AtomicUsize::new(value)));
    let (own_flag, own_count) = (flag.clone(), count.clone());
    let thread = thread::spawn(move || {
        own_flag.store(1, Release);
        own_count.fetch_add(1, AcqRel);
    });
    let first = flag.swap(0, AcqRel);
    thread.join().unwrap();
    let last = flag.swap(0, AcqRel);
    assert_eq!((first + last, count.load(Acquire)), (1, 1), "the store is read once");
}
