//! What the process of an execution sends its worker before it ends.

use crate::{
    engine::{Outlet, exit},
    job::{RunMessage, Searched},
    protocol::EngineLimit,
};
use std::sync::OnceLock;

/// To the worker.
static OUTLET: OnceLock<Outlet> = OnceLock::new();

/// Everything goes to this outlet from now on.
pub(super) fn open(outlet: Outlet) {
    OUTLET.get_or_init(|| outlet);
}

/// Tells the worker.
pub(super) fn send(message: &RunMessage) {
    let _ = OUTLET.get().map(|outlet| outlet.send(message));
}

/// Ends the process: the engine cannot go on, through no fault of the model.
pub(crate) fn limit(limit: EngineLimit) -> ! {
    send(&RunMessage::Searched(Searched { limit: Some(limit), ..Searched::default() }));
    exit(0)
}

/// Ends the process: the execution cannot be made.
pub(super) fn refuse(why: &str) -> ! {
    send(&RunMessage::Refused(why.to_owned()));
    exit(0)
}
