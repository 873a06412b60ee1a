//! Allocation that is tracked: what is never freed, and what is freed twice, is a verdict. The one place with unsafe code
//! beside the processes: freeing is.

use crate::{
    interleaving::{
        self, Engine,
        log::{self, Number, did},
        memory::{Key, allocated, freed},
        wrong,
    },
    verdict::{Class, Detail, Property},
};
use std::{
    panic::Location,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

#[doc(no_inline)]
pub use std::alloc::Layout;

fn is_model() -> bool {
    interleaving::engine() != Engine::Std
}

/// A value that must be dropped before its execution ends.
#[derive(Debug)]
pub struct Track<T> {
    value: T,
    /// For what it does when it is dropped.
    _kept: Kept,
}

#[derive(Debug)]
struct Kept {
    key: Key,
    number: Number,
    place: &'static Location<'static>,
}

impl<T> Track<T> {
    /// Tracks a value.
    #[track_caller]
    pub fn new(value: T) -> Track<T> {
        let (number, place) = (log::number("track"), Location::caller());
        did(place, || format!("track{number} = Track::new"));
        Track { value, _kept: Kept::new(Key::Track, number, place) }
    }

    /// What a counted reference shares, dropped with the last of them.
    pub(super) fn of_arc(value: T, number: Number, place: &'static Location<'static>) -> Track<T> {
        Track { value, _kept: Kept::new(Key::Arc, number, place) }
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, tracked no more.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl Kept {
    fn new(key: fn(u64) -> Key, number: Number, place: &'static Location<'static>) -> Kept {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = key(NEXT.fetch_add(1, Relaxed));
        if is_model() {
            allocated(key, place);
        }
        Kept { key, number, place }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if is_model() {
            freed(self.key);
        }
        let what = if let Key::Arc(_) = self.key { "arc" } else { "track" };
        did(self.place, || format!("{what}{} dropped", self.number));
    }
}

/// As `std::alloc::alloc`.
///
/// # Safety
/// As there.
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's.
    let memory = unsafe { std::alloc::alloc(layout) };
    let place = Location::caller();
    if is_model() {
        allocated(Key::Memory(memory.addr()), place);
    }
    did(place, || format!("alloc({}) -> {}", layout.size(), log::pointer(memory.addr())));
    memory
}

/// As `std::alloc::dealloc`. In a model, what is not allocated is not freed: that is the verdict.
///
/// # Safety
/// As there.
#[track_caller]
pub unsafe fn dealloc(memory: *mut u8, layout: Layout) {
    let place = Location::caller();
    did(place, || format!("dealloc({})", log::pointer(memory.addr())));
    if is_model() && !freed(Key::Memory(memory.addr())) {
        wrong(Class::DoubleFree, Property::FreedOnce, log::shown(place), Detail::NotAllocated)
    }
    // SAFETY: the caller's.
    unsafe { std::alloc::dealloc(memory, layout) }
}
