//! Threads of simulated processes. Each is a thread of the operating system, so that its thread-locals, its handle and its stack are its
//! own, and a task of its host, so that it is scheduled, held and killed as others are.
//!
//! When the task is polled, the simulation's thread gives the turn to the other one, and waits until that blocks, ends or is preempted. So
//! one thread of the process executes at a time, in the order that the plan says, and all that the run has is handed on with the turn.

mod baton;
mod calls;
mod exit;
mod path;
mod pool;
mod preempt;

use super::{guard, heap, sockets};
use crate::sim::{
    gate::Gate,
    kernel::{self, Spawned, TaskId, Wait},
    section::unguarded,
    stack::{self, Carrier, OneThread},
};
use baton::{Baton, Turn};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use refrain_core::verdict::Outside::Threads;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicPtr, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

pub(super) use calls::{pthread_create, pthread_detach, pthread_join};
pub(super) use path::call_path;
pub(crate) use pool::on_a_thread;
pub(super) use preempt::point as preemption_point;

/// What a new thread executes.
type Main = extern "C" fn(*mut c_void) -> *mut c_void;

/// Why a thread has given its turn back.
#[derive(Debug, Clone, Copy)]
enum Said {
    /// It goes on when its task is polled.
    Blocks,
    /// Its process is gone: it never goes on.
    Gone,
    /// The simulation's thread is to run something for it.
    Calls,
    /// The closure that it was given is over.
    Idle,
    /// It is over, with the destructors of its thread-locals.
    Ended,
}

/// A thread. It lives as long as the run.
struct Thread {
    baton: Baton,
    said: Cell<Said>,
    call: Cell<Option<*mut dyn FnMut()>>,
    waker: RefCell<Option<Waker>>,
    task: Cell<TaskId>,
    /// The closure that it is to run, if it is one of the pool.
    job: Cell<Option<Box<dyn FnOnce()>>>,
    is_of_pool: bool,
    main: Main,
    argument: *mut c_void,
    /// What the harness does at its start.
    starts: RefCell<Vec<Box<dyn FnOnce()>>>,
    result: Cell<*mut c_void>,
    native: Cell<pthread_t>,
    is_detached: Cell<bool>,
    has_ended: Cell<bool>,
    joins: RefCell<Option<Waker>>,
    /// How many rounds of destructors there were.
    rounds: Cell<u32>,
    next: *const Thread,
}

// SAFETY: only the thread that has the turn uses it, and the turn is handed on by an atomic.
unsafe impl Sync for Thread {}

/// All threads of the run, the newest first.
static THREADS: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// The thread that this is.
    static OWN: Cell<Option<&'static Thread>> = const { Cell::new(None) };
}

/// The thread that this is, if it is one of a simulated process.
fn own() -> Option<&'static Thread> {
    OWN.get()
}

/// What else the harness does where a thread starts.
static ON_START: OnceLock<fn() -> Box<dyn FnOnce()>> = OnceLock::new();

/// Lets this be called where a thread starts, and its result on the thread.
pub(crate) fn on_start(hand_on: fn() -> Box<dyn FnOnce()>) {
    let _ = ON_START.set(hand_on);
}

/// Whether code that starts a thread here, or blocks, is part of a simulation with threads of its own.
pub(super) fn are_simulated() -> bool {
    guard::is_of_service() && !guard::is_allowed(Threads)
}

fn all() -> impl Iterator<Item = &'static Thread> {
    // SAFETY: threads are leaked.
    let get = |at: *const Thread| unsafe { at.as_ref() };
    std::iter::successors(get(THREADS.load(Relaxed)), move |thread| get(thread.next))
}

/// The thread that libc knows by this name, and that was not joined.
fn named(native: pthread_t) -> Option<&'static Thread> {
    all().find(|thread| thread.native.get() == native)
}

impl Thread {
    fn new(main: Main, argument: *mut c_void, task: TaskId, is_of_pool: bool) -> &'static Thread {
        unguarded(|| {
            let starts = [sockets::hand_on_bound(), (kernel::hooks().thread_starts)()];
            let starts = ON_START.get().map(|starts_too| starts_too()).into_iter().chain(starts).collect();
            let thread = Box::leak(Box::new(Thread {
                baton: Baton::new(),
                said: Cell::new(Said::Blocks),
                call: Cell::new(None),
                waker: RefCell::default(),
                task: Cell::new(task),
                job: Cell::default(),
                is_of_pool,
                main,
                argument,
                starts: RefCell::new(starts),
                result: Cell::new(ptr::null_mut()),
                native: Cell::new(0),
                is_detached: Cell::new(false),
                has_ended: Cell::new(false),
                joins: RefCell::new(None),
                rounds: Cell::new(0),
                next: THREADS.load(Relaxed),
            }));
            THREADS.store(thread, Relaxed);
            &*thread
        })
    }

    /// Lets the thread execute until it gives the turn back.
    fn resume(&self) -> Said {
        lend();
        self.baton.pass(Turn::Threads);
        self.baton.wait_for(Turn::Simulations);
        borrow();
        self.said.get()
    }

    /// Gives the turn back, and returns when it comes again.
    fn say(&self, said: Said) {
        self.said.set(said);
        lend();
        self.baton.pass(Turn::Simulations);
        self.baton.wait_for(Turn::Threads);
        borrow();
        kernel::switch_task(self.task.get());
    }

    /// Lets the thread execute until it blocks or is through.
    fn run(&self) -> Poll<()> {
        loop {
            match self.resume() {
                Said::Blocks => return Poll::Pending,
                Said::Gone => {
                    stack::abandon();
                    return Poll::Pending;
                }
                Said::Calls => {
                    let call = self.call.take().expect("it has said so");
                    // SAFETY: the thread waits until this has returned.
                    unsafe { (*call)() };
                }
                Said::Idle | Said::Ended => return Poll::Ready(()),
            }
        }
    }

    /// Lets the thread end, and libc forget it.
    fn bury(&self) {
        let native = self.native.replace(0);
        self.baton.pass(Turn::Threads);
        // SAFETY: it was not joined before, and is not detached.
        unguarded(|| unsafe { calls::join_native(native) });
    }
}

fn lend() {
    kernel::lend();
}

fn borrow() {
    kernel::borrow();
}

impl Carrier for Thread {
    fn stop(&self, for_good: bool) {
        match for_good {
            true => loop {
                self.say(Said::Gone);
            },
            false => self.say(Said::Blocks),
        }
    }

    fn on_simulation(&self, f: &mut dyn FnMut()) {
        let f: *mut (dyn FnMut() + '_) = f;
        // SAFETY: the pointer is used before this returns.
        self.call.set(Some(unsafe { std::mem::transmute::<*mut (dyn FnMut() + '_), *mut (dyn FnMut() + 'static)>(f) }));
        self.say(Said::Calls);
    }

    fn waker(&self) -> Option<Waker> {
        self.waker.borrow().clone()
    }
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
        let Some(waker) = &waker else { super::futex::refuse("pthread_join") };
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
    OWN.set(Some(thread));
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
