//! A stack for each poll, so that what runs in it can stop in the middle: for good, or until its task is polled again.
//!
//! An operation at which its host dies never returns: what stands after it, the other branches of the poll and the
//! destructors of its frames belong to a process that is gone. Unwinding would run the destructors, and a service may
//! catch a panic. So each poll runs as a coroutine, and the operation suspends it for good.
//!
//! Code that blocks its thread, such as `Handle::block_on` in `spawn_blocking`, suspends it until there is something to do.
//! The simulation's thread goes on with other tasks meanwhile. A thread of a simulated process has its own stack, and gives
//! its turn back instead ([`Carrier`]).

mod memory;

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::Stack};
use memory::{GUARD_BYTES, Memory};
use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::Waker,
    thread,
};

/// A thread of a simulated process, as the code on its stack sees it.
pub(crate) trait Carrier {
    /// Gives the turn back to the simulation's thread, and returns with the next turn of this one's task. For good: never.
    fn stop(&self, for_good: bool);
    /// Lets the simulation's thread run a closure, and waits for it.
    fn on_simulation(&self, f: &mut dyn FnMut());
    /// Lets the thread's task be polled again.
    fn waker(&self) -> Option<Waker>;
}

/// What lies at the bottom of a stack in use.
struct Frame<'a> {
    bottom: Bottom<'a>,
    /// Lets the stack's task be polled again.
    waker: Option<&'a Waker>,
    /// Whether what runs now may block, as on a thread of its own.
    may_block: Cell<bool>,
}

/// How a stack is suspended.
enum Bottom<'a> {
    Coroutine(&'a Yielder<(), Stop>),
    Thread(&'static dyn Carrier),
}

impl Frame<'_> {
    fn suspend(&self, stop: Stop) {
        match self.bottom {
            Bottom::Coroutine(yielder) => yielder.suspend(stop),
            Bottom::Thread(thread) => thread.stop(matches!(stop, Stop::Abandoned)),
        }
    }
}

/// Why a stack is suspended.
#[derive(Clone, Copy)]
enum Stop {
    /// It never goes on.
    Abandoned,
    /// It goes on when its task is polled.
    Blocked,
}

thread_local! {
    /// That of the innermost stack that runs, or null.
    static FRAME: Cell<*const Frame<'static>> = const { Cell::new(ptr::null()) };
    /// Stacks that are not in use. One is enough, unless a task polls another one.
    static FREE: RefCell<Vec<Memory>> = const { RefCell::new(vec![]) };
    /// Number of stacks in use, each entered from the previous one.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// The thread of a simulated process that this is, if it is one.
    static CARRIER: Cell<Option<&'static dyn Carrier>> = const { Cell::new(None) };
}

/// The lowest address of the stack entered last, where its guard begins.
static GUARD: AtomicUsize = AtomicUsize::new(0);

/// What came of running something on a stack of its own.
pub(crate) enum Ran<R: 'static> {
    /// It is done.
    Done(R),
    /// It was abandoned: what it owns is leaked.
    Gone,
    /// It blocks.
    Blocks(Blocked<R>),
}

/// A value that stays within the threads of its run, of which one executes at a time, for signatures that ask for `Send` because tokio's do.
#[derive(Debug)]
pub(crate) struct OneThread<T>(pub T);

#[allow(unsafe_code)]
// SAFETY: of the threads of a run only one executes at a time: the simulation's, or one of a simulated process to which it gave the turn.
unsafe impl<T> Send for OneThread<T> {}

/// A stack that is suspended until its task is polled again. Dropped, it is abandoned: dropping a coroutine would unwind it.
pub(crate) struct Blocked<R: 'static> {
    coroutine: OneThread<ManuallyDrop<Coroutine<(), Stop, R, Memory>>>,
    guard: usize,
}

impl<R: 'static> Blocked<R> {
    /// Goes on where it was suspended.
    pub fn resume(self) -> Ran<R> {
        propagated(resume(ManuallyDrop::into_inner(self.coroutine.0), self.guard))
    }
}

/// Runs `f`, which does not unwind, on a stack of its own, and passes it the waker of the task. Without one `f` may not block.
pub(crate) fn run<R: 'static>(waker: Option<Waker>, f: impl FnOnce(&Waker) -> R + 'static) -> Ran<R> {
    let free = FREE.with_borrow_mut(Vec::pop);
    let stack = free.unwrap_or_else(|| Memory::new().expect("there is memory for a stack"));
    let guard = stack.limit().get();
    let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
        let bottom = Bottom::Coroutine(yielder);
        let frame = Frame { bottom, waker: waker.as_ref(), may_block: Cell::new(false) };
        FRAME.set((&raw const frame).cast());
        f(frame.waker.unwrap_or(Waker::noop()))
    });
    propagated(resume(coroutine, guard))
}

/// Abandons the stack below as well: it is of the same host, which has died.
fn propagated<R>(ran: Ran<R>) -> Ran<R> {
    if matches!(ran, Ran::Gone) {
        abandon();
    }
    ran
}

fn resume<R: 'static>(mut coroutine: Coroutine<(), Stop, R, Memory>, guard: usize) -> Ran<R> {
    DEPTH.set(DEPTH.get() + 1);
    let (below, guard_below) = (FRAME.get(), GUARD.swap(guard, Relaxed));
    let ran = coroutine.resume(());
    FRAME.set(below);
    GUARD.store(guard_below, Relaxed);
    DEPTH.set(DEPTH.get() - 1);
    match ran {
        CoroutineResult::Return(result) => {
            FREE.with_borrow_mut(|free| free.push(coroutine.into_stack()));
            Ran::Done(result)
        }
        CoroutineResult::Yield(Stop::Blocked) => {
            Ran::Blocks(Blocked { coroutine: OneThread(ManuallyDrop::new(coroutine)), guard })
        }
        CoroutineResult::Yield(Stop::Abandoned) => {
            std::mem::forget(coroutine);
            Ran::Gone
        }
    }
}

fn with_frame<R>(f: impl FnOnce(&Frame<'_>) -> R) -> Option<R> {
    let frame = FRAME.get();
    #[allow(unsafe_code)]
    // SAFETY: it is null, or that of the innermost stack that runs: set when that is entered or goes on, and reset when it is left.
    let frame = unsafe { frame.as_ref() };
    frame.map(f)
}

/// Returns how many tasks are being polled, each inside the previous one.
pub(crate) fn depth() -> usize {
    DEPTH.get()
}

/// Returns whether an address lies in the guard of the current stack: an access there is a stack overflow.
pub fn is_guard(address: usize) -> bool {
    let guard = GUARD.load(Relaxed);
    (guard..guard + GUARD_BYTES).contains(&address)
}

/// Abandons the current stack and does not return to it. A panic in progress continues, because Rust counts unwinding
/// panics; the gate discards it.
pub(crate) fn abandon() {
    if !thread::panicking() {
        with_frame(|frame| frame.suspend(Stop::Abandoned));
    }
}

/// Whether what runs now may block, as code on a thread of its own.
pub(crate) fn may_block() -> bool {
    with_frame(|frame| frame.may_block.get()).unwrap_or(false)
}

/// Runs a closure during which this stack may block, or may not.
pub(crate) fn blocking<R>(may: bool, f: impl FnOnce() -> R) -> R {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            with_frame(|frame| frame.may_block.set(self.0));
        }
    }
    let _reset = Reset(with_frame(|frame| frame.may_block.replace(may)).unwrap_or(false));
    f()
}

/// The waker of the task whose stack this is.
pub(crate) fn waker() -> Option<Waker> {
    with_frame(|frame| match frame.bottom {
        Bottom::Coroutine(_) => frame.waker.cloned(),
        Bottom::Thread(thread) => thread.waker(),
    })
    .flatten()
}

/// Suspends this stack until its task is polled again.
pub(crate) fn block() {
    let frame = FRAME.get();
    with_frame(|frame| frame.suspend(Stop::Blocked));
    FRAME.set(frame);
}

/// Makes the current thread one of a simulated process, for its life: it may block.
pub(crate) fn carry(thread: &'static dyn Carrier) {
    let frame = Frame { bottom: Bottom::Thread(thread), waker: None, may_block: Cell::new(true) };
    let frame: &'static Frame<'static> = Box::leak(Box::new(frame));
    FRAME.set(frame);
    CARRIER.set(Some(thread));
    DEPTH.set(1);
}

/// Whether this is a thread of a simulated process.
pub(crate) fn is_thread() -> bool {
    CARRIER.get().is_some()
}

/// Whether this is one, and no stack of another task is on top of its own.
pub(crate) fn is_at_bottom_of_thread() -> bool {
    with_frame(|frame| matches!(frame.bottom, Bottom::Thread(_))).unwrap_or(false)
}

/// Runs a closure on the simulation's thread, because what it calls depends on thread-locals of others.
pub(crate) fn on_simulation<R>(f: impl FnOnce() -> R) -> R {
    let Some(thread) = CARRIER.get() else { return f() };
    let (mut f, mut result) = (Some(f), None);
    thread.on_simulation(&mut || result = f.take().map(|f| f()));
    result.expect("the closure has run")
}
