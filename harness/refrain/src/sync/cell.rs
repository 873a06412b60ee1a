//! A cell that sees who accesses it.

use super::{On, loom, on};
use crate::interleaving::log::{self, Number, did};
use std::{fmt, panic::Location};

/// As `std::cell::UnsafeCell`, but an access is a closure: `std` cannot tell when one ends.
///
/// In production the same two methods are those of a wrapper, in the module that takes the place of [`crate::sync`]:
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
/// Under loom two accesses that nothing orders, one of them writing, are a data race. shuttle sees none.
pub struct UnsafeCell<T> {
    raw: On<loom::cell::UnsafeCell<T>, std::cell::UnsafeCell<T>, std::cell::UnsafeCell<T>>,
    number: Number,
}

impl<T> UnsafeCell<T> {
    /// As in `std`, but not `const`.
    #[track_caller]
    pub fn new(value: T) -> UnsafeCell<T> {
        let raw = on!(
            loom::cell::UnsafeCell::new(value),
            std::cell::UnsafeCell::new(value),
            std::cell::UnsafeCell::new(value)
        );
        let number = log::number("cell");
        did(Location::caller(), || format!("cell{number} = UnsafeCell::new"));
        UnsafeCell { raw, number }
    }

    /// Reads through the pointer.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        did(Location::caller(), || format!("cell{}.with()", self.number));
        match &self.raw {
            On::Loom(raw) => raw.with(f),
            On::Shuttle(raw) | On::Std(raw) => f(raw.get()),
        }
    }

    /// Writes through the pointer.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        did(Location::caller(), || format!("cell{}.with_mut()", self.number));
        match &self.raw {
            On::Loom(raw) => raw.with_mut(f),
            On::Shuttle(raw) | On::Std(raw) => f(raw.get()),
        }
    }

    /// As in `std`: nobody else has it.
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
