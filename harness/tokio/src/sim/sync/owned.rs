//! Converts an `Arc` of a lock into one of tokio's lock, which owned guards need.

#![allow(unsafe_code)]

use super::label::Labelled;
use real::sync as tokio;
use std::{mem::ManuallyDrop, ops::Deref, sync::Arc};

/// A type with the memory representation of another one.
///
/// # Safety
/// The type is `#[repr(transparent)]` over `Inner`.
pub(super) unsafe trait Transparent {
    /// The inner type.
    type Inner: ?Sized;

    /// Casts the pointer.
    fn cast(this: *const Self) -> *const Self::Inner;
}

/// Declares a lock that wraps tokio's, whose data contains the label.
macro_rules! lock {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $name<T: ?Sized>(pub(super) tokio::$name<Labelled<T>>);

        // SAFETY: it is `#[repr(transparent)]`.
        unsafe impl<T: ?Sized> Transparent for $name<T> {
            type Inner = tokio::$name<Labelled<T>>;

            fn cast(this: *const $name<T>) -> *const tokio::$name<Labelled<T>> {
                this as _
            }
        }
    };
}

lock! {
    /// An asynchronous mutex. As tokio's.
    Mutex
}

lock! {
    /// An asynchronous reader-writer lock. As tokio's.
    RwLock
}

/// An `Arc` without a reference count of its own: another one of the same value lives at least as long.
pub(super) struct Uncounted<L: ?Sized>(ManuallyDrop<Arc<L>>);

impl<L: ?Sized> Deref for Uncounted<L> {
    type Target = Arc<L>;

    fn deref(&self) -> &Arc<L> {
        &self.0
    }
}

impl<L: ?Sized + Transparent> Uncounted<L> {
    /// Converts an `Arc` of a lock into one of tokio's lock, which takes over its reference count, and a handle for the original type
    /// that is valid as long as the former.
    pub fn split(lock: Arc<L>) -> (Arc<L::Inner>, Uncounted<L>) {
        let raw = Arc::into_raw(lock);
        // SAFETY: `L` is transparent over `L::Inner`: it has the same size, alignment and pointer metadata, as `from_raw` requires.
        let inner = unsafe { Arc::from_raw(L::cast(raw)) };
        // SAFETY: `raw` comes from `into_raw`. The result is never dropped, so it needs no count of its own. A guard stores it next to
        // `inner`, which keeps the value alive, and only gives out references to it.
        let uncounted = Uncounted(ManuallyDrop::new(unsafe { Arc::from_raw(raw) }));
        (inner, uncounted)
    }
}
