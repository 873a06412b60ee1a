//! Loops that wait for another thread, whether they say so or not.
//!
//! A thread that reads the same again and again, and changes nothing in between, waits for another one. To an engine such
//! a loop has no end: it may go on for ever, or read an old value for ever. So after some identical reads the thread yields
//! before the next one, as if the loop had a hint in it: others get their turn, and it reads what is new.

use super::{Engine, Number, engine, threads};
use std::{cell::RefCell, panic::Location};

/// After how many identical reads a thread yields.
const READS_MAX: u32 = 3;
/// The same of locks that are taken at one place. A thread may have a reason to take a lock often; only a loop without end
/// does it as often as this and nothing else.
const LOCKS_MAX: u32 = 32;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Read {
    place: *const Location<'static>,
    object: (&'static str, Number),
    value: u64,
    /// How many times one after the other.
    times: u32,
    /// After how many times the thread yields.
    most: u32,
}

thread_local! {
    /// What each thread read since it last changed something.
    static READS: RefCell<Vec<Vec<Read>>> = const { RefCell::new(vec![]) };
}

/// An execution begins.
pub(super) fn forget() {
    READS.with(|reads| reads.borrow_mut().iter_mut().for_each(Vec::clear));
}

/// The running thread is about to read an object, or to take a lock: it yields first if it has done so too often, and this
/// says so.
#[inline]
pub(crate) fn yields(place: &'static Location<'static>, kind: &'static str, number: Number) -> bool {
    let is_over =
        |read: &Read| std::ptr::eq(read.place, place) && read.object == (kind, number) && read.times >= read.most;
    let yields = with(|reads| reads.iter().any(is_over)) == Some(true);
    if yields {
        match engine() {
            Engine::Loom => ::loom::thread::yield_now(),
            Engine::Shuttle => ::shuttle::thread::yield_now(),
            Engine::Std => {}
        }
    }
    yields
}

/// The running thread read this.
#[inline]
pub(crate) fn read(place: &'static Location<'static>, kind: &'static str, number: Number, value: u64) {
    saw(Read { place, object: (kind, number), value, times: 1, most: READS_MAX });
}

/// The running thread took a lock.
#[inline]
pub(crate) fn locked(place: &'static Location<'static>, kind: &'static str, number: Number) {
    saw(Read { place, object: (kind, number), value: 0, times: 1, most: LOCKS_MAX });
}

fn saw(read: Read) {
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

/// The running thread changed something.
#[inline]
pub(super) fn changed() {
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
