//! The atomics, locks and threads of unmodified dependencies in a model, on this module's own.
//!
//! `refrain_std` is the standard library of such a dependency, and passes its operations to what is installed here.
//! Objects are made at their first use in an execution, and made anew in the next one.

mod atoms;

use super::{Mutex, thread};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        self, Engine, Number,
        clocks::{self, Through},
        foreign, limit,
        log::{begin, log_effect},
        threads, tickets,
    },
    protocol::EngineLimit,
    verdict::ThreadWait,
};
use atoms::Atoms;
use refrain_std::model::{Atomic, Exchange, Found, Model, Parked, Place};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::atomic::Ordering,
    time::Duration,
};

/// What the dependencies of the model have in one execution.
#[derive(Default)]
struct State {
    /// The execution.
    execution: u64,
    atoms: Atoms,
    /// The queues of parked threads, by their keys.
    queues: BTreeMap<usize, Rc<Mutex<Vec<Parked>>>>,
    /// The threads that dependencies have spawned.
    joins: BTreeMap<usize, thread::JoinHandle<()>>,
    /// The threads that dependencies know.
    threads: BTreeMap<usize, thread::Thread>,
    /// The threads that have done nothing since their last spin hint.
    spun: BTreeSet<usize>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Lets unmodified dependencies take part in the models of this process.
pub(crate) fn install() {
    refrain_std::model::install(&Dependencies);
}

/// Borrows the state of the current execution. No other thread of the model runs meanwhile.
fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    STATE.with(|state| {
        let mut state = state.borrow_mut();
        let current = interleaving::execution();
        if state.execution != current {
            let old = std::mem::take(&mut *state);
            state.execution = current;
            state.atoms = old.atoms.next();
        }
        f(&mut state)
    })
}

/// The running thread does something other than spinning.
fn acts() {
    with(|state| {
        if !state.spun.is_empty() {
            state.spun.remove(&threads::running());
        }
    });
}

struct Dependencies;

impl Model for Dependencies {
    fn atomic(&self, found: Found) -> Atomic {
        with(|state| state.atoms.find(found))
    }

    fn load(&self, atomic: usize, order: Ordering, place: Place) -> u64 {
        acts();
        let atom = with(|state| state.atoms.get(atomic));
        atom.load(order, place)
    }

    fn store(&self, atomic: usize, value: u64, order: Ordering, place: Place) {
        acts();
        let atom = with(|state| state.atoms.get(atomic));
        atom.store(value, order, place);
    }

    fn exchange(&self, atomic: usize, by: Exchange, value: u64, order: Ordering, place: Place) -> u64 {
        acts();
        let atom = with(|state| state.atoms.get(atomic));
        atom.exchange(by, value, order, place)
    }

    fn compare_exchange(
        &self,
        atomic: usize,
        values: (u64, u64),
        orders: (Ordering, Ordering),
        place: Place,
    ) -> Result<u64, u64> {
        acts();
        let atom = with(|state| state.atoms.get(atomic));
        atom.compare_exchange(values, orders, place)
    }

    fn dropped(&self, address: usize) {
        with(|state| state.atoms.forget(address));
    }

    fn fence(&self, order: Ordering, place: Place) {
        acts();
        super::atomic::fence_at(order, place);
    }

    fn queue(&self, key: usize, place: Place, f: &mut dyn FnMut(&mut Vec<Parked>)) {
        acts();
        let queue = with(|state| state.queues.get(&key).cloned());
        let queue = queue.unwrap_or_else(|| {
            let new = Rc::new(Mutex::new_at(vec![], place));
            with(|state| state.queues.insert(key, new.clone()));
            new
        });
        f(&mut queue.lock_at(place));
    }

    fn ticket(&self) -> usize {
        tickets::new(threads::running()) as usize
    }

    fn sleep(&self, ticket: usize, place: Place) -> usize {
        acts();
        begin(place, ThreadWait::Unpark);
        let token = tickets::get(ticket as Number).sleep();
        clocks::acquire(Through::Wake(ticket as Number));
        log_effect(place, || Operation::Thread(step::Thread::Park));
        token
    }

    fn wake(&self, ticket: usize, token: usize, place: Place) {
        acts();
        let number = ticket as Number;
        let ticket = tickets::get(number);
        // Before the thread can run.
        clocks::release(Through::Wake(number));
        ticket.wake(token);
        foreign::passes();
        log_effect(place, || Operation::Thread(step::Thread::Unpark { thread: ticket.thread }));
    }

    fn time(&self, call: &str, place: Place) {
        match interleaving::engine() {
            Engine::Loom => limit(EngineLimit::Time { call: call.into() }),
            _ => thread::yield_at(place),
        }
    }

    fn thread(&self) -> usize {
        let running = threads::running();
        if !with(|state| state.threads.contains_key(&running)) {
            let current = thread::current();
            with(|state| state.threads.insert(running, current));
        }
        running
    }

    fn spawn(&self, thread: Box<dyn FnOnce() + Send>, place: Place) -> usize {
        acts();
        let spawned = thread::spawn_at(thread, place);
        let number = spawned.thread().number();
        with(|state| {
            state.threads.insert(number, spawned.thread().clone());
            state.joins.insert(number, spawned);
        });
        number
    }

    fn join(&self, thread: usize, place: Place) {
        acts();
        if let Some(spawned) = with(|state| state.joins.remove(&thread)) {
            // A panic of the thread has ended the execution.
            let _ = spawned.join_at(place);
        }
    }

    fn park(&self, place: Place) {
        acts();
        thread::park_at(place);
    }

    fn park_timeout(&self, time: Duration, place: Place) {
        acts();
        thread::park_timeout_at(time, place);
    }

    fn unpark(&self, thread: usize, place: Place) {
        acts();
        if let Some(thread) = with(|state| state.threads.get(&thread).cloned()) {
            thread.unpark_at(place);
        }
    }

    fn yield_now(&self, place: Place) {
        acts();
        thread::yield_at(place);
    }

    fn spin_loop(&self, place: Place) {
        // A back-off repeats the hint many times, which tells an engine nothing new.
        if with(|state| state.spun.insert(threads::running())) {
            thread::yield_at(place);
        }
    }

    fn sleep_for(&self, time: Duration, place: Place) {
        acts();
        thread::sleep_at(time, place);
    }
}
