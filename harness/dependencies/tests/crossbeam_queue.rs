//! `crossbeam-queue`: a thread looks whether there is room or a value, and then pushes or pops; it does so at once.

use super::both;
use crossbeam_queue::{ArrayQueue, SegQueue};
use std::sync::Arc;

/// Another thread may push in between.
#[refrain::model(expect = "panic")]
fn a_check_and_a_push_are_two_steps() {
    let queue = ArrayQueue::new(1);
    both(move || {
        if !queue.is_full() {
            queue.push(1).unwrap();
        }
    });
}

#[refrain::model(complete)]
fn a_full_queue_returns_the_value() {
    let queue = Arc::new(ArrayQueue::new(1));
    let shared = queue.clone();
    both(move || {
        let _ = shared.push(1);
    });
    assert_eq!(queue.len(), 1);
}

/// Another thread may pop in between.
#[refrain::model(expect = "panic")]
fn a_check_and_a_pop_are_two_steps() {
    let queue = SegQueue::new();
    queue.push(1);
    both(move || {
        if !queue.is_empty() {
            queue.pop().unwrap();
        }
    });
}

#[refrain::model(complete)]
fn what_is_pushed_is_popped() {
    let queue = Arc::new(SegQueue::new());
    let shared = queue.clone();
    both(move || shared.push(1));
    assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(1), Some(1), None));
}
