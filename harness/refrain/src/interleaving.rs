//! The interleaving engines: execute a model's threads in every order, or in sampled ones, in a process made for it.
//!
//! One engine is exhaustive and knows the memory model; the other samples, and scales further. Both run the model on
//! [`crate::sync`], in one thread of the process: their threads are stacks that they switch.

mod budget;
mod child;
mod exhaust;
mod explore;
pub(crate) mod log;
pub(crate) mod loom;
mod model;
mod sample;
mod searcher;
pub(crate) mod seq_cst;
mod shrink;
pub(crate) mod shuttle;
mod verdict;

pub(crate) use child::{cannot, wrong};
pub use model::Model;

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// What the threads of this process run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The operating system: this is no model.
    Std,
    /// Exhaustive search.
    Loom,
    /// Sampling.
    Shuttle,
}

static ENGINE: AtomicU8 = AtomicU8::new(0);

/// What the threads of this process run on. A process that runs a model runs nothing else, on one engine.
#[inline]
pub(crate) fn engine() -> Engine {
    match ENGINE.load(Relaxed) {
        0 => Engine::Std,
        1 => Engine::Loom,
        _ => Engine::Shuttle,
    }
}

/// Decides what the threads of this process run on.
fn choose(engine: Engine) {
    ENGINE.store(engine as u8, Relaxed);
}
