//! Threads of simulated processes. Each is a thread of the operating system, so that its thread-locals, its handle and its stack are its
//! own, and a task of its host, so that it is scheduled, held and killed as others are.
//!
//! When the task is polled, the simulation's thread gives the turn to the other one, and waits until that blocks, ends or is preempted. So
//! one thread of the process executes at a time, in the order that the plan says, and all that the run has is handed on with the turn.

mod baton;
mod calls;
mod end;
mod exit;
mod pool;
mod thread;

use super::{guard, heap, path::call_path, preempt};
use crate::sim::{
    gate::Gate,
    kernel::{self, Spawned, Wait},
    section::unguarded,
    stack::{self, OneThread},
};
use baton::Turn;
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use refrain_core::verdict::Outside::Threads;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use thread::{Main, Thread, become_own, borrow};

pub(super) use calls::{pthread_create, pthread_detach, pthread_join};
pub use end::end_threads;
pub(crate) use pool::on_a_thread;
pub(crate) use thread::on_start;

/// Whether code that starts a thread here, or blocks, is part of a simulation with threads of its own.
pub(super) fn are_simulated() -> bool {
    guard::is_of_service() && !guard::is_allowed(Threads)
}

/// Whether this is a thread that the service has started itself, rather than one of those that `spawn_blocking` uses.
pub(crate) fn is_started_by_service() -> bool {
    thread::own().is_some_and(|thread| !thread.is_of_pool)
}

/// The task of a thread.
struct Runs(OneThread<&'static Thread>);

impl Future for Runs {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let OneThread(thread) = self.get_mut().0;
        thread.waker.borrow_mut().get_or_insert_with(|| cx.waker().clone());
        if thread.run().is_pending() {
            return Poll::Pending;
        }
        thread.has_ended.set(true);
        if thread.is_detached.get() {
            thread.bury();
        }
        if let Some(waker) = thread.joins.take() {
            waker.wake();
        }
        Poll::Ready(())
    }
}

/// Starts a thread of the current host.
///
/// # Safety
/// As libc's `pthread_create`.
unsafe fn start(native: *mut pthread_t, attributes: *const pthread_attr_t, main: Main, argument: *mut c_void) -> c_int {
    if pool::starts() {
        let thread = Thread::new(main, argument, kernel::current_task(), true);
        pool::started(thread);
        // SAFETY: as the caller says; the thread lives as long as the run.
        return unsafe { create(native, attributes, thread) };
    }
    let path = call_path();
    let place = unguarded(|| (kernel::hooks().place_of_calls)(path));
    let task = kernel::with(|k| k.new_task(k.tasks[kernel::current_task()].host, Spawned::Thread(place), false));
    kernel::with(|k| k.tasks[task].runtime = kernel::NO_RUNTIME);
    let thread = Thread::new(main, argument, task, false);
    // SAFETY: as above.
    let failed = unsafe { create(native, attributes, thread) };
    if failed != 0 {
        kernel::with(|k| k.end_task(task));
        return failed;
    }
    let runs = OneThread(thread);
    stack::on_simulation(|| drop(madsim::task::spawn(Gate::joinable(task, Runs(runs)))));
    0
}

/// # Safety
/// As `start`.
unsafe fn create(native: *mut pthread_t, attributes: *const pthread_attr_t, thread: &'static Thread) -> c_int {
    // SAFETY: as the caller says.
    let failed = unsafe { calls::create_native(native, attributes, thread) };
    if failed == 0 {
        // SAFETY: libc has written it.
        thread.native.set(unsafe { *native });
    }
    failed
}

/// Waits until a thread has ended.
fn join(thread: &'static Thread) -> *mut c_void {
    let waker = stack::waker();
    while !thread.has_ended.get() {
        let Some(waker) = &waker else { guard::refuse_to_wait("pthread_join") };
        *thread.joins.borrow_mut() = Some(waker.clone());
        kernel::with(|k| k.wait(Wait::Join(thread.task.get())));
        stack::block();
    }
    thread.bury();
    thread.result.get()
}

/// The first and the last steps of a thread: what executes on its stack.
extern "C-unwind" fn begin(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `start` gives a thread, which lives as long as the run.
    let thread: &'static Thread = unsafe { &*argument.cast::<Thread>() };
    thread.baton.wait_for(Turn::Threads);
    borrow();
    heap::join();
    kernel::switch_task(thread.task.get());
    become_own(thread);
    unguarded(|| {
        stack::carry(thread);
        exit::expect(argument);
        thread.starts.take().into_iter().for_each(|starts| starts());
    });
    // Closures of `spawn_blocking` are not preempted.
    if !thread.is_of_pool {
        preempt::begin();
    }
    let result = (thread.main)(thread.argument);
    thread.result.set(result);
    result
}
