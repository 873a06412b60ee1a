//! `crossbeam-utils`: a cell is loaded and then stored, and two parks wait for one unpark; the cell is added to, and each park has its own.

use super::both;
use crossbeam_utils::{
    atomic::AtomicCell,
    sync::{Parker, ShardedLock, WaitGroup},
};
use refrain::sync::thread;
use std::sync::Arc;

/// Another thread may store in between.
#[refrain::model(expect = "panic")]
fn a_load_and_a_store_are_two_steps() {
    let value = Arc::new(AtomicCell::new(0u32));
    let shared = value.clone();
    both(move || shared.store(shared.load() + 1));
    assert_eq!(value.load(), 2);
}

#[refrain::model(complete)]
fn an_addition_is_one_step() {
    let value = Arc::new(AtomicCell::new(0u32));
    let shared = value.clone();
    both(move || {
        shared.fetch_add(1);
    });
    assert_eq!(value.load(), 2);
}

#[refrain::model(complete)]
fn an_unparked_thread_goes_on() {
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    let thread = thread::spawn(move || unparker.unpark());
    parker.park();
    thread.join().unwrap();
}

#[refrain::model(expect = "deadlock")]
fn nobody_unparks() {
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    let thread = thread::spawn(move || unparker.unpark());
    parker.park();
    parker.park();
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn a_group_waits_for_its_members() {
    let group = WaitGroup::new();
    let value = Arc::new(AtomicCell::new(0u32));
    let (member, shared) = (group.clone(), value.clone());
    let thread = thread::spawn(move || {
        shared.store(1);
        drop(member);
    });
    group.wait();
    assert_eq!(value.load(), 1);
    thread.join().unwrap();
}

/// The lock is released between the read and the write.
#[refrain::model(expect = "panic")]
fn a_read_and_a_write_are_two_steps() {
    let value = Arc::new(ShardedLock::new(0));
    let shared = value.clone();
    both(move || {
        let was = *shared.read().unwrap();
        *shared.write().unwrap() = was + 1;
    });
    assert_eq!(*value.read().unwrap(), 2);
}
