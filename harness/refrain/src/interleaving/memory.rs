//! What is allocated in an execution, and where in the source.

use crate::verdict::Allocation;
use std::{cell::RefCell, collections::BTreeMap, panic::Location};

/// Something that is allocated, by its number or its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// What a counted reference shares.
    Arc(u64),
    /// A tracked value.
    Track(u64),
    /// Memory.
    Memory(usize),
}

thread_local! {
    /// What is alive in this execution, and where it was allocated.
    static LIVE: RefCell<BTreeMap<Key, &'static Location<'static>>> = const { RefCell::new(BTreeMap::new()) };
}

/// An execution begins: nothing is allocated.
pub(super) fn forget() {
    LIVE.with(|live| live.borrow_mut().clear());
}

/// Something is allocated.
pub(crate) fn allocated(key: Key, place: &'static Location<'static>) {
    LIVE.with(|live| live.borrow_mut().insert(key, place));
}

/// Something is freed; whether it was allocated.
pub(crate) fn freed(key: Key) -> bool {
    LIVE.with(|live| live.borrow_mut().remove(&key)).is_some()
}

/// Something that is still alive: what it is, and where it was allocated.
pub(super) fn first_live() -> Option<(Allocation, &'static Location<'static>)> {
    LIVE.with(|live| {
        live.borrow().iter().next().map(|(key, place)| {
            let what = match key {
                Key::Arc(_) => Allocation::Arc,
                Key::Track(_) => Allocation::Track,
                Key::Memory(_) => Allocation::Memory,
            };
            (what, *place)
        })
    })
}
