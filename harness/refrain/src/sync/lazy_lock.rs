//! `LazyLock`.

use super::{loom, shuttle};
use crate::interleaving::{
    self, Engine,
    clocks::{self, Through},
    foreign,
};
use std::{fmt, marker::PhantomData};

/// Like `std::sync::LazyLock`, for statics: each execution of a model has its own value, created on first use and
/// dropped at the execution's end.
///
/// Read it with [`LazyLock::force`], which `std` has, too: a value of an execution cannot be borrowed from a `LazyLock`
/// that may outlive it.
pub struct LazyLock<T: Sync + 'static> {
    loom: loom::lazy_static::Lazy<T>,
    shuttle: shuttle::lazy_static::Lazy<T>,
    std: std::sync::LazyLock<T>,
}

impl<T: Sync + 'static> LazyLock<T> {
    /// See `std`.
    pub const fn new(init: fn() -> T) -> LazyLock<T> {
        LazyLock {
            loom: loom::lazy_static::Lazy { init, _p: PhantomData },
            shuttle: shuttle::lazy_static::Lazy::new(init),
            std: std::sync::LazyLock::new(init),
        }
    }

    /// See `std`; only for statics.
    pub fn force(this: &'static LazyLock<T>) -> &'static T {
        let value = match interleaving::engine() {
            Engine::Loom => this.loom.get(),
            Engine::Shuttle => this.shuttle.get(),
            Engine::Std => return &this.std,
        };
        foreign::uses((&raw const *this).addr());
        clocks::release_once(Through::Lazy((&raw const *this).addr()));
        value
    }
}

impl<T: Sync + 'static> fmt::Debug for LazyLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyLock(..)")
    }
}
