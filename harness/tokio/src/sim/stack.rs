//! A stack for each poll, so that a poll during which its host dies can be abandoned.
//!
//! An operation at which its host dies never returns: what stands after it, the other branches of the poll and the
//! destructors of its frames belong to a process that is gone. Unwinding would run the destructors, and a service may
//! catch a panic. So each poll runs as a coroutine, and the operation suspends it for good.

use corosensei::{
    Coroutine, CoroutineResult, Yielder,
    stack::{DefaultStack, Stack},
};
use scoped_tls::scoped_thread_local;
use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

/// As large as a program's main stack.
const STACK_BYTES: usize = 8 << 20;

scoped_thread_local!(static CURRENT: Yielder<(), ()>);

thread_local! {
    /// Stacks that are not in use. One is enough, unless a task polls another one.
    static FREE: RefCell<Vec<DefaultStack>> = const { RefCell::new(vec![]) };
    /// How many stacks are in use, each entered from the one before.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The lowest address of the stack that was entered last: its guard page begins there.
static GUARD: AtomicUsize = AtomicUsize::new(0);
/// The size of the largest page of any machine. What lies between the guard page and this far up never faults.
const PAGE_MAX: usize = 64 << 10;

/// Runs `f`, which does not unwind, on a stack of its own. `None` if it was abandoned: what it owns is leaked then.
pub(crate) fn run<R: 'static>(f: impl FnOnce() -> R + 'static) -> Option<R> {
    if DEPTH.get() == 0 {
        return enter(f);
    }
    // The stack below is of the same host: it has died as well.
    CURRENT.with(|below| {
        let ran = enter(f);
        if ran.is_none() {
            below.suspend(());
        }
        ran
    })
}

fn enter<R: 'static>(f: impl FnOnce() -> R + 'static) -> Option<R> {
    let free = FREE.with_borrow_mut(Vec::pop);
    let stack = free.unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("there is memory for a stack"));
    let guard = stack.limit().get();
    let mut coroutine = Coroutine::with_stack(stack, move |yielder, ()| CURRENT.set(yielder, f));
    DEPTH.set(DEPTH.get() + 1);
    let below = GUARD.swap(guard, Relaxed);
    let ran = coroutine.resume(());
    GUARD.store(below, Relaxed);
    DEPTH.set(DEPTH.get() - 1);
    match ran {
        CoroutineResult::Return(result) => {
            FREE.with_borrow_mut(|free| free.push(coroutine.into_stack()));
            Some(result)
        }
        CoroutineResult::Yield(()) => {
            // Dropping a coroutine unwinds its stack.
            std::mem::forget(coroutine);
            None
        }
    }
}

/// How many tasks are being polled, each within the one before.
pub(crate) fn depth() -> usize {
    DEPTH.get()
}

/// Whether an address is just below the stack that is in use: whoever goes there has overflowed it.
pub fn is_guard(address: usize) -> bool {
    let guard = GUARD.load(Relaxed);
    (guard..guard + PAGE_MAX).contains(&address)
}

/// Abandons what runs on this stack: does not return there. A panic goes on, for Rust counts those that unwind; the
/// gate lets nothing come of it.
pub(crate) fn abandon() {
    if DEPTH.get() > 0 && !thread::panicking() {
        CURRENT.with(|yielder| yielder.suspend(()));
    }
}
