//! Vector clocks of the threads, which define the happens-before order of memory accesses.
//!
//! The exhaustive engine detects data races by itself; these clocks identify the two accesses. The sampling engine
//! detects none: there the clocks do, for any number of threads.

pub(crate) use super::seq_cst::Through;
use super::{Engine, Number, engine, log, old, seq_cst};
use crate::verdict::Access;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::Location,
    sync::atomic::Ordering::{self, *},
};

/// A vector clock: how many events of each thread happened before, and which store of each atomic has been seen.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Clock {
    threads: Vec<u32>,
    /// The numbers of the newest stores, counted from 1, while loads may read old ones.
    seen: Vec<u32>,
}

/// The accesses of a memory location that a later access may race with: the last write, and each thread's last read
/// since.
#[derive(Debug, Default)]
pub(crate) struct Accesses(Vec<PastAccess>);

#[derive(Debug, Clone, Copy)]
struct PastAccess {
    thread: usize,
    /// The value of its thread's own clock.
    at: u32,
    place: &'static Location<'static>,
    writes: bool,
}

#[derive(Debug, Default)]
struct Clocks {
    threads: Vec<Thread>,
    handed_on: BTreeMap<Through, Clock>,
    /// The stores that `SeqCst` operations have seen, which come before a later `SeqCst` fence.
    ordered: Vec<u32>,
}

#[derive(Debug, Default)]
struct Thread {
    clock: Clock,
    /// The clock at its last release fence, which later stores publish.
    released: Clock,
    /// The clocks of stores that it read without acquiring; its next acquire fence joins them.
    unacquired: Clock,
}

thread_local! {
    static CLOCKS: RefCell<Clocks> = RefCell::default();
}

/// Resets the clocks for a new execution.
pub(super) fn forget() {
    CLOCKS.with(|clocks| *clocks.borrow_mut() = Clocks::default());
}

/// Returns whether clocks are maintained. The exhaustive engine needs none while it searches.
#[inline]
pub(crate) fn watches() -> bool {
    engine() == Engine::Shuttle || log::records()
}

/// Records that the running thread releases through an object.
#[inline]
pub(crate) fn release(through: Through) {
    seq_cst::release(through);
    with(|clocks, nth| {
        let clock = clocks.threads[nth].clock.clone();
        clocks.handed_on.entry(through).or_default().join(&clock);
        clocks.threads[nth].clock.tick(nth);
    });
}

/// Records that the running thread acquires through an object.
#[inline]
pub(crate) fn acquire(through: Through) {
    seq_cst::acquire(through);
    with(|Clocks { threads, handed_on, .. }, nth| {
        if let Some(clock) = handed_on.get(&through) {
            threads[nth].clock.join(clock);
        }
    });
}

/// The first thread that calls this releases; all others acquire.
#[inline]
pub(crate) fn release_once(through: Through) {
    if watches() {
        let is_first = CLOCKS.with(|clocks| !clocks.borrow().handed_on.contains_key(&through));
        if is_first { release(through) } else { acquire(through) }
    }
}

/// Records a fence of the running thread.
#[inline]
pub(crate) fn fence(order: Ordering) {
    seq_cst::fence(order);
    with(|clocks, nth| {
        let Thread { clock, released, unacquired } = &mut clocks.threads[nth];
        if matches!(order, Acquire | AcqRel | SeqCst) {
            clock.join(unacquired);
        }
        if order == SeqCst {
            old::fence();
            join(&mut clock.seen, &clocks.ordered);
            clocks.ordered.clone_from(&clock.seen);
        }
        if matches!(order, Release | AcqRel | SeqCst) {
            released.clone_from(clock);
            clock.tick(nth);
        }
    });
}

/// Records that the running thread read a store that publishes this clock.
#[inline]
pub(crate) fn read(order: Ordering, store: &Clock) {
    with(|clocks, nth| {
        let thread = &mut clocks.threads[nth];
        let acquires = matches!(order, Acquire | AcqRel | SeqCst);
        if acquires { &mut thread.clock } else { &mut thread.unacquired }.join(store);
    });
}

/// Updates the clock that a store of the running thread publishes. A read-modify-write continues the release sequence
/// of the store that it read.
#[inline]
pub(crate) fn store(order: Ordering, hands_on: &mut Clock) {
    with(|clocks, nth| {
        let thread = &mut clocks.threads[nth];
        if matches!(order, Release | AcqRel | SeqCst) {
            hands_on.join(&thread.clock);
            thread.clock.tick(nth);
        } else {
            hands_on.join(&thread.released);
        }
    });
}

/// Records that the running thread made the store of this number of an atomic, or read it or an older one.
#[inline]
pub(crate) fn saw(atomic: Number, store: usize, order: Ordering) {
    if !old::is_enabled() {
        return;
    }
    let store = u32::try_from(store).unwrap_or(u32::MAX);
    with(|clocks, nth| {
        see(&mut clocks.threads[nth].clock.seen, atomic, store);
        if order == SeqCst {
            see(&mut clocks.ordered, atomic, store);
        }
    });
}

/// Returns the number of the newest store of an atomic that the running thread must have seen; 0 if there is none.
#[inline]
pub(crate) fn seen(atomic: Number) -> usize {
    with(|clocks, nth| clocks.threads[nth].clock.seen.get(atomic as usize).copied().unwrap_or(0) as usize).unwrap_or(0)
}

#[inline]
fn with<R>(f: impl FnOnce(&mut Clocks, usize) -> R) -> Option<R> {
    if !watches() {
        return None;
    }
    let nth = log::thread();
    CLOCKS.with(|clocks| {
        let mut clocks = clocks.borrow_mut();
        while clocks.threads.len() <= nth {
            let mut thread = Thread::default();
            // Other threads do not know it yet, which a clock of 0 expresses.
            thread.clock.tick(clocks.threads.len());
            clocks.threads.push(thread);
        }
        Some(f(&mut clocks, nth))
    })
}

impl Clock {
    /// Resets the clock.
    pub fn clear(&mut self) {
        self.threads.clear();
        self.seen.clear();
    }

    fn at(&self, thread: usize) -> u32 {
        self.threads.get(thread).copied().unwrap_or(0)
    }

    fn tick(&mut self, thread: usize) {
        grow(&mut self.threads, thread + 1);
        self.threads[thread] += 1;
    }

    fn join(&mut self, other: &Clock) {
        join(&mut self.threads, &other.threads);
        join(&mut self.seen, &other.seen);
    }
}

fn join(own: &mut Vec<u32>, others: &[u32]) {
    grow(own, others.len());
    own.iter_mut().zip(others).for_each(|(own, other)| *own = (*own).max(*other));
}

fn see(seen: &mut Vec<u32>, atomic: Number, store: u32) {
    let atomic = atomic as usize;
    grow(seen, atomic + 1);
    seen[atomic] = seen[atomic].max(store);
}

fn grow(numbers: &mut Vec<u32>, len: usize) {
    if numbers.len() < len {
        numbers.resize(len, 0);
    }
}

impl Accesses {
    /// Records an access of the running thread. Returns the access of another thread that it races with, if any.
    pub fn access(&mut self, place: &'static Location<'static>, writes: bool) -> Option<Access> {
        with(|clocks, thread| {
            let own = &clocks.threads[thread].clock;
            let races = |other: &&PastAccess| (writes || other.writes) && own.at(other.thread) < other.at;
            let race = self.0.iter().find(races).copied();
            let access = PastAccess { thread, at: own.at(thread), place, writes };
            self.0.retain(|other| !writes && (other.writes || other.thread != thread));
            self.0.push(access);
            race.map(|PastAccess { thread, place, writes, .. }| Access { thread, place: log::shown(place), writes })
        })
        .flatten()
    }
}
