//! `Once`. In a static it is incomplete again in each execution of a model.

use super::{
    atomic::{AtomicU32, Ordering::*},
    raw,
};
use crate::{
    model::{self, Model},
    parking,
};
use std::{fmt, panic::Location, sync};

/// Nothing has run.
const INCOMPLETE: u32 = 0;
const RUNNING: u32 = 1;
const COMPLETE: u32 = 2;

/// Like `std::sync::Once`.
pub struct Once {
    raw: sync::Once,
    /// In a model.
    state: AtomicU32,
}

/// Like `std::sync::OnceState`.
#[derive(Debug)]
pub struct OnceState {
    is_poisoned: bool,
}

impl OnceState {
    /// See `std`.
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }
}

impl Once {
    /// See `std`.
    #[allow(clippy::new_without_default)] // As in `std`.
    pub const fn new() -> Once {
        Once { raw: sync::Once::new(), state: AtomicU32::new(INCOMPLETE) }
    }

    /// See `std`.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        match model::current() {
            Some(model) => self.call(model, f),
            None => self.raw.call_once(f),
        }
    }

    /// See `std`. In a model it is never poisoned, because a panic ends the execution.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        match model::current() {
            Some(model) => self.call(model, || f(&OnceState { is_poisoned: false })),
            None => self.raw.call_once_force(|state| f(&OnceState { is_poisoned: state.is_poisoned() })),
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        match model::current() {
            Some(_) => self.state.load(Acquire) == COMPLETE,
            None => self.raw.is_completed(),
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn wait(&self) {
        let Some(model) = model::current() else { return self.raw.wait() };
        let place = Location::caller();
        while self.state.load_at(Acquire, place) != COMPLETE {
            raw::park(model, place, &self.state, |state| state != COMPLETE);
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn wait_force(&self) {
        match model::current() {
            Some(_) => self.wait(),
            None => self.raw.wait_force(),
        }
    }

    #[track_caller]
    fn call(&self, model: &dyn Model, f: impl FnOnce()) {
        let place = Location::caller();
        loop {
            match self.state.compare_exchange_at((INCOMPLETE, RUNNING), (Acquire, Acquire), place) {
                Ok(_) => break,
                Err(COMPLETE) => return,
                Err(_) => raw::park(model, place, &self.state, |state| state == RUNNING),
            }
        }
        f();
        self.state.store_at(COMPLETE, Release, place);
        parking::unpark_all((model, place), raw::key(&self.state), 0);
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
