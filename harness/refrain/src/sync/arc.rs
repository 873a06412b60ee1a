//! `Arc`.

use super::{
    alloc::{self, Track},
    loom, shuttle,
};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        self, Engine,
        clocks::{self, Through},
        foreign,
        log::{self, Number, log_effect},
        pending::Effect,
    },
};
use std::{
    borrow::Borrow,
    cmp, fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    panic::Location,
    sync::atomic::{AtomicBool, Ordering::*},
};

/// Like `std::sync::Arc` for sized types; without `Weak`, which loom does not model. One that is never dropped is a
/// leak.
///
/// Under loom its reference counting is part of what is explored. A model of something else is faster with
/// `std::sync::Arc`.
pub struct Arc<T> {
    /// `None` only while dropping or unwrapping.
    raw: Option<Raw<T>>,
    number: Number,
}

enum Raw<T> {
    Loom(loom::sync::Arc<Track<T>>),
    Std(std::sync::Arc<Counted<T>>),
}

/// The value of one that is counted by `std`.
struct Counted<T> {
    value: Track<T>,
    /// Whether a thread has asked how many references there are. Only then does the order of clones and drops matter to
    /// others than the last one, and only then are they scheduling points under shuttle.
    is_asked: AtomicBool,
}

impl<T> Arc<T> {
    /// See `std`.
    #[track_caller]
    pub fn new(value: T) -> Arc<T> {
        let (number, place) = (log::number("arc"), Location::caller());
        let value = Track::of_arc(value, number, place);
        let raw = match interleaving::engine() {
            Engine::Loom => Raw::Loom(loom::sync::Arc::new(value)),
            Engine::Shuttle | Engine::Std => {
                Raw::Std(std::sync::Arc::new(Counted { value, is_asked: AtomicBool::new(false) }))
            }
        };
        log_effect(place, || Operation::Arc { id: number, what: step::Arc::New });
        Arc { raw: Some(raw), number }
    }

    fn raw(&self) -> &Raw<T> {
        self.raw.as_ref().expect("only its drop takes it away")
    }

    /// See `std`.
    #[track_caller]
    pub fn strong_count(this: &Arc<T>) -> usize {
        this.asks(Location::caller());
        let count = match this.raw() {
            Raw::Loom(raw) => loom::sync::Arc::strong_count(raw),
            Raw::Std(raw) => std::sync::Arc::strong_count(raw),
        };
        log_effect(Location::caller(), || Operation::Arc { id: this.number, what: step::Arc::StrongCount { count } });
        count
    }

    /// See `std`.
    #[track_caller]
    pub fn get_mut(this: &mut Arc<T>) -> Option<&mut T> {
        this.asks(Location::caller());
        let value = match this.raw.as_mut().expect("only its drop takes it away") {
            Raw::Loom(raw) => loom::sync::Arc::get_mut(raw)?,
            Raw::Std(raw) => &mut std::sync::Arc::get_mut(raw)?.value,
        };
        clocks::acquire(Through::Arc(this.number));
        Some(value.get_mut())
    }

    /// See `std`.
    #[track_caller]
    pub fn try_unwrap(mut this: Arc<T>) -> Result<T, Arc<T>> {
        let number = this.number;
        this.asks(Location::caller());
        let value = match this.raw.take().expect("only its drop takes it away") {
            Raw::Loom(raw) => loom::sync::Arc::try_unwrap(raw).map_err(Raw::Loom),
            Raw::Std(raw) => std::sync::Arc::try_unwrap(raw).map(|counted| counted.value).map_err(Raw::Std),
        };
        match value {
            Ok(value) => {
                clocks::acquire(Through::Arc(number));
                Ok(value.into_inner())
            }
            Err(raw) => Err(Arc { raw: Some(raw), number }),
        }
    }

    /// The running thread asks how many references there are.
    fn asks(&self, place: &'static Location<'static>) {
        foreign::counts_arc(self.number);
        if let Raw::Std(raw) = self.raw() {
            raw.is_asked.store(true, Relaxed);
            self.may_be_preempted(place, Effect::Read);
        }
    }

    /// A scheduling point under shuttle, if the order matters; loom's own reference counts are some.
    fn may_be_preempted(&self, place: &'static Location<'static>, effect: Effect) {
        if let Raw::Std(raw) = self.raw()
            && interleaving::engine() == Engine::Shuttle
            && raw.is_asked.load(Relaxed)
        {
            let _used = alloc::uses(&raw.is_asked, effect, place);
            // Each operation of one of its atomics is a scheduling point.
            shuttle::sync::atomic::AtomicBool::new(false).load(SeqCst);
        }
    }

    /// See `std`.
    pub fn ptr_eq(this: &Arc<T>, other: &Arc<T>) -> bool {
        std::ptr::eq(&raw const **this, &raw const **other)
    }
}

impl<T> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Arc<T> {
        foreign::clones_arc(self.number);
        self.may_be_preempted(Location::caller(), Effect::Write);
        let raw = match self.raw() {
            Raw::Loom(raw) => Raw::Loom(raw.clone()),
            Raw::Std(raw) => Raw::Std(raw.clone()),
        };
        log_effect(Location::caller(), || Operation::Arc { id: self.number, what: step::Arc::Clone });
        Arc { raw: Some(raw), number: self.number }
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        if self.raw.is_none() {
            return;
        }
        foreign::drops_arc(self.number);
        self.may_be_preempted(Location::caller(), Effect::Write);
        let Some(raw) = self.raw.take() else { return };
        // The last owner drops the value, after everything that the others did. loom determines the last owner itself.
        clocks::release(Through::Arc(self.number));
        if !matches!(&raw, Raw::Std(raw) if std::sync::Arc::strong_count(raw) > 1) {
            clocks::acquire(Through::Arc(self.number));
        }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        foreign::opens_arc(self.number);
        match self.raw() {
            Raw::Loom(raw) => raw.get_ref(),
            Raw::Std(raw) => raw.value.get_ref(),
        }
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Arc<T> {
        Arc::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Arc<T> {
        Arc::new(value)
    }
}

impl<T> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Arc<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Arc<T> {}

impl<T: PartialOrd> PartialOrd for Arc<T> {
    fn partial_cmp(&self, other: &Arc<T>) -> Option<cmp::Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for Arc<T> {
    fn cmp(&self, other: &Arc<T>) -> cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash> Hash for Arc<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
