//! An atomic under shuttle, where each load reads the newest store, and the clock that this store publishes.

use crate::interleaving::clocks::{self, Clock};
use std::sync::{Mutex, atomic::Ordering};

/// An atomic.
#[derive(Debug)]
pub(super) struct Newest<S> {
    pub raw: S,
    hands_on: Mutex<Clock>,
}

impl<S> Newest<S> {
    pub fn new(raw: S) -> Newest<S> {
        Newest { raw, hands_on: Mutex::default() }
    }

    /// Loads.
    pub fn load<R>(&self, order: Ordering, load: impl FnOnce(&S) -> R) -> R {
        let read = load(&self.raw);
        self.with(|hands_on| clocks::read(order, hands_on));
        read
    }

    /// Stores.
    pub fn store(&self, order: Ordering, store: impl FnOnce(&S)) {
        store(&self.raw);
        self.with(|hands_on| {
            hands_on.clear();
            clocks::store(order, hands_on);
        });
    }

    /// Performs a read-modify-write.
    pub fn exchange<R>(&self, order: Ordering, exchange: impl FnOnce(&S) -> R) -> R {
        let read = exchange(&self.raw);
        self.exchanged(order);
        read
    }

    /// Performs a read-modify-write, if the value is as expected.
    pub fn compare_exchange<V>(
        &self,
        (success, failure): (Ordering, Ordering),
        exchange: impl FnOnce(&S) -> Result<V, V>,
    ) -> Result<V, V> {
        let read = exchange(&self.raw);
        match read {
            Ok(_) => self.exchanged(success),
            Err(_) => self.with(|hands_on| clocks::read(failure, hands_on)),
        }
        read
    }

    fn exchanged(&self, order: Ordering) {
        self.with(|hands_on| {
            clocks::read(order, hands_on);
            clocks::store(order, hands_on);
        });
    }

    fn with(&self, f: impl FnOnce(&mut Clock)) {
        if clocks::watches() {
            f(&mut self.hands_on.lock().expect("no thread panics with it"));
        }
    }
}
