//! The atomics of dependencies: which of this module's own an address stands for.
//!
//! An atomic is what it was if its address is known and its memory has the value that was stored last. Otherwise it is
//! new: it was moved, or its memory is now another's.

use crate::{
    event::step::Fetch,
    sync::atomic::{
        AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
        AtomicU64, AtomicUsize,
    },
};
use refrain_std::model::{Atomic, Exchange, Found, Place, Type};
use std::{cell::Cell, collections::BTreeMap, rc::Rc, sync::atomic::Ordering};

unsafe extern "C" {
    /// Where the executable begins in memory, and where its statics end. The linker defines both; only their addresses
    /// are used.
    static __executable_start: u8;
    static _end: u8;
}

/// The atomics of one execution.
#[derive(Default)]
pub(super) struct Atoms {
    numbers: BTreeMap<usize, usize>,
    atoms: Vec<Rc<Atom>>,
    /// The first values of statics in this process.
    first_values: BTreeMap<usize, u64>,
}

/// An atomic.
pub(super) struct Atom {
    of: Type,
    raw: Raw,
    /// The value that was stored last.
    newest: Cell<u64>,
}

fn is_static(address: usize) -> bool {
    ((&raw const __executable_start).addr()..(&raw const _end).addr()).contains(&address)
}

impl Atoms {
    /// Returns those of the next execution.
    pub fn next(self) -> Atoms {
        Atoms { first_values: self.first_values, ..Atoms::default() }
    }

    /// Returns the atomic with this number.
    pub fn get(&self, number: usize) -> Rc<Atom> {
        self.atoms[number].clone()
    }

    /// Forgets the atomic at an address.
    pub fn forget(&mut self, address: usize) {
        self.numbers.remove(&address);
    }

    /// Returns the atomic at an address.
    pub fn find(&mut self, found: Found) -> Atomic {
        if let Some(&id) = self.numbers.get(&found.address) {
            let atom = &self.atoms[id];
            if atom.of == found.of && atom.newest.get() == found.value {
                return Atomic { id, value: found.value };
            }
        }
        let mut value = found.value;
        if is_static(found.address) && !self.numbers.contains_key(&found.address) {
            value = *self.first_values.entry(found.address).or_insert(value);
        }
        let id = self.atoms.len();
        let raw = Raw::new(found.of, value, found.place);
        self.atoms.push(Rc::new(Atom { of: found.of, raw, newest: Cell::new(value) }));
        self.numbers.insert(found.address, id);
        Atomic { id, value }
    }
}

macro_rules! atoms {
    ($($type:ident $name:ident<$($t:ty)?>, $to_bits:expr, $of_bits:expr;)*) => {
        enum Raw {
            $($type($name$(<$t>)?),)*
        }

        impl Raw {
            fn new(of: Type, value: u64, place: Place) -> Raw {
                match of {
                    $(Type::$type => Raw::$type($name::found($of_bits(value), place)),)*
                }
            }
        }

        impl Atom {
            pub fn load(&self, order: Ordering, place: Place) -> u64 {
                match &self.raw {
                    $(Raw::$type(raw) => $to_bits(raw.load_at(order, place)),)*
                }
            }

            pub fn store(&self, value: u64, order: Ordering, place: Place) {
                match &self.raw {
                    $(Raw::$type(raw) => raw.store_at($of_bits(value), order, place),)*
                }
                self.newest.set(value);
            }

            pub fn exchange(&self, by: Exchange, value: u64, order: Ordering, place: Place) -> u64 {
                let by = fetch(by);
                let (was, made) = match &self.raw {
                    $(Raw::$type(raw) => {
                        let value = $of_bits(value);
                        let was = raw.exchange_at(by, value, order, place);
                        ($to_bits(was), $to_bits($name::made_of(by, was, value)))
                    })*
                };
                self.newest.set(made);
                was
            }

            pub fn compare_exchange(
                &self,
                (current, new): (u64, u64),
                orders: (Ordering, Ordering),
                place: Place,
            ) -> Result<u64, u64> {
                let read = match &self.raw {
                    $(Raw::$type(raw) => {
                        let values = ($of_bits(current), $of_bits(new));
                        raw.compare_exchange_at(values, orders, place).map(|was| $to_bits(was)).map_err(|was| $to_bits(was))
                    })*
                };
                if read.is_ok() {
                    self.newest.set(new);
                }
                read
            }
        }
    };
}

atoms! {
    Bool AtomicBool<>, u64::from, |bits: u64| bits != 0;
    U8 AtomicU8<>, u64::from, |bits: u64| bits as u8;
    U16 AtomicU16<>, u64::from, |bits: u64| bits as u16;
    U32 AtomicU32<>, u64::from, |bits: u64| bits as u32;
    U64 AtomicU64<>, u64::from, |bits: u64| bits;
    Usize AtomicUsize<>, |value: usize| value as u64, |bits: u64| bits as usize;
    I8 AtomicI8<>, |value: i8| value as u64, |bits: u64| bits as i8;
    I16 AtomicI16<>, |value: i16| value as u64, |bits: u64| bits as i16;
    I32 AtomicI32<>, |value: i32| value as u64, |bits: u64| bits as i32;
    I64 AtomicI64<>, |value: i64| value as u64, |bits: u64| bits as i64;
    Isize AtomicIsize<>, |value: isize| value as u64, |bits: u64| bits as isize;
    Ptr AtomicPtr<()>, |value: *mut ()| value.expose_provenance() as u64, |bits: u64| {
        std::ptr::with_exposed_provenance_mut::<()>(bits as usize)
    };
}

fn fetch(by: Exchange) -> Fetch {
    match by {
        Exchange::Swap => Fetch::Swap,
        Exchange::Add => Fetch::Add,
        Exchange::Sub => Fetch::Sub,
        Exchange::And => Fetch::And,
        Exchange::Nand => Fetch::Nand,
        Exchange::Or => Fetch::Or,
        Exchange::Xor => Fetch::Xor,
        Exchange::Max => Fetch::Max,
        Exchange::Min => Fetch::Min,
    }
}
