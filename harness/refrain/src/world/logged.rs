//! What a service must not log, and what it states about itself.

use super::World;
use crate::simulation;

impl World {
    /// Requires that the service never emits a `tracing` event whose target begins with `target` and whose message contains
    /// `message`.
    ///
    /// The run fails at that event, with the class `safety`; the place of the failure is that of the event in the source.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn no_session_is_lost(world: World) {
    ///     world.never(module_path!(), "session lost");
    ///     world.host("server", || async {
    ///         tracing::info!("session opened");
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # no_session_is_lost();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`conserves`](World::conserves).
    pub fn never(&self, target: &str, message: &str) {
        simulation::with(|state| state.properties.never(target, message));
        simulation::listen();
    }

    /// Requires every invariant that the service states to hold.
    ///
    /// The service states one with a `tracing` event that has the fields `invariant`, which is its name, and `holds`, which is
    /// whether it holds. If it does not, the run fails at that event, with the class `safety`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_queue_stays_short(world: World) {
    ///     world.invariants();
    ///     world.host("server", || async {
    ///         let mut queue = Vec::new();
    ///         for job in 0..10 {
    ///             queue.push(job);
    ///             tracing::debug!(invariant = "the queue is short", holds = queue.len() <= 10, length = queue.len());
    ///         }
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # the_queue_stays_short();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`conserves`](World::conserves).
    pub fn invariants(&self) {
        simulation::with(|state| state.properties.invariants());
        simulation::listen();
    }
}
