//! The allocations of an execution: where they were made, who uses them, and who freed them.
//!
//! Memory that a model frees is kept until its execution ends. So it is not allocated again, an operation on an object
//! in it is recognised by its address, and reading the object is still valid.

use super::{
    Engine,
    clocks::Accesses,
    engine, foreign, log,
    pending::{self, Effect},
    quarantine, threads,
};
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

/// A source location.
type At = &'static Location<'static>;

/// The key of a tracked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The contents of an `Arc`.
    Arc(u64),
    /// A tracked value.
    Track(u64),
}

/// An allocated block of memory.
struct Block {
    layout: Layout,
    place: At,
    /// Detects uses that are unordered with the free, by the sampling engine's clocks.
    accesses: Accesses,
    /// The same by the exhaustive engine's own race detection: it does not explore both orders of a use and a free that
    /// are unordered.
    probe: Option<::loom::cell::UnsafeCell<()>>,
}

/// Freed memory.
struct Freed {
    layout: Layout,
    place: At,
    by: usize,
    /// Returns it to the allocator.
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
    /// The live tracked values, and where they were created.
    static VALUES: RefCell<BTreeMap<Key, At>> = const { RefCell::new(BTreeMap::new()) };
    /// Whether the execution has allocated any memory. Checked first, because everything here costs time.
    static IS_NEEDED: Cell<bool> = const { Cell::new(false) };
    static LIVE: RefCell<BTreeMap<usize, Block>> = const { RefCell::new(BTreeMap::new()) };
    static FREED: RefCell<BTreeMap<usize, Freed>> = const { RefCell::new(BTreeMap::new()) };
    static USES: RefCell<(u64, Vec<Use>)> = const { RefCell::new((0, vec![])) };
    /// Whether the engine is being asked if all uses of some memory are ordered before its free.
    static IS_PROBED: Cell<bool> = const { Cell::new(false) };
}

/// A use of memory that was freed, or that is unordered with its free.
#[derive(Debug, Clone)]
pub(crate) struct Misuse {
    used: Access,
    freed: Access,
    after: bool,
}

impl Misuse {
    fn after(used: At, user: usize, freed: At, by: usize) -> Misuse {
        Misuse { used: access(used, user, false), freed: access(freed, by, true), after: true }
    }

    /// Returns the location of the use.
    pub fn place(&self) -> Option<Place> {
        self.used.place.clone()
    }

    /// Returns the details for a verdict.
    pub fn detail(self) -> Detail {
        let Misuse { used, freed, after } = self;
        Detail::FreedUsed { used, freed, after }
    }
}

fn access(place: At, thread: usize, writes: bool) -> Access {
    Access { thread, place: log::shown(place), writes }
}

/// An operation on an object, while it is in progress.
pub(crate) struct Uses {
    /// Its number, if it is of an object in tracked memory.
    nth: Option<u64>,
    address: usize,
    place: At,
}

/// Returns whether two unordered accesses that the engine reports now are a use and a free.
pub(super) fn is_probed() -> bool {
    IS_PROBED.get()
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    IS_NEEDED.set(false);
    VALUES.with(|values| values.borrow_mut().clear());
    LIVE.with(|live| live.borrow_mut().clear());
    USES.with(|uses| uses.borrow_mut().1.clear());
    let freed = FREED.with(|freed| std::mem::take(&mut *freed.borrow_mut()));
    freed.into_values().for_each(|freed| (freed.free)());
}

/// Records the creation of a tracked value.
pub(crate) fn tracked(key: Key, place: At) {
    VALUES.with(|values| values.borrow_mut().insert(key, place));
}

/// Records that a tracked value was dropped.
pub(crate) fn dropped(key: Key) {
    VALUES.with(|values| values.borrow_mut().remove(&key));
}

/// Returns what is still allocated, if anything, and where it was allocated.
pub(super) fn first_live() -> Option<(Allocation, At)> {
    let value = VALUES.with(|values| {
        values.borrow().iter().next().map(|(key, place)| match key {
            Key::Arc(_) => (Allocation::Arc, *place),
            Key::Track(_) => (Allocation::Track, *place),
        })
    });
    value.or_else(|| LIVE.with(|live| live.borrow().values().next().map(|block| (Allocation::Memory, block.place))))
}

/// Records that the running thread uses an object.
///
/// # Errors
/// Fails if the object is in freed memory.
#[inline]
pub(crate) fn uses<T>(object: &T, effect: Effect, place: At) -> Result<Uses, Misuse> {
    let address = (&raw const *object).addr();
    foreign::uses(address);
    pending::begin(address, effect);
    is_not_freed(address, place)?;
    let nth = if IS_NEEDED.get() { uses_at(address, place)? } else { None };
    Ok(Uses { nth, address, place })
}

/// Fails if an address is in memory that was freed through the allocator of the process.
#[inline]
fn is_not_freed(address: usize, place: At) -> Result<(), Misuse> {
    match quarantine::freed(address) {
        Some(freed) => Err(Misuse { used: access(place, threads::running(), false), freed, after: true }),
        None => Ok(()),
    }
}

fn uses_at(address: usize, place: At) -> Result<Option<u64>, Misuse> {
    let by = threads::running();
    FREED.with(|freed| match freed.borrow().range(..=address).next_back() {
        Some((at, freed)) if is_in(*at, freed.layout, address) => Err(Misuse::after(place, by, freed.place, freed.by)),
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
    Ok(nth)
}

impl Uses {
    /// Ends the use.
    ///
    /// # Errors
    /// Fails if the object was freed meanwhile: an operation takes effect after its scheduling point.
    pub fn end(&self) -> Result<(), Misuse> {
        pending::end();
        if let Some(nth) = self.nth {
            USES.with(|uses| uses.borrow_mut().1.retain(|other| other.nth != nth));
        }
        is_not_freed(self.address, self.place)
    }
}

/// Records an allocation of the running thread.
pub(crate) fn allocated(address: usize, layout: Layout, place: At) {
    IS_NEEDED.set(true);
    let probe = (engine() == Engine::Loom).then(|| ::loom::cell::UnsafeCell::new(()));
    let mut accesses = Accesses::default();
    accesses.access(place, true);
    LIVE.with(|live| live.borrow_mut().insert(address, Block { layout, place, accesses, probe }));
}

/// Records that the running thread frees memory; it is returned to the allocator later. Returns whether it was
/// allocated.
///
/// # Errors
/// Fails if another thread is using it, or a use is unordered with the free.
pub(crate) fn freed(address: usize, place: At, free: Box<dyn FnOnce()>) -> Result<bool, Misuse> {
    let Some(mut block) = LIVE.with(|live| live.borrow_mut().remove(&address)) else { return Ok(false) };
    let by = threads::running();
    let is_used = |used: &&Use| used.by != by && is_in(address, block.layout, used.address);
    if let Some(used) = USES.with(|uses| uses.borrow().1.iter().find(is_used).copied()) {
        return Err(Misuse::after(used.place, used.by, place, by));
    }
    if let Some(used) = block.accesses.access(place, true) {
        return Err(Misuse { used, freed: access(place, by, true), after: false });
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
