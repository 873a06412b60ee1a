//! Thread-locals that the thread of a simulation shares with those of its simulated processes.

use super::section::unguarded;
use std::{cell::Cell, cell::RefCell, thread::LocalKey};

/// What one thread of a run after the other uses. It is leaked, so that none of them destroys it.
pub(crate) struct Common<T: 'static>(Cell<Option<&'static RefCell<T>>>);

impl<T: Default + 'static> Common<T> {
    pub const fn new() -> Common<T> {
        Common(Cell::new(None))
    }

    /// The value, which is a default one at first.
    pub fn get(&self) -> &'static RefCell<T> {
        self.0.get().unwrap_or_else(|| {
            let new: &'static RefCell<T> = unguarded(|| Box::leak(Box::default()));
            self.0.set(Some(new));
            new
        })
    }
}

/// Gives this thread's value to the thread that calls the result.
pub(crate) fn hand_on<T: Default + 'static>(key: &'static LocalKey<Common<T>>) -> Box<dyn FnOnce()> {
    let value = key.with(Common::get);
    Box::new(move || key.with(|own| own.0.set(Some(value))))
}
