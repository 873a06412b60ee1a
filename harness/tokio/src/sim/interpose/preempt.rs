//! Where a thread is preempted although it does not block: at some of the places where it frees memory, asks for the time or for chance, or
//! wakes another thread. These are far apart enough not to be in the middle of madsim's own locks, and near enough to be between a check
//! and what depends on it.

use crate::sim::{kernel, section::is_unguarded, stack};
use std::{cell::Cell, thread};

/// One run in two has none. In the others, a thread is preempted at one place in this many.
const ONE_IN: [u64; 8] = [0, 0, 0, 0, 2, 6, 20, 60];
/// Maximum number of preemptions of a thread: one that computes must not be slowed down for ever.
const MOST: u64 = 500;
/// The random streams.
const OF_RUN: u64 = 0x7072_6565;
const OF_THREAD: u64 = 0x6d70_7465;

thread_local! {
    /// At how many places it goes on, before it is preempted. 0: it never is.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Lets this thread be preempted from now on.
pub(super) fn begin() {
    LEFT.set(next());
}

/// Draws after how many places.
fn next() -> u64 {
    let (task, count) = (kernel::current_task() as u64, COUNT.get());
    let one_in = |k: &kernel::Kernel| ONE_IN[(k.random(OF_RUN, 0) % ONE_IN.len() as u64) as usize];
    let drawn = kernel::peek(|k| match one_in(k) {
        0 => 0,
        one_in => 1 + k.random(OF_THREAD, (task << 32) + count) % (2 * one_in),
    });
    if count < MOST { drawn.unwrap_or(0) } else { 0 }
}

/// A place where the thread may be preempted.
#[inline]
pub(super) fn point() {
    match LEFT.get() {
        0 => {}
        1 => preempt(),
        left => LEFT.set(left - 1),
    }
}

fn preempt() {
    if is_unguarded() || thread::panicking() || !stack::is_at_bottom_of_thread() || !kernel::is_free() {
        return;
    }
    let Some(waker) = stack::waker() else { return };
    // What it does here is no place.
    LEFT.set(0);
    COUNT.set(COUNT.get() + 1);
    waker.wake();
    stack::block();
    LEFT.set(next());
}
