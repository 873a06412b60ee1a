//! tokio's API under simulation. An item that is missing here is not simulated.

pub(crate) mod addresses;
pub(crate) mod common;
pub(crate) mod gate;
pub(crate) mod interpose;
pub(crate) mod kernel;
pub(crate) mod section;
pub(crate) mod stack;

pub mod fs;
pub mod io;
pub mod net;
pub mod process;
pub mod runtime;
pub mod signal;
pub mod sync;
pub mod task;
pub mod time;

/// The interface through which refrain drives a simulation; not for services.
#[doc(hidden)]
pub mod control;

pub use real::{join, pin, select, task_local, try_join};
pub use task::spawn;

/// Expands to a `main` that prints an error and exits: a simulated program must never pass for the real one.
pub use real::main;
/// A test of tokio's, in a simulation of its own: one host, without faults.
pub use real::test;
