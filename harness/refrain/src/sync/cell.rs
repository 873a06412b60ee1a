//! A cell that tracks its accesses.

use super::{On, alloc, loom, on};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        clocks::Accesses,
        fail_with, foreign,
        log::{self, Number, log_effect, log_step},
        pending::Effect,
    },
    verdict::{Access, Class, Detail, Property},
};
use std::{fmt, panic::Location, sync::Mutex};

/// Like `std::cell::UnsafeCell`, but an access is a closure: with `std`'s API the end of an access is unknown.
///
/// In production, a wrapper in the module that replaces [`crate::sync`] has the same two methods:
///
/// ```
/// #[derive(Debug, Default)]
/// pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);
///
/// impl<T> UnsafeCell<T> {
///     pub const fn new(value: T) -> UnsafeCell<T> {
///         UnsafeCell(std::cell::UnsafeCell::new(value))
///     }
///
///     pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
///         f(self.0.get())
///     }
///
///     pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
///         f(self.0.get())
///     }
/// }
/// ```
///
/// Two unsynchronized accesses, at least one of them writing, are a data race.
pub struct UnsafeCell<T> {
    raw: On<loom::cell::UnsafeCell<T>, std::cell::UnsafeCell<T>, std::cell::UnsafeCell<T>>,
    number: Number,
    accesses: Mutex<Accesses>,
    /// Where it was created.
    place: &'static Location<'static>,
}

impl<T> UnsafeCell<T> {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new(value: T) -> UnsafeCell<T> {
        let raw = on!(
            loom::cell::UnsafeCell::new(value),
            std::cell::UnsafeCell::new(value),
            std::cell::UnsafeCell::new(value)
        );
        let (number, place) = (log::number("cell"), Location::caller());
        let mut accesses = Accesses::default();
        accesses.access(place, true);
        log_effect(place, || Operation::Cell { id: number, what: step::Cell::New });
        UnsafeCell { raw, number, accesses: Mutex::new(accesses), place }
    }

    /// Calls `f` with a pointer for reading.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let place = Location::caller();
        let _used = alloc::uses(self, Effect::Read, place);
        log_step(place, || Operation::Cell { id: self.number, what: step::Cell::With });
        self.access(place, false);
        match &self.raw {
            On::Loom(raw) => raw.with(f),
            On::Shuttle(raw) | On::Std(raw) => f(raw.get()),
        }
    }

    /// Calls `f` with a pointer for writing.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let place = Location::caller();
        let _used = alloc::uses(self, Effect::Write, place);
        log_effect(place, || Operation::Cell { id: self.number, what: step::Cell::WithMut });
        self.access(place, true);
        match &self.raw {
            On::Loom(raw) => raw.with_mut(f),
            On::Shuttle(raw) | On::Std(raw) => f(raw.get()),
        }
    }

    /// Records an access. Does not return if it is a data race.
    fn access(&self, place: &'static Location<'static>, writes: bool) {
        if foreign::overlaps() {
            return;
        }
        let race = self.accesses.lock().expect("no thread panics with it").access(place, writes);
        let Some(other) = race else { return };
        let (created, place) = (log::shown(self.place), log::shown(place));
        let access = Access { thread: log::thread(), place, writes };
        let accesses = Box::new([access, other]);
        let detail = Detail::CellRaced { cell: self.number, created: created.clone(), accesses };
        fail_with(Class::DataRace, Property::AccessesOrdered, created, detail)
    }

    /// See `std`: access is exclusive.
    pub fn into_inner(self) -> T {
        match self.raw {
            On::Loom(raw) => raw.into_inner(),
            On::Shuttle(raw) | On::Std(raw) => raw.into_inner(),
        }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> UnsafeCell<T> {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> UnsafeCell<T> {
        UnsafeCell::new(value)
    }
}

impl<T> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}
