//! The common interface of `std`'s atomics, for code that is generic over them.

use crate::{event::step, interleaving::log, sync::shuttle};
use std::{
    ops::Range,
    sync::atomic::{self, Ordering::Relaxed},
};

/// Where Linux has the heap, stacks and executables of a process with 64-bit addresses, and larger than other integers
/// usually are.
const ADDRESSES: Range<u64> = 1 << 44..1 << 47;

/// The value of an atomic.
pub(in crate::sync) trait Value: Copy + PartialEq {
    /// Converts it for an event.
    fn to_step(self) -> step::Value;

    /// Returns its bits, for comparison.
    fn bits(self) -> u64;
}

/// An atomic of `std`, which can store any value of its type.
pub(in crate::sync) trait Word {
    type Value: Value;
    /// The same atomic under shuttle.
    type Sampled;

    fn of(value: Self::Value) -> Self;

    fn get(&self) -> Self::Value;
}

macro_rules! integers {
    ($kind:ident($wide:ty); $($value:ty: $atomic:ident,)*) => {$(
        impl Value for $value {
            fn to_step(self) -> step::Value {
                step::Value::$kind(self as $wide)
            }

            fn bits(self) -> u64 {
                self as u64
            }
        }

        word!($atomic, $value);
    )*};
}

macro_rules! word {
    ($atomic:ident, $value:ty) => {
        impl Word for atomic::$atomic {
            type Value = $value;
            type Sampled = shuttle::sync::atomic::$atomic;

            fn of(value: $value) -> Self {
                Self::new(value)
            }

            fn get(&self) -> $value {
                self.load(Relaxed)
            }
        }
    };
}

integers! {
    Unsigned(u64);
    u8: AtomicU8,
    u16: AtomicU16,
    u32: AtomicU32,
    u64: AtomicU64,
}

impl Value for usize {
    /// An integer that may be an address, perhaps with a tag, is shown as a pointer: addresses differ between runs.
    fn to_step(self) -> step::Value {
        match ADDRESSES.contains(&(self as u64)) {
            true => step::Value::Pointer(log::pointer(self)),
            false => step::Value::Unsigned(self as u64),
        }
    }

    fn bits(self) -> u64 {
        self as u64
    }
}

word!(AtomicUsize, usize);

integers! {
    Signed(i64);
    i8: AtomicI8,
    i16: AtomicI16,
    i32: AtomicI32,
    i64: AtomicI64,
    isize: AtomicIsize,
}

impl Value for bool {
    fn to_step(self) -> step::Value {
        step::Value::Bool(self)
    }

    fn bits(self) -> u64 {
        self.into()
    }
}

word!(AtomicBool, bool);

impl<T> Value for *mut T {
    fn to_step(self) -> step::Value {
        step::Value::Pointer(log::pointer(self.addr()))
    }

    fn bits(self) -> u64 {
        self.addr() as u64
    }
}

impl<T> Word for atomic::AtomicPtr<T> {
    type Value = *mut T;
    type Sampled = shuttle::sync::atomic::AtomicPtr<T>;

    fn of(value: *mut T) -> Self {
        Self::new(value)
    }

    fn get(&self) -> *mut T {
        self.load(Relaxed)
    }
}
