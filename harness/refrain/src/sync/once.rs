//! `Once` and `OnceLock`, built from a mutex and a flag: loom has neither.

use super::{
    Mutex,
    atomic::{AtomicBool, Ordering},
    mutex::unpoisoned,
};
use std::fmt;

/// Like `std::sync::OnceLock`.
pub struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    /// Whether there is a value: reading this synchronizes with its initialization.
    is_made: AtomicBool,
    making: Mutex<()>,
}

impl<T> OnceLock<T> {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new() -> OnceLock<T> {
        OnceLock { value: std::sync::OnceLock::new(), is_made: AtomicBool::new(false), making: Mutex::new(()) }
    }

    /// See `std`.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        if self.is_made.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// See `std`: access is exclusive.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// See `std`.
    ///
    /// # Errors
    /// Returns the value if one is set already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let _making = unpoisoned(self.making.lock());
        self.value.set(value)?;
        self.is_made.store(true, Ordering::Release);
        Ok(())
    }

    /// See `std`.
    #[track_caller]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _making = unpoisoned(self.making.lock());
        if self.value.get().is_none() {
            let value = make();
            // No other thread can set it meanwhile.
            let _ = self.value.set(value);
            self.is_made.store(true, Ordering::Release);
        }
        self.value.get().expect("it is made")
    }

    /// See `std`: access is exclusive.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceLock").field(&self.value.get()).finish()
    }
}

/// Like `std::sync::Once`.
#[derive(Debug)]
pub struct Once(OnceLock<()>);

impl Once {
    /// See `std`; but not `const`.
    #[allow(clippy::new_without_default)] // As in `std`.
    #[track_caller]
    pub fn new() -> Once {
        Once(OnceLock::new())
    }

    /// See `std`: it has run when this returns, whichever thread ran it.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        self.0.get_or_init(f);
    }

    /// See `std`.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.0.get().is_some()
    }
}
