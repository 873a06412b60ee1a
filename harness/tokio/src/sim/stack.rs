//! A separate stack for each poll, so that a poll during which its host dies can be abandoned.
//!
//! An operation during which its host dies must not return: the code after it, the poll's other branches and the
//! destructors of its frames belong to a dead process. Unwinding would run the destructors, and the service could catch
//! the panic. So each poll runs as a coroutine, which the operation suspends and which is never resumed.

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

/// The usual size of a program's main stack.
const STACK_BYTES: usize = 8 << 20;

scoped_thread_local!(static CURRENT: Yielder<(), ()>);

thread_local! {
    /// Unused stacks. One is enough, unless a task polls another task.
    static FREE: RefCell<Vec<DefaultStack>> = const { RefCell::new(vec![]) };
    /// Number of stacks in use, each entered from the previous one.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The lowest address of the stack entered last, where its guard page begins.
static GUARD: AtomicUsize = AtomicUsize::new(0);
/// The largest page size of any machine. Addresses in this range above the guard page belong to the stack and do not fault.
const PAGE_MAX: usize = 64 << 10;

/// Runs `f`, which must not unwind, on its own stack. Returns `None` if it was abandoned, which leaks what it owns.
pub(crate) fn run<R: 'static>(f: impl FnOnce() -> R + 'static) -> Option<R> {
    if DEPTH.get() == 0 {
        return enter(f);
    }
    // The enclosing stack belongs to the same host, so it is abandoned too.
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

/// Returns how many tasks are being polled, each inside the previous one.
pub(crate) fn depth() -> usize {
    DEPTH.get()
}

/// Returns whether an address lies in the guard page of the current stack: an access there is a stack overflow.
pub fn is_guard(address: usize) -> bool {
    let guard = GUARD.load(Relaxed);
    (guard..guard + PAGE_MAX).contains(&address)
}

/// Abandons the current stack and does not return to it. A panic in progress continues, because Rust counts unwinding
/// panics; the gate discards it.
pub(crate) fn abandon() {
    if DEPTH.get() > 0 && !thread::panicking() {
        CURRENT.with(|yielder| yielder.suspend(()));
    }
}
