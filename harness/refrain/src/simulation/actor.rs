//! Who does something: the task that runs, or the test itself.

use crate::verdict::Actor;
use tokio::control::Stamp;

/// The task that a stamp names.
pub(super) fn actor(stamp: &Stamp) -> Actor {
    match &stamp.task {
        None => Actor::Test,
        Some(task) => Actor::Task { host: stamp.host.clone(), task: task.clone() },
    }
}
