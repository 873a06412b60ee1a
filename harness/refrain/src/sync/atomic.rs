//! Atomics of all widths, and fences.

use super::{On, each, loom, on, shuttle};
use crate::interleaving::{
    self, Engine,
    log::{self, Number, did, records},
    seq_cst,
};
use std::{fmt, panic::Location};

#[doc(no_inline)]
pub use std::sync::atomic::{Ordering, compiler_fence};

/// As `std::sync::atomic::fence`.
#[track_caller]
pub fn fence(order: Ordering) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
    match interleaving::engine() {
        Engine::Loom => loom::sync::atomic::fence(order),
        Engine::Shuttle => shuttle::sync::atomic::fence(order),
        Engine::Std => std::sync::atomic::fence(order),
    }
    seq_cst::fence(order);
    did(Location::caller(), || format!("fence({order:?})"));
}

/// `std` refuses it, and the engines do not.
#[track_caller]
fn assert_loads(order: Ordering) {
    assert!(!matches!(order, Ordering::Release | Ordering::AcqRel), "there is no such thing as a load that releases");
}

/// The same of a store.
#[track_caller]
fn assert_stores(order: Ordering) {
    assert!(!matches!(order, Ordering::Acquire | Ordering::AcqRel), "there is no such thing as a store that acquires");
}

/// One atomic type: what all have, then what only some do.
macro_rules! atomic {
    ($name:ident, $value:ty, $shown:expr, $bits:expr, [$($more:ident),*]) => {
        #[doc = concat!("As `std::sync::atomic::", stringify!($name), "`.")]
        pub struct $name {
            raw: On<loom::sync::atomic::$name, shuttle::sync::atomic::$name, std::sync::atomic::$name>,
            number: Number,
        }

        impl $name {
            atomic!(@common $name, $value, $shown, $bits, [
                loom::sync::atomic::$name, shuttle::sync::atomic::$name, std::sync::atomic::$name
            ]);
            $(atomic!(@rmw $more, $value, $shown, $bits, std::sync::atomic::$name);)*
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

    (@common $name:ident, $value:ty, $shown:expr, $bits:expr, [$loom:ty, $shuttle:ty, $std:ty]) => {
        /// As in `std`, but not `const`.
        #[track_caller]
        pub fn new(value: $value) -> Self {
            let raw = on!(<$loom>::new(value), <$shuttle>::new(value), <$std>::new(value));
            let number = log::number("atomic");
            if seq_cst::watches() {
                seq_cst::store(number, Ordering::Relaxed, $bits(value));
            }
            if records() {
                log::wrote(number, $shown(value));
            }
            did(Location::caller(), || {
                format!("atomic{number} = {}::new({})", stringify!($name), $shown(value))
            });
            Self { raw, number }
        }

        /// As in `std`.
        #[track_caller]
        pub fn load(&self, order: Ordering) -> $value {
            assert_loads(order);
            let value = each!(&self.raw, raw => raw.load(order));
            if seq_cst::watches() {
                seq_cst::load(self.number, order, $bits(value));
            }
            if records() {
                did(Location::caller(), || {
                    format!("atomic{}.load({order:?}) -> {}", self.number, log::read(self.number, $shown(value)))
                });
            }
            value
        }

        /// As in `std`.
        #[track_caller]
        pub fn store(&self, value: $value, order: Ordering) {
            assert_stores(order);
            each!(&self.raw, raw => raw.store(value, order));
            if seq_cst::watches() {
                seq_cst::store(self.number, order, $bits(value));
            }
            if records() {
                let value = $shown(value);
                log::wrote(self.number, &value);
                did(Location::caller(), || format!("atomic{}.store({value}, {order:?})", self.number));
            }
        }

        /// As in `std`.
        #[track_caller]
        pub fn swap(&self, value: $value, order: Ordering) -> $value {
            let was = each!(&self.raw, raw => raw.swap(value, order));
            if seq_cst::watches() {
                seq_cst::exchange(self.number, order, $bits(was), $bits(value));
            }
            if records() {
                let (value, was) = ($shown(value), $shown(was));
                log::wrote(self.number, &value);
                did(Location::caller(), || format!("atomic{}.swap({value}, {order:?}) -> {was}", self.number));
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
            assert_loads(failure);
            let was = each!(&self.raw, raw => raw.compare_exchange(current, new, success, failure));
            if seq_cst::watches() {
                match was {
                    Ok(was) => seq_cst::exchange(self.number, success, $bits(was), $bits(new)),
                    Err(was) => seq_cst::load(self.number, failure, $bits(was)),
                }
            }
            if records() {
                if was.is_ok() {
                    log::wrote(self.number, $shown(new));
                }
                did(Location::caller(), || {
                    let (current, new, was) = ($shown(current), $shown(new), was.map($shown).map_err($shown));
                    format!("atomic{}.compare_exchange({current}, {new}, {success:?}) -> {was:?}", self.number)
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

    (@rmw $operation:ident, $value:ty, $shown:expr, $bits:expr, $std:ty) => {
        /// As in `std`.
        #[track_caller]
        pub fn $operation(&self, value: $value, order: Ordering) -> $value {
            let was = each!(&self.raw, raw => raw.$operation(value, order));
            // What it left is what `std` makes of what it found.
            let left = || {
                let left = <$std>::new(was);
                left.$operation(value, Ordering::Relaxed);
                left.into_inner()
            };
            if seq_cst::watches() {
                seq_cst::exchange(self.number, order, $bits(was), $bits(left()));
            }
            if records() {
                let (operation, value, was) = (stringify!($operation), $shown(value), $shown(was));
                log::wrote(self.number, left());
                did(Location::caller(), || {
                    format!("atomic{}.{operation}({value}, {order:?}) -> {was}", self.number)
                });
            }
            was
        }
    };
}

macro_rules! integers {
    ($($name:ident $value:ty;)*) => {$(
        atomic!($name, $value, (|value: $value| value), (|value: $value| value as u64), [
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

impl AtomicBool {
    /// As in `std`.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
    }
}

atomic!(AtomicBool, bool, (|value: bool| value), u64::from, [fetch_and, fetch_nand, fetch_or, fetch_xor]);

/// As `std::sync::atomic::AtomicPtr`.
pub struct AtomicPtr<T> {
    raw: On<loom::sync::atomic::AtomicPtr<T>, shuttle::sync::atomic::AtomicPtr<T>, std::sync::atomic::AtomicPtr<T>>,
    number: Number,
}

impl<T> AtomicPtr<T> {
    atomic!(@common AtomicPtr, *mut T, |pointer: *mut T| log::pointer(pointer.addr()), |pointer: *mut T| pointer.addr() as u64, [
        loom::sync::atomic::AtomicPtr<T>, shuttle::sync::atomic::AtomicPtr<T>, std::sync::atomic::AtomicPtr<T>
    ]);
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(&self.raw, raw => fmt::Debug::fmt(raw, f))
    }
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> AtomicPtr<T> {
        AtomicPtr::new(std::ptr::null_mut())
    }
}

impl<T> From<*mut T> for AtomicPtr<T> {
    #[track_caller]
    fn from(pointer: *mut T) -> AtomicPtr<T> {
        AtomicPtr::new(pointer)
    }
}
