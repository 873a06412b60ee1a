//! An atomic under loom. loom orders its stores and chooses which of them a load reads; their values are kept here.
//!
//! The value known to loom is the name of a store, so that a load identifies the store that it reads, even among stores
//! of equal values.

use super::{
    store::{Read, STORES_MAX, Store, stale},
    word::Word,
};
use crate::interleaving::{
    clocks::{self, Clock},
    log::{self, Number},
    seq_cst, spare,
    threads::THREADS_MAX,
};
use std::{
    panic::Location,
    sync::{
        Mutex, MutexGuard,
        atomic::Ordering::{self, *},
    },
};

/// The name of no store.
const NOBODY: usize = usize::MAX;

/// An atomic.
pub(super) struct Stores<A> {
    names: ::loom::sync::atomic::AtomicUsize,
    number: Number,
    made: Mutex<Made<A>>,
}

/// The stores so far.
struct Made<A> {
    /// In the order in which they were made.
    stores: Vec<Store<A>>,
    next: usize,
    /// The newest store that each thread made or read.
    seen: [usize; THREADS_MAX],
    /// Whether the execution order of the stores is known to be their modification order.
    is_chain: bool,
}

impl<A: Word> Stores<A> {
    pub fn new(value: A::Value, number: Number, place: &'static Location<'static>) -> Stores<A> {
        let names = ::loom::sync::atomic::AtomicUsize::new(0);
        seq_cst::store(number, Relaxed, 0);
        Stores::named(names, value, number, place)
    }

    /// Returns the atomic of a dependency, which exists since the execution began.
    pub fn found(value: A::Value, number: Number, place: &'static Location<'static>) -> Stores<A> {
        let names = spare::take();
        seq_cst::first_store(number, 0);
        Stores::named(names, value, number, place)
    }

    fn named(
        names: ::loom::sync::atomic::AtomicUsize,
        value: A::Value,
        number: Number,
        place: &'static Location<'static>,
    ) -> Stores<A> {
        let first = Store { name: 0, value: A::of(value), hands_on: Clock::default(), thread: log::thread(), place };
        let made = Made { stores: vec![first], next: 1, seen: [0; THREADS_MAX], is_chain: true };
        Stores { names, number, made: Mutex::new(made) }
    }

    pub fn load(&self, order: Ordering) -> Read<A::Value> {
        let name = self.names.load(order);
        let (at, value) = self.made().read(name, order);
        let stale = stale(&self.made().stores, at);
        seq_cst::load(self.number, order, name as u64);
        Read { value, stale }
    }

    pub fn store(&self, value: A::Value, order: Ordering, place: &'static Location<'static>) {
        let name = self.name();
        self.names.store(name, order);
        let mut hands_on = Clock::default();
        clocks::store(order, &mut hands_on);
        self.made().push(Store { name, value: A::of(value), hands_on, thread: log::thread(), place }, None);
        seq_cst::store(self.number, order, name as u64);
    }

    /// Performs a read-modify-write: reads the newest store and stores `made_of` of its value.
    pub fn exchange(
        &self,
        order: Ordering,
        place: &'static Location<'static>,
        made_of: impl FnOnce(A::Value) -> A::Value,
    ) -> A::Value {
        let name = self.name();
        let was = self.names.swap(name, order);
        self.exchanged(was, name, order, place, made_of)
    }

    /// A failed compare-exchange is a load: it may read an old store, but loom lets it read only the newest. So where a
    /// load may read a value other than the expected one, a load is done first. That load may synchronize more than the
    /// compare-exchange alone would, but this hides no bug: in another execution the load reads the store that the
    /// compare-exchange then reads.
    pub fn compare_exchange(
        &self,
        current: A::Value,
        new: A::Value,
        (success, failure): (Ordering, Ordering),
        place: &'static Location<'static>,
    ) -> Result<A::Value, Read<A::Value>> {
        if self.made().may_differ(current) {
            let learns_more = matches!(failure, Acquire | SeqCst) && matches!(success, Relaxed | Release);
            let first = if learns_more { Relaxed } else { failure };
            let mut read = self.load(first);
            if read.value != current && learns_more {
                read = self.load(failure);
            }
            if read.value != current {
                return Err(read);
            }
        }
        let name = self.name();
        let mut expected = self.made().newest(current);
        loop {
            match self.names.compare_exchange(expected, name, success, failure) {
                Ok(was) => return Ok(self.exchanged(was, name, success, place, |_| new)),
                Err(found) => {
                    let (at, value) = self.made().read(found, failure);
                    if value != current {
                        let stale = stale(&self.made().stores, at);
                        seq_cst::load(self.number, failure, found as u64);
                        return Err(Read { value, stale });
                    }
                    // Another store of the same value is no reason to fail.
                    expected = found;
                }
            }
        }
    }

    /// Returns the value of the newest store.
    pub fn newest(&self) -> A::Value {
        self.made().stores.last().expect("the first store is its creation").value.get()
    }

    /// Returns the value: access is exclusive.
    pub fn into_inner(self) -> A::Value {
        let name = self.names.into_inner();
        let made = self.made.into_inner().expect("no thread panics with it");
        made.stores[made.at(name)].value.get()
    }

    /// Returns the name of the next store.
    fn name(&self) -> usize {
        let mut made = self.made();
        made.next += 1;
        made.next - 1
    }

    fn exchanged(
        &self,
        was: usize,
        name: usize,
        order: Ordering,
        place: &'static Location<'static>,
        made_of: impl FnOnce(A::Value) -> A::Value,
    ) -> A::Value {
        let mut made = self.made();
        let (at, value) = made.read(was, order);
        // A read-modify-write continues the release sequence of the store that it read.
        let mut hands_on = made.stores[at].hands_on.clone();
        clocks::store(order, &mut hands_on);
        made.push(Store { name, value: A::of(made_of(value)), hands_on, thread: log::thread(), place }, Some(at));
        drop(made);
        seq_cst::exchange(self.number, order, was as u64, name as u64);
        value
    }

    fn made(&self) -> MutexGuard<'_, Made<A>> {
        self.made.lock().expect("no thread panics with it")
    }
}

impl<A: Word> Made<A> {
    fn at(&self, name: usize) -> usize {
        self.stores.iter().rposition(|store| store.name == name).expect("only what was stored is read")
    }

    /// Records that the running thread read a store.
    fn read(&mut self, name: usize, order: Ordering) -> (usize, A::Value) {
        let (at, seen) = (self.at(name), &mut self.seen[log::thread() % THREADS_MAX]);
        *seen = at.max(*seen);
        clocks::read(order, &self.stores[at].hands_on);
        (at, self.stores[at].value.get())
    }

    /// Records a store of the running thread, given what it read.
    fn push(&mut self, store: Store<A>, read: Option<usize>) {
        let (last, seen) = (self.stores.len() - 1, &mut self.seen[store.thread % THREADS_MAX]);
        self.is_chain &= read.unwrap_or(*seen) == last;
        *seen = last + 1;
        self.stores.push(store);
    }

    /// Returns whether a load of the running thread may read a value other than this, and not from the newest store.
    fn may_differ(&self, current: A::Value) -> bool {
        let count = self.stores.len();
        let oldest = count.saturating_sub(STORES_MAX);
        let may_be_read = if self.is_chain {
            let seen = self.seen[log::thread() % THREADS_MAX];
            &self.stores[seen.max(oldest)..count - 1]
        } else {
            &self.stores[oldest..]
        };
        may_be_read.iter().any(|store| store.value.get() != current)
    }

    /// Returns the name of the newest store of this value.
    fn newest(&self, value: A::Value) -> usize {
        self.stores.iter().rfind(|store| store.value.get() == value).map_or(NOBODY, |store| store.name)
    }
}
