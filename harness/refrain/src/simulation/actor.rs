//! Identifies who performs an operation: the current task, or the test itself.

use crate::verdict::Actor;
use tokio::control::Stamp;

/// Returns the task of a stamp.
pub(super) fn actor(stamp: &Stamp) -> Actor {
    match &stamp.task {
        None => Actor::Test,
        Some(task) => Actor::Task { host: stamp.host.clone(), task: task.clone() },
    }
}
