//! Atomics of all widths, and fences.

mod history;
mod store;
mod stores;
mod word;

use super::{On, alloc, on, reads_again, shuttle};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        self, Engine, clocks,
        log::{self, Number, log_creation, log_effect, log_step},
        pending::Effect,
        spin, stuck,
    },
};
use history::History;
use std::{fmt, panic::Location};
use store::Read;
use stores::Stores;
use word::Value;

#[doc(no_inline)]
pub use std::sync::atomic::{Ordering, compiler_fence};

/// Like `std::sync::atomic::fence`.
#[track_caller]
pub fn fence(order: Ordering) {
    fence_at(order, Location::caller());
}

pub(super) fn fence_at(order: Ordering, place: Place) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
    match interleaving::engine() {
        Engine::Loom => ::loom::sync::atomic::fence(order),
        Engine::Shuttle => shuttle::sync::atomic::fence(order),
        Engine::Std => std::sync::atomic::fence(order),
    }
    clocks::fence(order);
    log_effect(place, || Operation::Fence { ordering: order.into() });
}

/// A source location.
type Place = &'static Location<'static>;

/// `std` rejects it, but the engines do not.
#[track_caller]
fn assert_loads(order: Ordering) {
    assert!(!matches!(order, Ordering::Release | Ordering::AcqRel), "there is no such thing as a load that releases");
}

/// The same for a store.
#[track_caller]
fn assert_stores(order: Ordering) {
    assert!(!matches!(order, Ordering::Acquire | Ordering::AcqRel), "there is no such thing as a store that acquires");
}

/// Implements loads, stores and read-modify-writes on each engine.
macro_rules! atomic {
    ($name:ident, $value:ty, [$($more:ident $step:ident),*]) => {
        #[doc = concat!("As `std::sync::atomic::", stringify!($name), "`.")]
        pub struct $name {
            raw: On<
                Stores<std::sync::atomic::$name>,
                History<std::sync::atomic::$name>,
                std::sync::atomic::$name,
            >,
            number: Number,
        }

        impl $name {
            atomic!(@common $name, $value, shuttle::sync::atomic::$name, std::sync::atomic::$name);
            atomic!(@exchanges $value, std::sync::atomic::$name, [swap Swap $(, $more $step)*]);
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
                atomic!(@debug self, f)
            }
        }
    };

    (@debug $self:ident, $f:ident) => {
        match &$self.raw {
            On::Loom(raw) => fmt::Debug::fmt(&raw.newest(), $f),
            On::Shuttle(raw) => fmt::Debug::fmt(&raw.raw, $f),
            On::Std(raw) => fmt::Debug::fmt(raw, $f),
        }
    };

    (@common $name:ident, $value:ty, $shuttle:ty, $std:ty) => {
        /// See `std`; but not `const`.
        #[track_caller]
        pub fn new(value: $value) -> Self {
            let (number, place) = (log::number("atomic"), Location::caller());
            let raw = on!(
                Stores::new(value, number, place),
                History::new(<$shuttle>::new(value), value, place),
                <$std>::new(value)
            );
            Self { raw, number }.logged(value, place)
        }

        /// Makes the atomic of a dependency, which exists since the execution began, at its first use.
        pub(super) fn found(value: $value, place: Place) -> Self {
            let number = log::number("atomic");
            let raw = on!(
                Stores::found(value, number, place),
                History::found(<$shuttle>::new(value), value, place),
                <$std>::new(value)
            );
            Self { raw, number }.logged(value, place)
        }

        fn logged(self, value: $value, place: Place) -> Self {
            log_creation(place, || {
                self.step(step::Atomic::New { of: step::AtomicType::$name, value: value.to_step() })
            });
            self
        }

        /// See `std`.
        #[track_caller]
        pub fn load(&self, order: Ordering) -> $value {
            assert_loads(order);
            self.load_at(order, Location::caller())
        }

        pub(super) fn load_at(&self, order: Ordering, place: Place) -> $value {
            let _used = alloc::uses(self, Effect::Read, place);
            reads_again(place, "atomic", self.number);
            let read: Read<$value> = match &self.raw {
                On::Loom(raw) => raw.load(order),
                On::Shuttle(raw) => raw.load(self.number, order, |raw| raw.load(order)),
                On::Std(raw) => return raw.load(order),
            };
            self.has_read(place, &read);
            log_step(place, || self.step(step::Atomic::Load { ordering: order.into(), read: read.to_step() }));
            read.value
        }

        /// See `std`.
        #[track_caller]
        pub fn store(&self, value: $value, order: Ordering) {
            assert_stores(order);
            self.store_at(value, order, Location::caller());
        }

        pub(super) fn store_at(&self, value: $value, order: Ordering, place: Place) {
            let _used = alloc::uses(self, Effect::Write, place);
            match &self.raw {
                On::Loom(raw) => raw.store(value, order, place),
                On::Shuttle(raw) => raw.store(self.number, value, order, place, |raw| raw.store(value, order)),
                On::Std(raw) => return raw.store(value, order),
            }
            log_effect(place, || self.step(step::Atomic::Store { value: value.to_step(), ordering: order.into() }));
        }

        /// See `std`.
        #[track_caller]
        pub fn compare_exchange(
            &self,
            current: $value,
            new: $value,
            success: Ordering,
            failure: Ordering,
        ) -> Result<$value, $value> {
            assert_loads(failure);
            self.compare_exchange_at((current, new), (success, failure), Location::caller())
        }

        pub(super) fn compare_exchange_at(
            &self,
            (current, new): ($value, $value),
            (success, failure): (Ordering, Ordering),
            place: Place,
        ) -> Result<$value, $value> {
            let _used = alloc::uses(self, Effect::of_exchange(success), place);
            reads_again(place, "atomic", self.number);
            let orders = (success, failure);
            let was: Result<$value, Read<$value>> = match &self.raw {
                On::Loom(raw) => raw.compare_exchange(current, new, orders, place),
                On::Shuttle(raw) => raw
                    .compare_exchange(self.number, new, orders, place, |raw| raw.compare_exchange(current, new, success, failure))
                    .map_err(Read::from),
                On::Std(raw) => return raw.compare_exchange(current, new, success, failure),
            };
            let does = |result| {
                let (current, new) = (current.to_step(), new.to_step());
                let (success, failure) = (success.into(), failure.into());
                self.step(step::Atomic::CompareExchange { current, new, success, failure, result })
            };
            match was {
                Ok(was) => {
                    self.has_exchanged(place, was, new);
                    log_step(place, || does(Ok(was.to_step())));
                    Ok(was)
                }
                Err(read) => {
                    self.has_read(place, &read);
                    log_step(place, || does(Err(read.to_step())));
                    Err(read.value)
                }
            }
        }

        /// See `std`; it never fails spuriously.
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

        /// See `std`.
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

        /// See `std`: access is exclusive.
        #[track_caller]
        pub fn into_inner(self) -> $value {
            match self.raw {
                On::Loom(raw) => raw.into_inner(),
                On::Shuttle(raw) => raw.raw.into_inner(),
                On::Std(raw) => raw.into_inner(),
            }
        }

        #[inline]
        fn has_read(&self, place: &'static Location<'static>, read: &Read<$value>) {
            spin::read(place, "atomic", self.number, read.value.bits());
            match read.stale {
                None => stuck::read(self.number),
                Some(_) => stuck::changed(),
            }
        }

        /// To write the value that is there is to read it, for a loop that waits.
        #[inline]
        fn has_exchanged(&self, place: &'static Location<'static>, was: $value, is: $value) {
            if was.bits() == is.bits() {
                self.has_read(place, &was.into());
            } else {
                spin::changed();
                stuck::changed();
            }
        }

        fn step(&self, what: step::Atomic) -> Operation {
            Operation::Atomic { id: self.number, what }
        }
    };

    (@exchanges $value:ty, $std:ty, [$($operation:ident $step:ident),*]) => {
        $(
            /// See `std`.
            #[track_caller]
            pub fn $operation(&self, value: $value, order: Ordering) -> $value {
                self.exchange_at(step::Fetch::$step, value, order, Location::caller())
            }
        )*

        pub(super) fn exchange_at(&self, by: step::Fetch, value: $value, order: Ordering, place: Place) -> $value {
            let _used = alloc::uses(self, Effect::of_exchange(order), place);
            reads_again(place, "atomic", self.number);
            let was = match &self.raw {
                On::Loom(raw) => raw.exchange(order, place, |was| Self::made_of(by, was, value)),
                On::Shuttle(raw) => raw.exchange(
                    self.number,
                    order,
                    place,
                    |raw| match by {
                        $(step::Fetch::$step => raw.$operation(value, order),)*
                        _ => unreachable!("a type has the operations of std"),
                    },
                    |was| Self::made_of(by, was, value),
                ),
                On::Std(raw) => return match by {
                    $(step::Fetch::$step => raw.$operation(value, order),)*
                    _ => unreachable!("a type has the operations of std"),
                },
            };
            self.has_exchanged(place, was, Self::made_of(by, was, value));
            log_step(place, || {
                let (value, was) = (value.to_step(), was.to_step());
                self.step(step::Atomic::Fetch { by, value, ordering: order.into(), was })
            });
            was
        }

        /// Returns what a read-modify-write stores: what `std` computes from the old value.
        pub(super) fn made_of(by: step::Fetch, was: $value, value: $value) -> $value {
            let made = <$std>::new(was);
            match by {
                $(step::Fetch::$step => made.$operation(value, Ordering::Relaxed),)*
                _ => unreachable!("a type has the operations of std"),
            };
            made.into_inner()
        }
    };
}

macro_rules! integers {
    ($($name:ident $value:ty;)*) => {$(
        atomic!($name, $value, [
            fetch_add Add, fetch_sub Sub, fetch_and And, fetch_nand Nand,
            fetch_or Or, fetch_xor Xor, fetch_max Max, fetch_min Min
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
    /// See `std`.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
    }
}

atomic!(AtomicBool, bool, [fetch_and And, fetch_nand Nand, fetch_or Or, fetch_xor Xor]);

/// Like `std::sync::atomic::AtomicPtr`.
pub struct AtomicPtr<T> {
    raw: On<
        Stores<std::sync::atomic::AtomicPtr<T>>,
        History<std::sync::atomic::AtomicPtr<T>>,
        std::sync::atomic::AtomicPtr<T>,
    >,
    number: Number,
}

impl<T> AtomicPtr<T> {
    atomic!(@common AtomicPtr, *mut T, shuttle::sync::atomic::AtomicPtr<T>, std::sync::atomic::AtomicPtr<T>);
    atomic!(@exchanges *mut T, std::sync::atomic::AtomicPtr<T>, [swap Swap]);
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        atomic!(@debug self, f)
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
