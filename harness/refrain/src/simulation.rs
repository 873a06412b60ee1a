//! The simulation engine: executes one plan on the simulated runtime, in a process that was made for it.

mod apply;
mod conserved;
mod explore;
mod properties;
mod run;
mod scenario;
mod shrink;
mod stall;
mod state;
mod tracing_layer;
mod workload;

pub(crate) use apply::apply;
pub use properties::Seen;
pub use scenario::Scenario;
pub(crate) use stall::stalled;
pub(crate) use state::{PlanSource, fail, refuse, with};
pub(crate) use tracing_layer::listen;
pub use workload::{Parameter, argument};
