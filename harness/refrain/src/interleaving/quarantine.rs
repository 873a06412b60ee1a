//! What the threads of a model free through the allocator of the process, as a `Box` does.
//!
//! It is kept until the next execution begins: so an operation on an object in it is known by its address, and what is freed
//! again is known, too. Who freed it first is known by a second execution, which takes the backtrace of that one free.

use super::log;
use crate::{
    engine::frames::{Hidden, frames},
    verdict::{self, Access, Actor, Class, Detail, Failure, Property},
};
use std::{
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    sync::OnceLock,
};
use tokio::control::quarantine;

/// What is between an engine and the model's threads.
const HIDDEN: Hidden = Hidden {
    packages: &["corosensei-", "generator-", "loom-", "scoped-tls-", "shuttle-", "shuttle-engine-", "shuttle-std-"],
    crates: &["corosensei", "generator", "loom", "shuttle", "shuttle_engine", "shuttle_std"],
};

thread_local! {
    /// The address whose free is wanted, as given by the execution before.
    static LOCATED: Cell<Option<usize>> = const { Cell::new(None) };
    /// The thread that freed it last, and the backtrace.
    static FREE: RefCell<Option<(usize, Backtrace)>> = const { RefCell::new(None) };
    /// The same, for another execution.
    static WANTED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What ends the execution with a failure.
static FAIL: OnceLock<fn(Failure) -> !> = OnceLock::new();

/// Lets the thread of the engine keep what it frees. A second free is passed to `fail`.
pub(super) fn begin(fail: fn(Failure) -> !) {
    let _ = FAIL.set(fail);
    quarantine::begin(quarantine::Freed { again: freed_again, kept });
}

/// Takes the backtrace of the free of this address in the next execution.
pub(super) fn locate(address: Option<u64>) {
    LOCATED.set(address.map(|address| address as usize));
}

/// Returns the address whose free must be located by another execution.
pub(super) fn wanted() -> Option<u64> {
    WANTED.get().map(|address| address as u64)
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    quarantine::reuse();
}

/// Returns who freed the memory at an address, if it is freed.
#[inline]
pub(super) fn freed(address: usize) -> Option<Access> {
    quarantine::is_freed(address).then(|| by(address))
}

#[cold]
fn by(address: usize) -> Access {
    let (thread, place) = match FREE.take() {
        Some((thread, stack)) => (thread, frames(&stack, HIDDEN).1),
        None => {
            WANTED.set(Some(address));
            (0, None)
        }
    };
    Access { thread, place, writes: true }
}

fn kept(address: usize, len: usize) {
    if LOCATED.get().is_some_and(|located| (address..address + len).contains(&located)) && log::records() {
        FREE.set(Some((log::last(), Backtrace::force_capture())));
    }
}

/// Fails the execution: nothing that is read afterwards could be relied on.
fn freed_again(address: usize) -> ! {
    let (frames, place) = frames(&Backtrace::force_capture(), HIDDEN);
    let before = quarantine::is_freed(address).then(|| Box::new(by(address)));
    let (by, backtrace) = (Box::new(Actor::Thread(log::last())), Box::new(verdict::Backtrace { frames }));
    let detail = Detail::FreedAgain { by, backtrace, before };
    let fail = FAIL.get().expect("it is set at the beginning");
    fail(Failure { class: Class::DoubleFree, property: Property::FreedOnce, place, detail, causes: vec![] })
}
