//! The connection of an execution's process to its worker.

use crate::{
    engine::{Outlet, exit},
    job::{RunMessage, Searched},
    protocol::EngineLimit,
};
use std::sync::OnceLock;

/// The pipe to the worker.
static OUTLET: OnceLock<Outlet> = OnceLock::new();

/// Sets the outlet for all messages.
pub(super) fn open(outlet: Outlet) {
    OUTLET.get_or_init(|| outlet);
}

/// Sends a message to the worker.
pub(super) fn send(message: &RunMessage) {
    let _ = OUTLET.get().map(|outlet| outlet.send(message));
}

/// Ends the process: the engine has reached one of its limits, which is no failure of the model.
pub(crate) fn limit(limit: EngineLimit) -> ! {
    send(&RunMessage::Searched(Searched { limit: Some(limit), ..Searched::default() }));
    exit(0)
}

/// Ends the process: the execution is impossible.
pub(super) fn refuse(why: &str) -> ! {
    send(&RunMessage::Refused(why.to_owned()));
    exit(0)
}
