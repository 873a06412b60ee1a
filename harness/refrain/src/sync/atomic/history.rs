//! An atomic under shuttle. While loads may read old stores, all of its stores are kept.

use super::{
    store::{Read, STORES_MAX, Store, stale},
    word::Word,
};
use crate::interleaving::{
    clocks::{self, Clock},
    log::{self, Number},
    old,
};
use std::{
    panic::Location,
    sync::{
        Mutex, MutexGuard,
        atomic::Ordering::{self, SeqCst},
    },
};

/// An atomic.
pub(super) struct History<A: Word> {
    pub raw: A::Sampled,
    /// In the order in which they were made; the newest one, if loads read no others. Named by their numbers in the
    /// execution.
    stores: Mutex<Vec<Store<A>>>,
}

impl<A: Word> History<A> {
    pub fn new(raw: A::Sampled, value: A::Value, place: &'static Location<'static>) -> History<A> {
        History::named(raw, value, old::store(), place)
    }

    /// Returns the atomic of a dependency, which exists since the execution began.
    pub fn found(raw: A::Sampled, value: A::Value, place: &'static Location<'static>) -> History<A> {
        History::named(raw, value, old::first_store(), place)
    }

    fn named(raw: A::Sampled, value: A::Value, name: usize, place: &'static Location<'static>) -> History<A> {
        let hands_on = Clock::default();
        let first = Store { name, value: A::of(value), hands_on, thread: log::thread(), place };
        History { raw, stores: Mutex::new(vec![first]) }
    }

    /// Loads from the atomic of this number.
    pub fn load(&self, number: Number, order: Ordering, load: impl FnOnce(&A::Sampled) -> A::Value) -> Read<A::Value> {
        let newest = load(&self.raw);
        if !clocks::watches() {
            return newest.into();
        }
        let stores = self.stores();
        if !old::is_enabled() {
            clocks::read(order, &stores[0].hands_on);
            return newest.into();
        }
        let at = stores.len() - 1 - chosen(number, order, &stores);
        clocks::saw(number, stores.len(), order);
        clocks::read(order, &stores[at].hands_on);
        Read { value: stores[at].value.get(), stale: stale(&stores, at) }
    }

    /// Stores.
    pub fn store(
        &self,
        number: Number,
        value: A::Value,
        order: Ordering,
        place: &'static Location<'static>,
        store: impl FnOnce(&A::Sampled),
    ) {
        store(&self.raw);
        if clocks::watches() {
            let mut stores = self.stores();
            if old::is_enabled() {
                let made = Store {
                    name: old::store(),
                    value: A::of(value),
                    hands_on: Clock::default(),
                    thread: log::thread(),
                    place,
                };
                stores.push(made);
            } else {
                stores[0].hands_on.clear();
            }
            made(number, order, &mut stores);
        }
    }

    /// Performs a read-modify-write, which stores `made_of` of what it reads.
    pub fn exchange(
        &self,
        number: Number,
        order: Ordering,
        place: &'static Location<'static>,
        exchange: impl FnOnce(&A::Sampled) -> A::Value,
        made_of: impl FnOnce(A::Value) -> A::Value,
    ) -> A::Value {
        let was = exchange(&self.raw);
        self.exchanged(number, order, place, || made_of(was));
        was
    }

    /// Performs a read-modify-write, if the value is as expected. If not, it reads the newest store.
    pub fn compare_exchange(
        &self,
        number: Number,
        new: A::Value,
        (success, failure): (Ordering, Ordering),
        place: &'static Location<'static>,
        exchange: impl FnOnce(&A::Sampled) -> Result<A::Value, A::Value>,
    ) -> Result<A::Value, A::Value> {
        let read = exchange(&self.raw);
        match read {
            Ok(_) => self.exchanged(number, success, place, || new),
            Err(_) if clocks::watches() => {
                let stores = self.stores();
                clocks::saw(number, stores.len(), failure);
                clocks::read(failure, &stores.last().expect("its creation").hands_on);
            }
            Err(_) => {}
        }
        read
    }

    fn exchanged(
        &self,
        number: Number,
        order: Ordering,
        place: &'static Location<'static>,
        value: impl FnOnce() -> A::Value,
    ) {
        if clocks::watches() {
            let mut stores = self.stores();
            let was = &stores.last().expect("its creation").hands_on;
            clocks::read(order, was);
            if old::is_enabled() {
                // It continues the release sequence of the store that it read.
                let (name, hands_on, value) = (old::exchange(), was.clone(), A::of(value()));
                stores.push(Store { name, value, hands_on, thread: log::thread(), place });
            }
            made(number, order, &mut stores);
        }
    }

    fn stores(&self) -> MutexGuard<'_, Vec<Store<A>>> {
        self.stores.lock().expect("no thread panics with it")
    }
}

/// The running thread made the last store.
fn made<A>(number: Number, order: Ordering, stores: &mut [Store<A>]) {
    clocks::saw(number, stores.len(), order);
    clocks::store(order, &mut stores.last_mut().expect("its creation").hands_on);
}

/// Returns how many stores follow the one that a load of the running thread reads.
fn chosen<A>(number: Number, order: Ordering, stores: &[Store<A>]) -> usize {
    let seen = if order == SeqCst { stores.len() } else { clocks::seen(number).max(1) };
    let unseen: Vec<usize> = stores[seen..].iter().rev().take(STORES_MAX - 1).map(|store| store.name).collect();
    old::load(&unseen)
}
