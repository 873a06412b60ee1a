//! A thread of a simulated process: what the simulation's thread and this one know of each other, and how they hand each other the turn.

use super::{
    super::sockets,
    baton::{Baton, Turn},
};
use crate::sim::{
    kernel::{self, TaskId},
    section::unguarded,
    stack::{self, Carrier},
};
use libc::{c_int, c_void, pthread_t};
use std::{
    cell::{Cell, RefCell},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed},
    },
    task::{Poll, Waker},
};

/// What a new thread executes.
pub(super) type Main = extern "C" fn(*mut c_void) -> *mut c_void;

/// Why a thread has given its turn back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
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
pub(super) struct Thread {
    pub baton: Baton,
    said: Cell<Said>,
    call: Cell<Option<*mut dyn FnMut()>>,
    pub waker: RefCell<Option<Waker>>,
    pub task: Cell<TaskId>,
    /// The closure that it is to run, if it is one of the pool.
    pub job: Cell<Option<Box<dyn FnOnce()>>>,
    pub is_of_pool: bool,
    pub main: Main,
    pub argument: *mut c_void,
    /// What the harness does at its start.
    pub starts: RefCell<Vec<Box<dyn FnOnce()>>>,
    pub result: Cell<*mut c_void>,
    pub native: Cell<pthread_t>,
    pub is_detached: Cell<bool>,
    pub has_ended: Cell<bool>,
    pub joins: RefCell<Option<Waker>>,
    /// How many rounds of destructors there were.
    pub rounds: Cell<u32>,
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
pub(super) fn own() -> Option<&'static Thread> {
    OWN.get()
}

/// Notes that this is the thread.
pub(super) fn become_own(thread: &'static Thread) {
    OWN.set(Some(thread));
}

/// What else the harness does where a thread starts.
static ON_START: OnceLock<HandOn> = OnceLock::new();

/// Is called where a thread starts; its result is called on the thread.
type HandOn = fn() -> Box<dyn FnOnce()>;

/// Lets this be called where a thread starts, and its result on the thread.
pub(crate) fn on_start(hand_on: HandOn) {
    let _ = ON_START.set(hand_on);
}

fn all() -> impl Iterator<Item = &'static Thread> {
    // SAFETY: threads are leaked.
    let get = |at: *const Thread| unsafe { at.as_ref() };
    std::iter::successors(get(THREADS.load(Relaxed)), move |thread| get(thread.next))
}

/// The thread that libc knows by this name, and that was not joined.
pub(super) fn named(native: pthread_t) -> Option<&'static Thread> {
    all().find(|thread| thread.native.get() == native)
}

impl Thread {
    pub fn new(main: Main, argument: *mut c_void, task: TaskId, is_of_pool: bool) -> &'static Thread {
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
    pub fn say(&self, said: Said) {
        self.said.set(said);
        lend();
        self.baton.pass(Turn::Simulations);
        self.baton.wait_for(Turn::Threads);
        borrow();
        kernel::switch_task(self.task.get());
    }

    /// Lets the thread execute until it blocks or is through.
    pub fn run(&self) -> Poll<()> {
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
    pub fn bury(&self) {
        let native = self.native.replace(0);
        self.baton.pass(Turn::Threads);
        // SAFETY: it was not joined before, and is not detached.
        unguarded(|| unsafe { join_native(native) });
    }
}

fn lend() {
    kernel::lend();
}

pub(super) fn borrow() {
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

/// Lets libc wait for a thread that ends now.
///
/// # Safety
/// As libc's.
unsafe fn join_native(native: pthread_t) -> c_int {
    let nothing: *mut *mut c_void = ptr::null_mut();
    libcs!(pthread_join(native: pthread_t, nothing: *mut *mut c_void) -> c_int)
}
