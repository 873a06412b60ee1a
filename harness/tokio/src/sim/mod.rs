//! tokio's names under simulation. A name that is missing here is not simulated.

pub(crate) mod gate;
pub(crate) mod kernel;
pub(crate) mod stack;

pub mod io;
pub mod net;
pub mod runtime;
pub mod signal;
pub mod task;
pub mod time;

/// What refrain drives a simulation with; not for services.
#[doc(hidden)]
pub mod control;

pub use real::{join, pin, select, sync, task_local, try_join};
pub use task::spawn;

/// Expands to a `main` that refuses to serve: a simulated program must never pretend to be the real one.
pub use real::main;
