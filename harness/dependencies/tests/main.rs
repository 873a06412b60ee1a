//! Unmodified dependencies in models: a wrong use of each is caught, and a right one passes.

mod arc_swap;
mod crossbeam_channel;
mod crossbeam_deque;
mod crossbeam_epoch;
mod crossbeam_queue;
mod crossbeam_utils;
mod dashmap;
mod parking_lot;
mod simulation;
mod tokio;

use refrain::sync::thread;
use std::sync::Arc;

/// Calls a function on two threads, one of which is the model's own.
fn both(f: impl Fn() + Send + Sync + 'static) {
    let f = Arc::new(f);
    let other = f.clone();
    let thread = thread::spawn(move || other());
    f();
    thread.join().unwrap();
}
