//! `std::sync::atomic`: the atomics of `std`, whose operations a model performs.
//!
//! An atomic has the layout of that of `std`, because dependencies convert pointers to one into pointers to the other.
//! So what a model knows about it is kept by the model, for its address. The memory has the newest value, which moves
//! with the atomic.

mod pointer;

pub use ::std::sync::atomic::*;

use crate::model::{self, Exchange, Found, Model, Place, Type};
use std::{fmt, panic::Location, sync::atomic};

/// Like `std::sync::atomic::fence`.
#[inline]
#[track_caller]
pub fn fence(order: Ordering) {
    match model::current() {
        Some(model) => model.fence(order, Location::caller()),
        None => atomic::fence(order),
    }
}

/// Tells the model that an atomic is dropped. It has no size, and is the atomic's first field: its address is the
/// atomic's.
struct Dropped;

impl Drop for Dropped {
    #[inline]
    fn drop(&mut self) {
        if let Some(model) = model::current() {
            model.dropped((&raw const *self).addr());
        }
    }
}

/// Finds an atomic in a model. Its memory gets the value that it has there.
#[inline]
fn found<T: Copy>(model: &dyn Model, found: Found, of_bits: fn(u64) -> T, restore: impl FnOnce(T)) -> usize {
    let atomic = model.atomic(found);
    if atomic.value != found.value {
        restore(of_bits(atomic.value));
    }
    atomic.id
}

/// Implements what all atomics have.
macro_rules! common {
    ($name:ident<$($t:ident)?>, $value:ty, $of:ident, $to_bits:expr, $of_bits:expr) => {
        impl<$($t)?> $name<$($t)?> {
            /// See `std`.
            #[inline]
            pub const fn new(value: $value) -> Self {
                Self { _dropped: Dropped, raw: atomic::$name::new(value) }
            }

            /// See `std`.
            ///
            /// # Safety
            /// See `std`.
            #[inline]
            pub const unsafe fn from_ptr<'a>(pointer: *mut $value) -> &'a Self {
                // SAFETY: guaranteed by the caller; the layouts are the same.
                unsafe { &*pointer.cast() }
            }

            /// See `std`.
            #[inline]
            pub const fn as_ptr(&self) -> *mut $value {
                self.raw.as_ptr()
            }

            /// See `std`: access is exclusive.
            #[inline]
            pub fn get_mut(&mut self) -> &mut $value {
                self.raw.get_mut()
            }

            /// See `std`: access is exclusive.
            #[inline]
            pub fn into_inner(self) -> $value {
                self.raw.load(Ordering::Relaxed)
            }

            #[inline]
            fn found(&self, model: &dyn Model, place: Place) -> usize {
                let to_bits: fn($value) -> u64 = $to_bits;
                let value = to_bits(self.raw.load(Ordering::Relaxed));
                let at = Found { address: (&raw const *self).addr(), of: Type::$of, value, place };
                found(model, at, $of_bits, |value| self.raw.store(value, Ordering::Relaxed))
            }

            #[inline]
            fn exchange(&self, model: &dyn Model, by: Exchange, value: $value, order: Ordering, place: Place) -> $value {
                let (to_bits, of_bits): (fn($value) -> u64, fn(u64) -> $value) = ($to_bits, $of_bits);
                of_bits(model.exchange(self.found(model, place), by, to_bits(value), order, place))
            }

            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.load_at(order, Location::caller())
            }

            #[inline]
            pub(crate) fn load_at(&self, order: Ordering, place: Place) -> $value {
                let Some(model) = model::current() else { return self.raw.load(order) };
                let of_bits: fn(u64) -> $value = $of_bits;
                of_bits(model.load(self.found(model, place), order, place))
            }

            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.store_at(value, order, Location::caller());
            }

            #[inline]
            pub(crate) fn store_at(&self, value: $value, order: Ordering, place: Place) {
                let Some(model) = model::current() else { return self.raw.store(value, order) };
                let to_bits: fn($value) -> u64 = $to_bits;
                model.store(self.found(model, place), to_bits(value), order, place);
                self.raw.store(value, Ordering::Relaxed);
            }

            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.swap_at(value, order, Location::caller())
            }

            #[inline]
            pub(crate) fn swap_at(&self, value: $value, order: Ordering, place: Place) -> $value {
                let Some(model) = model::current() else { return self.raw.swap(value, order) };
                let was = self.exchange(model, Exchange::Swap, value, order, place);
                self.raw.store(value, Ordering::Relaxed);
                was
            }

            /// See `std`.
            ///
            /// # Errors
            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange_at((current, new), (success, failure), Location::caller())
            }

            #[inline]
            pub(crate) fn compare_exchange_at(
                &self,
                (current, new): ($value, $value),
                (success, failure): (Ordering, Ordering),
                place: Place,
            ) -> Result<$value, $value> {
                let Some(model) = model::current() else {
                    return self.raw.compare_exchange(current, new, success, failure);
                };
                let (to_bits, of_bits): (fn($value) -> u64, fn(u64) -> $value) = ($to_bits, $of_bits);
                let values = (to_bits(current), to_bits(new));
                let was = model.compare_exchange(self.found(model, place), values, (success, failure), place);
                if was.is_ok() {
                    self.raw.store(new, Ordering::Relaxed);
                }
                was.map(of_bits).map_err(of_bits)
            }

            /// See `std`. In a model it never fails spuriously.
            ///
            /// # Errors
            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                match model::current() {
                    Some(_) => self.compare_exchange(current, new, success, failure),
                    None => self.raw.compare_exchange_weak(current, new, success, failure),
                }
            }

            /// See `std`.
            #[inline]
            #[track_caller]
            #[deprecated = "as in `std`"]
            pub fn compare_and_swap(&self, current: $value, new: $value, order: Ordering) -> $value {
                let failure = match order {
                    Ordering::Release => Ordering::Relaxed,
                    Ordering::AcqRel => Ordering::Acquire,
                    order => order,
                };
                self.compare_exchange(current, new, order, failure).unwrap_or_else(|was| was)
            }

            /// See `std`.
            ///
            /// # Errors
            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut was = self.load(fetch_order);
                while let Some(new) = f(was) {
                    match self.compare_exchange_weak(was, new, set_order, fetch_order) {
                        Ok(was) => return Ok(was),
                        Err(is) => was = is,
                    }
                }
                Err(was)
            }
        }

        impl<$($t)?> $name<$($t)?> {
            /// See `std`.
            ///
            /// # Errors
            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                self.fetch_update(set_order, fetch_order, f)
            }

            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                let updated = self.fetch_update(set_order, fetch_order, |was| Some(f(was)));
                updated.unwrap_or_else(|was| was)
            }
        }

        impl<$($t)?> From<$value> for $name<$($t)?> {
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl<$($t)?> fmt::Debug for $name<$($t)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.raw.fmt(f)
            }
        }
    };
}

/// Implements read-modify-writes.
macro_rules! fetches {
    ($name:ident, $value:ty, [$($operation:ident $by:ident),*]) => {
        impl $name {$(
            /// See `std`.
            #[inline]
            #[track_caller]
            pub fn $operation(&self, value: $value, order: Ordering) -> $value {
                let Some(model) = model::current() else { return self.raw.$operation(value, order) };
                let was = self.exchange(model, Exchange::$by, value, order, Location::caller());
                self.raw.$operation(value, Ordering::Relaxed);
                was
            }
        )*}
    };
}

macro_rules! words {
    ($($name:ident $value:ident $of:ident $to_bits:expr, $of_bits:expr, $fetches:tt;)*) => {$(
        #[doc = concat!("As `std::sync::atomic::", stringify!($name), "`.")]
        #[repr(C)]
        pub struct $name {
            _dropped: Dropped,
            raw: atomic::$name,
        }

        common!($name<>, $value, $of, $to_bits, $of_bits);
        fetches!($name, $value, $fetches);

        impl Default for $name {
            fn default() -> Self {
                Self::new(Default::default())
            }
        }
    )*};
}

macro_rules! integers {
    ($($name:ident $value:ident $of:ident;)*) => {
        words! {$(
            $name $value $of |value| value as u64, |bits| bits as $value, [
                fetch_add Add, fetch_sub Sub, fetch_and And, fetch_nand Nand,
                fetch_or Or, fetch_xor Xor, fetch_max Max, fetch_min Min
            ];
        )*}
    };
}

integers! {
    AtomicU8 u8 U8;
    AtomicU16 u16 U16;
    AtomicU32 u32 U32;
    AtomicU64 u64 U64;
    AtomicUsize usize Usize;
    AtomicI8 i8 I8;
    AtomicI16 i16 I16;
    AtomicI32 i32 I32;
    AtomicI64 i64 I64;
    AtomicIsize isize Isize;
}

words! {
    AtomicBool bool Bool u64::from, |bits| bits != 0, [fetch_and And, fetch_nand Nand, fetch_or Or, fetch_xor Xor];
}

impl AtomicBool {
    /// See `std`.
    #[inline]
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
    }
}

/// As `std::sync::atomic::AtomicPtr`.
#[repr(C)]
pub struct AtomicPtr<T> {
    _dropped: Dropped,
    raw: atomic::AtomicPtr<T>,
}

common!(AtomicPtr<T>, *mut T, Ptr, |value| value.expose_provenance() as u64, |bits| {
    std::ptr::with_exposed_provenance_mut(bits as usize)
});

impl<T> Default for AtomicPtr<T> {
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.raw, f)
    }
}
