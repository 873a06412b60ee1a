//! The stores of an atomic, and what a load reads of them.

use super::word::{Value, Word};
use crate::{
    event::step,
    interleaving::{clocks::Clock, log},
    verdict,
};
use std::panic::Location;

/// Maximum number of stores of an atomic that a load may read: loom forgets older ones.
pub(super) const STORES_MAX: usize = 7;

/// A store.
pub(super) struct Store<A> {
    pub name: usize,
    pub value: A,
    /// The clock that it publishes.
    pub hands_on: Clock,
    pub thread: usize,
    pub place: &'static Location<'static>,
}

/// The result of a read.
pub(super) struct Read<V> {
    pub value: V,
    /// For the timeline: which old store was read, if it was not the newest.
    pub stale: Option<step::Read>,
}

impl<V> From<V> for Read<V> {
    fn from(value: V) -> Read<V> {
        Read { value, stale: None }
    }
}

impl<V: Value> Read<V> {
    /// Converts it for an event.
    pub fn to_step(&self) -> step::Read {
        self.stale.clone().unwrap_or_else(|| step::Read::Newest(self.value.to_step()))
    }
}

impl<A: Word> Store<A> {
    /// Converts the `nth` store of its atomic for an event and for a verdict.
    fn to_step(&self, nth: usize) -> (step::Stored, verdict::Store) {
        let (value, thread) = (self.value.get().to_step(), self.thread);
        (step::Stored { value, nth, thread }, verdict::Store { value, thread, place: log::shown(self.place) })
    }
}

/// Returns which of these stores was read, unless it was the newest.
pub(super) fn stale<A: Word>(stores: &[Store<A>], at: usize) -> Option<step::Read> {
    let last = stores.len() - 1;
    if !log::records() || at == last {
        return None;
    }
    let [(was, was_made), (newest, newest_made)] = [at, last].map(|at| stores[at].to_step(at + 1));
    log::reads_old(was_made, newest_made);
    Some(step::Read::Stale { was, newest })
}
