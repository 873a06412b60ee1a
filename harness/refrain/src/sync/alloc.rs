//! Tracked allocation: leaks, double frees and uses after free are verdicts. Freeing requires unsafe code.

use crate::{
    event::step::{self, Operation},
    interleaving::{
        self, Engine, fail_with,
        log::{self, Number, log_effect},
        memory::{self, Key, Misuse, Uses},
        pending::Effect,
    },
    verdict::{Class, Detail, Property},
};
use std::{
    panic::Location,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread::panicking,
};

#[doc(no_inline)]
pub use std::alloc::Layout;

/// Records that the running thread uses an object while the guard exists. Does not return if the object was freed.
#[inline]
#[must_use = "the use ends when this is dropped"]
pub(super) fn uses<T>(object: &T, effect: Effect, place: &'static Location<'static>) -> InUse {
    InUse(memory::uses(object, effect, place).unwrap_or_else(|misused| used_after_free(misused)))
}

/// An operation on an object, while it is in progress.
pub(super) struct InUse(Uses);

impl Drop for InUse {
    fn drop(&mut self) {
        // The threads of an abandoned execution unwind, in any order.
        if let Err(misused) = self.0.end()
            && !panicking()
        {
            used_after_free(misused);
        }
    }
}

fn used_after_free(misused: Misuse) -> ! {
    let place = misused.place();
    fail_with(Class::UseAfterFree, Property::NotUsedAfterFree, place, misused.detail())
}

fn is_model() -> bool {
    interleaving::engine() != Engine::Std
}

/// A value that must be dropped before its execution ends.
#[derive(Debug)]
pub struct Track<T> {
    value: T,
    /// TrackedGuard for its destructor.
    _kept: TrackedGuard,
}

#[derive(Debug)]
struct TrackedGuard {
    key: Key,
    number: Number,
    place: &'static Location<'static>,
}

impl<T> Track<T> {
    /// Tracks a value.
    #[track_caller]
    pub fn new(value: T) -> Track<T> {
        let (number, place) = (log::number("track"), Location::caller());
        log_effect(place, || Operation::Track { id: number, what: step::Track::New });
        Track { value, _kept: TrackedGuard::new(Key::Track, number, place) }
    }

    /// Tracks the contents of an `Arc`, dropped with its last reference.
    pub(super) fn of_arc(value: T, number: Number, place: &'static Location<'static>) -> Track<T> {
        Track { value, _kept: TrackedGuard::new(Key::Arc, number, place) }
    }

    /// Returns a reference to the value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// Returns a mutable reference to the value.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Returns the value, which is no longer tracked.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl TrackedGuard {
    fn new(key: fn(u64) -> Key, number: Number, place: &'static Location<'static>) -> TrackedGuard {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = key(NEXT.fetch_add(1, Relaxed));
        if is_model() {
            memory::tracked(key, place);
        }
        TrackedGuard { key, number, place }
    }
}

impl Drop for TrackedGuard {
    fn drop(&mut self) {
        if is_model() {
            memory::dropped(self.key);
        }
        let id = self.number;
        log_effect(self.place, || match self.key {
            Key::Arc(_) => Operation::Arc { id, what: step::Arc::Drop },
            Key::Track(_) => Operation::Track { id, what: step::Track::Drop },
        });
    }
}

/// Like `std::alloc::alloc`.
///
/// # Safety
/// See `std::alloc::alloc`.
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: guaranteed by the caller.
    let memory = unsafe { std::alloc::alloc(layout) };
    let place = Location::caller();
    if is_model() {
        memory::allocated(memory.addr(), layout, place);
    }
    log_effect(place, || {
        Operation::Memory(step::Memory::Alloc { bytes: layout.size(), pointer: log::pointer(memory.addr()) })
    });
    memory
}

/// Like `std::alloc::dealloc`. In a model, freeing memory that is not allocated or that another thread uses is a
/// verdict, and the memory is not freed.
///
/// # Safety
/// See `std::alloc::dealloc`.
#[track_caller]
pub unsafe fn dealloc(memory: *mut u8, layout: Layout) {
    let place = Location::caller();
    log_effect(place, || Operation::Memory(step::Memory::Dealloc { pointer: log::pointer(memory.addr()) }));
    // SAFETY: guaranteed by the caller. In a model this is called once, after the execution, because freed memory is
    // not freed again.
    let free = move || unsafe { std::alloc::dealloc(memory, layout) };
    if !is_model() {
        return free();
    }
    if !memory::freed(memory.addr(), place, Box::new(free)).unwrap_or_else(|misused| used_after_free(misused)) {
        fail_with(Class::DoubleFree, Property::FreedOnce, log::shown(place), Detail::NotAllocated)
    }
}
