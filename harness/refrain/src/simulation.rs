//! The simulation engine: executes one plan on the simulated runtime, in a process that was made for it.

mod apply;
mod conserved;
mod draw;
pub(crate) mod explore;
mod properties;
mod run;
pub(crate) mod shrink;
mod stall;
mod state;
mod tracing_layer;

pub(crate) use apply::apply;
pub(crate) use draw::draw;
pub use properties::Seen;
pub(crate) use run::{Watch, run};
pub(crate) use stall::stalled;
pub(crate) use state::{PlanSource, fail, refuse, with};
pub(crate) use tracing_layer::listen;

/// The engine as traces name it.
pub(crate) const ENGINE: (&str, &str) = ("madsim", "0.2.34");
