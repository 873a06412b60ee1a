//! `tokio`: an update takes two locks, permits are taken one by one, waiters are notified before they wait; one lock, a notification that is kept.

use super::both;
use refrain::sync::{future::block_on, thread};
use std::sync::Arc;
use tokio::sync::{Mutex, Notify, RwLock, Semaphore, mpsc, oneshot, watch};

/// The lock is released between the read and the write.
#[refrain::model(expect = "panic")]
fn an_update_is_lost_between_two_locks() {
    let value = Arc::new(Mutex::new(0));
    let shared = value.clone();
    both(move || {
        let was = *block_on(shared.lock());
        *block_on(shared.lock()) = was + 1;
    });
    assert_eq!(*block_on(value.lock()), 2);
}

#[refrain::model]
fn an_update_under_one_lock_is_kept() {
    let value = Arc::new(Mutex::new(0));
    let shared = value.clone();
    both(move || *block_on(shared.lock()) += 1);
    assert_eq!(*block_on(value.lock()), 2);
}

/// The lock is released between the read and the write.
#[refrain::model(expect = "panic")]
fn a_read_and_a_write_are_two_steps() {
    let value = Arc::new(RwLock::new(0));
    let shared = value.clone();
    both(move || {
        let was = *block_on(shared.read());
        *block_on(shared.write()) = was + 1;
    });
    assert_eq!(*block_on(value.read()), 2);
}

/// Each takes one permit of two, and waits for the other's.
#[refrain::model(expect = "deadlock")]
fn permits_that_are_taken_one_by_one_deadlock() {
    let permits = Semaphore::new(2);
    both(move || {
        let first = block_on(permits.acquire()).unwrap();
        let second = block_on(permits.acquire()).unwrap();
        drop((first, second));
    });
}

/// `notify_waiters` reaches only those that wait already.
#[refrain::model(expect = "deadlock")]
fn a_notification_of_waiters_before_the_wait_is_lost() {
    let notify = Arc::new(Notify::new());
    let other = notify.clone();
    let thread = thread::spawn(move || other.notify_waiters());
    block_on(notify.notified());
    thread.join().unwrap();
}

#[refrain::model]
fn a_notification_of_one_before_the_wait_is_kept() {
    let notify = Arc::new(Notify::new());
    let other = notify.clone();
    let thread = thread::spawn(move || other.notify_one());
    block_on(notify.notified());
    thread.join().unwrap();
}

#[refrain::model]
fn messages_arrive_in_their_order() {
    let (sender, mut receiver) = mpsc::channel(1);
    let thread = thread::spawn(move || {
        block_on(sender.send(1)).unwrap();
        block_on(sender.send(2)).unwrap();
    });
    assert_eq!(
        [block_on(receiver.recv()), block_on(receiver.recv()), block_on(receiver.recv())],
        [Some(1), Some(2), None]
    );
    thread.join().unwrap();
}

/// The receiver may be dropped in between.
#[refrain::model(expect = "panic")]
fn a_check_and_an_answer_are_two_steps() {
    let (sender, receiver) = oneshot::channel();
    let thread = thread::spawn(move || {
        if !sender.is_closed() {
            sender.send(()).unwrap();
        }
    });
    drop(receiver);
    thread.join().unwrap();
}

/// Another change may come in between.
#[refrain::model(expect = "panic")]
fn a_borrow_and_a_send_are_two_steps() {
    let (sender, receiver) = watch::channel(0);
    both(move || {
        let was = *sender.borrow();
        sender.send_replace(was + 1);
    });
    assert_eq!(*receiver.borrow(), 2);
}
