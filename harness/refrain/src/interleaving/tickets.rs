//! The waits of threads in queues of unmodified dependencies: a thread sleeps until its ticket is woken.
//!
//! They are apart from [`crate::sync::thread::park`], whose permit belongs to the service.

use super::{Engine, Number, engine};
use ::{loom, shuttle};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::atomic::Ordering::AcqRel,
};

/// A wait of one thread.
#[derive(Debug)]
pub(crate) struct Ticket {
    raw: Raw,
    /// The thread that waits.
    pub thread: usize,
    /// What the thread is passed that is woken.
    token: Cell<Option<usize>>,
}

#[derive(Debug)]
enum Raw {
    Loom(Turns),
    Shuttle(shuttle::sync::Mutex<()>, shuttle::sync::Condvar),
}

#[derive(Debug)]
struct Turns {
    /// Makes loom explore the order of sleep and wake, and orders the former after the latter.
    turns: loom::sync::atomic::AtomicUsize,
    parked: RefCell<Option<loom::thread::Thread>>,
}

thread_local! {
    static TICKETS: RefCell<Vec<Rc<Ticket>>> = const { RefCell::new(vec![]) };
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    TICKETS.with(|tickets| tickets.borrow_mut().clear());
}

/// Makes a ticket for a thread; returns its number.
pub(crate) fn new(thread: usize) -> Number {
    let raw = match engine() {
        Engine::Loom => Raw::Loom(Turns { turns: loom::sync::atomic::AtomicUsize::new(0), parked: RefCell::default() }),
        _ => Raw::Shuttle(shuttle::sync::Mutex::new(()), shuttle::sync::Condvar::new()),
    };
    let ticket = Rc::new(Ticket { raw, thread, token: Cell::new(None) });
    TICKETS.with(|tickets| {
        let mut tickets = tickets.borrow_mut();
        tickets.push(ticket);
        tickets.len() as Number - 1
    })
}

/// Returns a ticket by its number.
pub(crate) fn get(ticket: Number) -> Rc<Ticket> {
    TICKETS.with(|tickets| tickets.borrow()[ticket as usize].clone())
}

/// Wakes every thread, for an execution that is abandoned.
pub(super) fn wake_all() {
    let all = TICKETS.with(|tickets| tickets.borrow().clone());
    all.iter().for_each(|ticket| ticket.wake_now(ticket.token.get().unwrap_or(0)));
}

impl Ticket {
    /// Blocks the running thread until it is woken; returns the token.
    pub fn sleep(&self) -> usize {
        match &self.raw {
            Raw::Loom(Turns { turns, parked }) => {
                turns.fetch_add(1, AcqRel);
                while self.token.get().is_none() {
                    *parked.borrow_mut() = Some(loom::thread::current());
                    loom::thread::park();
                }
            }
            Raw::Shuttle(mutex, condvar) => {
                let mut guard = mutex.lock().expect("no thread panics with it");
                while self.token.get().is_none() {
                    guard = condvar.wait(guard).expect("no thread panics with it");
                }
            }
        }
        self.token.get().unwrap_or(0)
    }

    /// Wakes the thread, or lets it pass when it goes to sleep.
    pub fn wake(&self, token: usize) {
        match &self.raw {
            Raw::Loom(Turns { turns, .. }) => {
                turns.fetch_add(1, AcqRel);
                self.wake_now(token);
            }
            Raw::Shuttle(mutex, condvar) => {
                let guard = mutex.lock().expect("no thread panics with it");
                self.token.set(Some(token));
                drop(guard);
                condvar.notify_one();
            }
        }
    }

    fn wake_now(&self, token: usize) {
        self.token.set(Some(token));
        if let Raw::Loom(Turns { parked, .. }) = &self.raw {
            let parked = parked.borrow_mut().take();
            parked.iter().for_each(loom::thread::Thread::unpark);
        }
    }
}
