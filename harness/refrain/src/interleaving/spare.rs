//! Atomics of loom for unmodified dependencies, created when an execution begins.
//!
//! A dependency's atomic becomes known to the engine at its first use, by whatever thread. loom requires that each use
//! happens after the creation: so a thread that uses it next would have to happen after the first one's use, which it
//! does not. What is created by the main thread before it spawns others happens before everything.

use super::{Engine, engine, outlet::limit};
use crate::protocol::EngineLimit;
use ::loom::sync::atomic::AtomicUsize;
use std::cell::RefCell;

/// Maximum number of atomics of dependencies in an execution under loom.
const ATOMICS_MAX: usize = 96;

thread_local! {
    static SPARE: RefCell<Vec<AtomicUsize>> = const { RefCell::new(vec![]) };
}

/// Begins an execution, and prepares it if any dependency may use refrain's atomics.
pub(super) fn begin() {
    SPARE.with(|spare| spare.borrow_mut().clear());
    if refrain_std::LINKED {
        prepare();
    }
}

/// Prepares the execution. Called by its main thread, before it spawns others.
pub fn prepare() {
    if engine() == Engine::Loom {
        SPARE.with(|spare| spare.borrow_mut().extend((0..ATOMICS_MAX).map(|_| AtomicUsize::new(0))));
    }
}

/// Returns one that is not used yet. Does not return if there is none.
pub(crate) fn take() -> AtomicUsize {
    let spare = SPARE.with(|spare| spare.borrow_mut().pop());
    spare.unwrap_or_else(|| limit(EngineLimit::TooManyAtomics { most: ATOMICS_MAX }))
}
