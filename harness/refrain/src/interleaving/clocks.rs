//! Vector clocks of the threads, which define the happens-before order of memory accesses.
//!
//! The exhaustive engine detects data races by itself; these clocks identify the two accesses. The sampling engine
//! detects none: there the clocks do, for any number of threads.

pub(crate) use super::seq_cst::Through;
use super::{Engine, engine, log, seq_cst};
use crate::verdict::Access;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::Location,
    sync::atomic::Ordering::{self, *},
};

/// A vector clock: how many events of each thread happened before.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Clock(Vec<u32>);

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
    with(|Clocks { threads, handed_on }, nth| {
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
        self.0.clear();
    }

    fn at(&self, thread: usize) -> u32 {
        self.0.get(thread).copied().unwrap_or(0)
    }

    fn tick(&mut self, thread: usize) {
        self.grow(thread + 1);
        self.0[thread] += 1;
    }

    fn join(&mut self, other: &Clock) {
        self.grow(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own = (*own).max(*other));
    }

    fn grow(&mut self, threads: usize) {
        if self.0.len() < threads {
            self.0.resize(threads, 0);
        }
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
