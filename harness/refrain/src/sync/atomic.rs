//! Atomics of all widths, and fences.

use super::{On, each, loom, on, shuttle};
use crate::interleaving::{
    self, Engine,
    log::{self, Number, did, records},
};
use std::{fmt, panic::Location};

#[doc(no_inline)]
pub use std::sync::atomic::{Ordering, compiler_fence};

/// As `std::sync::atomic::fence`.
#[track_caller]
pub fn fence(order: Ordering) {
    match interleaving::engine() {
        Engine::Loom => loom::sync::atomic::fence(order),
        Engine::Shuttle => shuttle::sync::atomic::fence(order),
        Engine::Std => std::sync::atomic::fence(order),
    }
    did(Location::caller(), || format!("fence({order:?})"));
}

/// Under loom a `SeqCst` access is no more than an acquire and a release; with a fence before, it is what it should be.
#[inline]
fn before(order: Ordering) {
    if order == Ordering::SeqCst && interleaving::loom::fences() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

/// One atomic type: what all have, then what only some do.
macro_rules! atomic {
    ($name:ident, $value:ty, $kind:literal, $shown:expr, [$($more:ident),*]) => {
        #[doc = concat!("As `std::sync::atomic::", stringify!($name), "`.")]
        pub struct $name {
            raw: On<loom::sync::atomic::$name, shuttle::sync::atomic::$name, std::sync::atomic::$name>,
            number: Number,
        }

        impl $name {
            atomic!(@common $name, $value, $kind, $shown, [
                loom::sync::atomic::$name, shuttle::sync::atomic::$name, std::sync::atomic::$name
            ]);
            $(atomic!(@rmw $more, $value, $kind, $shown, std::sync::atomic::$name);)*
        }

        impl From<$value> for $name {
            #[track_caller]
            fn from(value: $value) -> $name {
                $name::new(value)
            }
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> $name {
                $name::new(Default::default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                each!(&self.raw, raw => fmt::Debug::fmt(raw, f))
            }
        }
    };

    (@common $name:ident, $value:ty, $kind:literal, $shown:expr, [$loom:ty, $shuttle:ty, $std:ty]) => {
        /// As in `std`, but not `const`.
        #[track_caller]
        pub fn new(value: $value) -> Self {
            let raw = on!(<$loom>::new(value), <$shuttle>::new(value), <$std>::new(value));
            let number = log::number($kind);
            if records() {
                log::wrote(number, $shown(value));
            }
            did(Location::caller(), || {
                format!("{}{number} = {}::new({})", $kind, stringify!($name), $shown(value))
            });
            Self { raw, number }
        }

        /// As in `std`.
        #[track_caller]
        pub fn load(&self, order: Ordering) -> $value {
            before(order);
            let value = each!(&self.raw, raw => raw.load(order));
            if records() {
                did(Location::caller(), || {
                    format!("{}{}.load({order:?}) -> {}", $kind, self.number, log::read(self.number, $shown(value)))
                });
            }
            value
        }

        /// As in `std`.
        #[track_caller]
        pub fn store(&self, value: $value, order: Ordering) {
            before(order);
            each!(&self.raw, raw => raw.store(value, order));
            if records() {
                let value = $shown(value);
                log::wrote(self.number, &value);
                did(Location::caller(), || format!("{}{}.store({value}, {order:?})", $kind, self.number));
            }
        }

        /// As in `std`.
        #[track_caller]
        pub fn swap(&self, value: $value, order: Ordering) -> $value {
            before(order);
            let was = each!(&self.raw, raw => raw.swap(value, order));
            if records() {
                let (value, was) = ($shown(value), $shown(was));
                log::wrote(self.number, &value);
                did(Location::caller(), || format!("{}{}.swap({value}, {order:?}) -> {was}", $kind, self.number));
            }
            was
        }

        /// As in `std`.
        #[track_caller]
        pub fn compare_exchange(
            &self,
            current: $value,
            new: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            before(success);
            let was = each!(&self.raw, raw => raw.compare_exchange(current, new, success, failure));
            if records() {
                if was.is_ok() {
                    log::wrote(self.number, $shown(new));
                }
                did(Location::caller(), || {
                    let (current, new, was) = ($shown(current), $shown(new), was.map($shown).map_err($shown));
                    format!("{}{}.compare_exchange({current}, {new}, {success:?}) -> {was:?}", $kind, self.number)
                });
            }
            was
        }

        /// As in `std`; it never fails without a reason.
        #[track_caller]
        pub fn compare_exchange_weak(
            &self,
            current: $value,
            new: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            self.compare_exchange(current, new, success, failure)
        }

        /// As in `std`.
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

        /// As in `std`: nobody else has it.
        #[track_caller]
        pub fn into_inner(self) -> $value {
            each!(self.raw, raw => raw.into_inner())
        }

    };

    (@rmw $operation:ident, $value:ty, $kind:literal, $shown:expr, $std:ty) => {
        /// As in `std`.
        #[track_caller]
        pub fn $operation(&self, value: $value, order: Ordering) -> $value {
            before(order);
            let was = each!(&self.raw, raw => raw.$operation(value, order));
            if records() {
                let (operation, value, was) = (stringify!($operation), $shown(value), $shown(was));
                // What it left is what `std` makes of what it found.
                let left = <$std>::new(was);
                left.$operation(value, Ordering::Relaxed);
                log::wrote(self.number, left.into_inner());
                did(Location::caller(), || {
                    format!("{}{}.{operation}({value}, {order:?}) -> {was}", $kind, self.number)
                });
            }
            was
        }
    };
}

macro_rules! integers {
    ($($name:ident $value:ty;)*) => {$(
        atomic!($name, $value, "atomic", (|value: $value| value), [
            fetch_add, fetch_sub, fetch_and, fetch_nand, fetch_or, fetch_xor, fetch_max, fetch_min
        ]);
    )*};
}

integers! {
    AtomicU8 u8;
    AtomicU16 u16;
    AtomicU32 u32;
    AtomicU64 u64;
    AtomicUsize usize;
    AtomicI8 i8;
    AtomicI16 i16;
    AtomicI32 i32;
    AtomicI64 i64;
    AtomicIsize isize;
}

atomic!(AtomicBool, bool, "atomic", (|value: bool| value), [fetch_and, fetch_nand, fetch_or, fetch_xor]);

/// As `std::sync::atomic::AtomicPtr`.
pub struct AtomicPtr<T> {
    raw: On<loom::sync::atomic::AtomicPtr<T>, shuttle::sync::atomic::AtomicPtr<T>, std::sync::atomic::AtomicPtr<T>>,
    number: Number,
}

impl<T> AtomicPtr<T> {
    atomic!(@common AtomicPtr, *mut T, "atomic", |pointer: *mut T| log::pointer(pointer.addr()), [
        loom::sync::atomic::AtomicPtr<T>, shuttle::sync::atomic::AtomicPtr<T>, std::sync::atomic::AtomicPtr<T>
    ]);
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(&self.raw, raw => fmt::Debug::fmt(raw, f))
    }
}

impl<T> From<*mut T> for AtomicPtr<T> {
    #[track_caller]
    fn from(pointer: *mut T) -> AtomicPtr<T> {
        AtomicPtr::new(pointer)
    }
}
