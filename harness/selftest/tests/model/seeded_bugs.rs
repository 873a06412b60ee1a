//! Threads that wait for each other forever.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    Barrier, Condvar, Mutex, OnceLock, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    cell::UnsafeCell,
    mpsc, thread,
};
use refrain_core::{
    protocol::{Budget, Outcome, Request},
    verdict::Detail,
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

/// The flag is tested outside the lock: the notification may come in between.
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

/// `std` permits spurious wakeups of a park.
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

/// `std` rejects it; the engines would not.
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

/// One of seven threads reads the balance before the others have paid: one preemption is enough, and samples have many.
#[refrain::model(expect = "panic", engine = "shuttle")]
fn a_count_among_seven_threads_is_raised_in_two_steps() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    threads(6, move |_| {
        for _ in 0..3 {
            let before = count.load(SeqCst);
            count.store(before + 1, SeqCst);
        }
    });
    assert_eq!(own.load(SeqCst), 18, "counted");
}

/// It fails both with an old value and without one.
#[refrain::model(expect = "panic")]
fn a_count_is_raised_in_two_relaxed_steps() {
    let count = Arc::new(AtomicUsize::new(0));
    let own = count.clone();
    threads(2, move |_| {
        let before = count.load(Relaxed);
        count.store(before + 1, Relaxed);
    });
    assert_eq!(own.load(Relaxed), 2, "counted");
}

/// A data race among six threads, which only the sampling engine can run.
#[refrain::model(expect = "data-race")]
fn a_cell_of_six_threads_is_written_without_order() {
    struct Shared(UnsafeCell<u32>);
    // SAFETY: unsound on purpose; the test expects this to be found.
    unsafe impl Sync for Shared {}
    // SAFETY: unsound, too.
    unsafe impl Send for Shared {}
    let shared = Arc::new((Shared(UnsafeCell::new(0)), AtomicUsize::new(0)));
    threads(6, move |nth| {
        // The last one assumes that it is alone.
        if shared.1.fetch_add(1, Relaxed) == 5 || nth == 0 {
            // SAFETY: the access is tracked.
            shared.0.0.with_mut(|value| unsafe { *value = nth as u32 });
        }
    });
}

/// The same with synchronization: no false positive.
#[refrain::model]
fn a_cell_of_six_threads_is_written_by_the_last() {
    struct Shared(UnsafeCell<u32>);
    // SAFETY: the counter orders all accesses.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}
    let shared = Arc::new((Shared(UnsafeCell::new(0)), AtomicUsize::new(0)));
    threads(6, move |nth| {
        if nth == 0 {
            // SAFETY: the access is tracked.
            shared.0.0.with_mut(|value| unsafe { *value = 7 });
        }
        if shared.1.fetch_add(1, AcqRel) == 5 {
            // SAFETY: the access is tracked.
            shared.0.0.with_mut(|value| unsafe { *value += 1 });
        }
    });
}

#[test]
fn a_data_race_names_both_accesses_and_the_cell() {
    let test = "model::seeded_bugs::a_cell_of_six_threads_is_written_without_order";
    let request = Request::explore(1, Budget::OfTest, Some(1));
    let Outcome::Explored(explored) = ask(test, &request) else { panic!("{test}") };
    let failure = explored.caught.unwrap().failure;
    let Detail::CellRaced { cell: 1, created: Some(created), accesses } = &failure.detail else {
        panic!("{failure:?}")
    };
    let [one, other] = &**accesses;
    assert!(one.thread != other.thread && one.writes && other.writes, "{failure:?}");
    assert!(
        one.place == other.place && one.place.as_ref().is_some_and(|place| place.line > created.line),
        "{failure:?}"
    );
}
