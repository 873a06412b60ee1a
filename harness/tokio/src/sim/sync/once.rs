//! tokio's `OnceCell` and `SetOnce`, with the task that initialises the value and those that wait for it.

use super::label::Label;
use crate::sim::kernel::Role;
use real::sync as tokio;
use refrain_core::event::{Operation, Primitive};
use std::{fmt, future::Future};

#[doc(no_inline)]
pub use real::sync::{SetError, SetOnceError};

/// A value that is initialised once. As tokio's.
pub struct OnceCell<T> {
    label: Label,
    inner: tokio::OnceCell<T>,
}

/// A value that is set once and can be waited for. As tokio's.
pub struct SetOnce<T> {
    label: Label,
    inner: tokio::SetOnce<T>,
}

macro_rules! once {
    ($name:ident) => {
        impl<T> $name<T> {
            #[track_caller]
            const fn with(inner: tokio::$name<T>) -> $name<T> {
                $name { label: Label::new(Primitive::$name), inner }
            }

            /// Creates an empty cell.
            #[track_caller]
            pub fn new() -> $name<T> {
                $name::with(tokio::$name::new())
            }

            /// Creates an empty cell in a constant context.
            #[track_caller]
            pub const fn const_new() -> $name<T> {
                $name::with(tokio::$name::const_new())
            }

            /// Creates a cell, with a value if there is one.
            #[track_caller]
            pub fn new_with(value: Option<T>) -> $name<T> {
                $name::with(tokio::$name::new_with(value))
            }

            /// Creates a cell with a value in a constant context.
            #[track_caller]
            pub const fn const_new_with(value: T) -> $name<T> {
                $name::with(tokio::$name::const_new_with(value))
            }

            /// Returns whether it has a value.
            pub fn initialized(&self) -> bool {
                self.inner.initialized()
            }

            /// Returns the value.
            pub fn get(&self) -> Option<&T> {
                self.inner.get()
            }

            /// Consumes the cell and returns the value.
            pub fn into_inner(self) -> Option<T> {
                self.inner.into_inner()
            }
        }

        impl<T> Default for $name<T> {
            #[track_caller]
            fn default() -> $name<T> {
                $name::new()
            }
        }

        impl<T> From<T> for $name<T> {
            #[track_caller]
            fn from(value: T) -> $name<T> {
                $name::with(value.into())
            }
        }

        impl<T: Clone> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> $name<T> {
                $name::with(self.inner.clone())
            }
        }

        impl<T: PartialEq> PartialEq for $name<T> {
            fn eq(&self, other: &$name<T>) -> bool {
                self.inner == other.inner
            }
        }

        impl<T: Eq> Eq for $name<T> {}

        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

once!(OnceCell);
once!(SetOnce);

impl<T> OnceCell<T> {
    /// Returns a mutable reference to the value.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Sets the value, if it is not set yet.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        self.inner.set(value)
    }

    /// Returns the value; initialises it with `f` if it is not set and no other task is initialising it.
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        self.label.wait(Operation::Init, self.inner.get_or_init(|| self.makes(f()))).await
    }

    /// Returns the value, like `get_or_init`. If `f` fails, the next task tries.
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.label.wait(Operation::Init, self.inner.get_or_try_init(|| self.makes(f()))).await
    }

    /// Records the current task as the one that initialises the value.
    async fn makes<F: Future>(&self, value: F) -> F::Output {
        let _part = self.label.part(Role::Holder);
        value.await
    }

    /// Takes the value out of the cell.
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> SetOnce<T> {
    /// Sets the value, if it is not set yet.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        self.label.notifies();
        self.inner.set(value)
    }

    /// Waits for the value.
    pub async fn wait(&self) -> &T {
        self.label.wait(Operation::Set, self.inner.wait()).await
    }
}
