//! Detects spin loops, with or without a spin hint.
//!
//! A thread that repeats the same read without changing anything in between waits for another thread. For an engine
//! such a loop is unbounded: it may continue forever, or read an old value forever. So after some identical reads the
//! thread yields before the next one, as if the loop contained a spin hint: other threads run, and it reads the newest
//! value.

use super::{Engine, Number, engine, stuck, threads};
use std::{cell::RefCell, panic::Location};

/// Number of identical reads after which a thread yields.
const READS_MAX: u32 = 3;
/// The same for locks taken at the same place. A thread may have a reason to take a lock often, but only a spin loop
/// takes it this often without doing anything else.
const LOCKS_MAX: u32 = 32;

/// A read.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Read {
    place: *const Location<'static>,
    object: (&'static str, Number),
    value: u64,
    /// Number of consecutive repetitions.
    times: u32,
    /// Number of repetitions after which the thread yields.
    times_max: u32,
}

thread_local! {
    /// Each thread's reads since it last changed something.
    static READS: RefCell<Vec<Vec<Read>>> = const { RefCell::new(vec![]) };
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    READS.with(|reads| reads.borrow_mut().iter_mut().for_each(Vec::clear));
}

/// Called before the running thread reads an object or takes a lock. If it has done so too often, it yields first, and
/// this returns true.
#[inline]
pub(crate) fn yields(place: &'static Location<'static>, kind: &'static str, number: Number) -> bool {
    let is_over =
        |read: &Read| std::ptr::eq(read.place, place) && read.object == (kind, number) && read.times >= read.times_max;
    let yields = with(|reads| reads.iter().any(is_over)) == Some(true);
    if yields {
        match engine() {
            Engine::Loom => ::loom::thread::yield_now(),
            Engine::Shuttle => ::shuttle::thread::yield_now(),
            Engine::Std => {}
        }
        stuck::yields(place);
    }
    yields
}

/// Records a read of the running thread.
#[inline]
pub(crate) fn read(place: &'static Location<'static>, kind: &'static str, number: Number, value: u64) {
    count_read(Read { place, object: (kind, number), value, times: 1, times_max: READS_MAX });
}

/// Records that the running thread took a lock.
#[inline]
pub(crate) fn locked(place: &'static Location<'static>, kind: &'static str, number: Number) {
    count_read(Read { place, object: (kind, number), value: 0, times: 1, times_max: LOCKS_MAX });
}

fn count_read(read: Read) {
    with(|reads| {
        let earlier =
            reads.iter_mut().find(|other| std::ptr::eq(other.place, read.place) && other.object == read.object);
        match earlier {
            Some(earlier) if earlier.value == read.value => earlier.times += 1,
            Some(earlier) => *earlier = read,
            None => reads.push(read),
        }
    });
}

/// Records that the running thread changed something.
#[inline]
pub(crate) fn changed() {
    with(Vec::clear);
}

#[inline]
fn with<R>(f: impl FnOnce(&mut Vec<Read>) -> R) -> Option<R> {
    if engine() == Engine::Std {
        return None;
    }
    let thread = threads::running();
    READS.with(|reads| {
        let mut reads = reads.borrow_mut();
        if reads.len() <= thread {
            reads.resize(thread + 1, vec![]);
        }
        Some(f(&mut reads[thread]))
    })
}
