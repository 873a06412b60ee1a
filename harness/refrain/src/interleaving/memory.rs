//! What is allocated in an execution, where in the source, who uses it, and who freed it.
//!
//! Memory that a model frees is kept until its execution is over. So it is not allocated again, an operation on an object
//! in it is recognised by its address, and that object is still there to be looked at.

use super::{Engine, clocks::Accesses, engine, log, threads};
use crate::{
    place::Place,
    verdict::{Access, Allocation, Detail},
};
use std::{
    alloc::Layout,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    panic::Location,
};

/// A place in the source.
type At = &'static Location<'static>;

/// A value that is tracked, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// What a counted reference shares.
    Arc(u64),
    /// A tracked value.
    Track(u64),
}

/// Memory that is allocated.
struct Block {
    layout: Layout,
    place: At,
    /// Whether all uses come before the end, as the sampling engine's clocks tell.
    accesses: Accesses,
    /// The same as the exhaustive engine tells: it explores no order of a use and the end that nothing else orders.
    probe: Option<::loom::cell::UnsafeCell<()>>,
}

/// Memory that was freed.
struct Freed {
    layout: Layout,
    place: At,
    by: usize,
    /// Gives it back to the system.
    free: Box<dyn FnOnce()>,
}

/// A use that another thread may have interrupted.
#[derive(Clone, Copy)]
struct Use {
    nth: u64,
    address: usize,
    place: At,
    by: usize,
}

thread_local! {
    /// The tracked values that are alive, and where they were made.
    static VALUES: RefCell<BTreeMap<Key, At>> = const { RefCell::new(BTreeMap::new()) };
    /// Whether the execution has allocated any. Everything here costs time: ask before.
    static IS_NEEDED: Cell<bool> = const { Cell::new(false) };
    static LIVE: RefCell<BTreeMap<usize, Block>> = const { RefCell::new(BTreeMap::new()) };
    static FREED: RefCell<BTreeMap<usize, Freed>> = const { RefCell::new(BTreeMap::new()) };
    static USES: RefCell<(u64, Vec<Use>)> = const { RefCell::new((0, vec![])) };
    /// Whether the engine is asked if all uses of some memory are ordered before its end.
    static IS_PROBED: Cell<bool> = const { Cell::new(false) };
}

/// A use of memory that was freed, or that nothing orders before that.
#[derive(Debug, Clone)]
pub(crate) struct Misused {
    used: Access,
    freed: Access,
    after: bool,
}

impl Misused {
    fn after(used: At, user: usize, freed: At, by: usize) -> Misused {
        Misused { used: access(used, user, false), freed: access(freed, by, true), after: true }
    }

    /// Where the use is.
    pub fn place(&self) -> Option<Place> {
        self.used.place.clone()
    }

    /// As a verdict tells it.
    pub fn detail(self) -> Detail {
        let Misused { used, freed, after } = self;
        Detail::FreedUsed { used, freed, after }
    }
}

fn access(place: At, thread: usize, writes: bool) -> Access {
    Access { thread, place: log::shown(place), writes }
}

/// An operation on an object, while it goes on.
pub(crate) struct Uses(Option<u64>);

/// Whether it is the end of memory that is not ordered, if the engine says now that two accesses are not.
pub(super) fn is_probed() -> bool {
    IS_PROBED.get()
}

/// An execution begins: nothing is allocated.
pub(super) fn forget() {
    IS_NEEDED.set(false);
    VALUES.with(|values| values.borrow_mut().clear());
    LIVE.with(|live| live.borrow_mut().clear());
    USES.with(|uses| uses.borrow_mut().1.clear());
    let freed = FREED.with(|freed| std::mem::take(&mut *freed.borrow_mut()));
    freed.into_values().for_each(|freed| (freed.free)());
}

/// A value is tracked.
pub(crate) fn tracked(key: Key, place: At) {
    VALUES.with(|values| values.borrow_mut().insert(key, place));
}

/// A tracked value is dropped.
pub(crate) fn dropped(key: Key) {
    VALUES.with(|values| values.borrow_mut().remove(&key));
}

/// Something that is still alive: what it is, and where it was allocated.
pub(super) fn first_live() -> Option<(Allocation, At)> {
    let value = VALUES.with(|values| {
        values.borrow().iter().next().map(|(key, place)| match key {
            Key::Arc(_) => (Allocation::Arc, *place),
            Key::Track(_) => (Allocation::Track, *place),
        })
    });
    value.or_else(|| LIVE.with(|live| live.borrow().values().next().map(|block| (Allocation::Memory, block.place))))
}

/// The running thread uses an object.
///
/// # Errors
/// The object is in memory that was freed.
#[inline]
pub(crate) fn uses<T>(object: &T, place: At) -> Result<Uses, Misused> {
    if IS_NEEDED.get() { uses_at((&raw const *object).addr(), place) } else { Ok(Uses(None)) }
}

fn uses_at(address: usize, place: At) -> Result<Uses, Misused> {
    let by = threads::running();
    FREED.with(|freed| match freed.borrow().range(..=address).next_back() {
        Some((at, freed)) if is_in(*at, freed.layout, address) => Err(Misused::after(place, by, freed.place, freed.by)),
        _ => Ok(()),
    })?;
    let is_live = LIVE.with(|live| match live.borrow_mut().range_mut(..=address).next_back() {
        Some((at, block)) if is_in(*at, block.layout, address) => {
            block.accesses.access(place, false);
            block.probe.iter().for_each(|probe| probe.with(|_| ()));
            true
        }
        _ => false,
    });
    let nth = is_live.then(|| {
        USES.with(|uses| {
            let (next, uses) = &mut *uses.borrow_mut();
            *next += 1;
            uses.push(Use { nth: *next, address, place, by });
            *next
        })
    });
    Ok(Uses(nth))
}

impl Drop for Uses {
    fn drop(&mut self) {
        if let Some(nth) = self.0 {
            USES.with(|uses| uses.borrow_mut().1.retain(|other| other.nth != nth));
        }
    }
}

/// The running thread allocated memory.
pub(crate) fn allocated(address: usize, layout: Layout, place: At) {
    IS_NEEDED.set(true);
    let probe = (engine() == Engine::Loom).then(|| ::loom::cell::UnsafeCell::new(()));
    let mut accesses = Accesses::default();
    accesses.access(place, true);
    LIVE.with(|live| live.borrow_mut().insert(address, Block { layout, place, accesses, probe }));
}

/// The running thread frees memory, which is given back later; whether it was allocated.
///
/// # Errors
/// Another thread uses it, or nothing orders a use before.
pub(crate) fn freed(address: usize, place: At, free: Box<dyn FnOnce()>) -> Result<bool, Misused> {
    let Some(mut block) = LIVE.with(|live| live.borrow_mut().remove(&address)) else { return Ok(false) };
    let by = threads::running();
    let is_used = |used: &&Use| used.by != by && is_in(address, block.layout, used.address);
    if let Some(used) = USES.with(|uses| uses.borrow().1.iter().find(is_used).copied()) {
        return Err(Misused::after(used.place, used.by, place, by));
    }
    if let Some(used) = block.accesses.access(place, true) {
        return Err(Misused { used, freed: access(place, by, true), after: false });
    }
    if let Some(probe) = &block.probe {
        IS_PROBED.set(true);
        probe.with_mut(|_| ());
        IS_PROBED.set(false);
    }
    FREED.with(|freed| freed.borrow_mut().insert(address, Freed { layout: block.layout, place, by, free }));
    Ok(true)
}

fn is_in(at: usize, layout: Layout, address: usize) -> bool {
    (at..at + layout.size()).contains(&address)
}
