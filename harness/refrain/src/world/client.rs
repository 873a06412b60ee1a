//! A host without a process, from which the test itself acts.

use std::future::Future;
use tokio::control::{self, HostId, Sysctl};

/// A host without a process, from which the test itself acts. [`World::client`](crate::World::client) makes it.
///
/// # Examples
///
/// ```
/// # use refrain::{Faults, World};
/// # use std::{future::pending, time::Duration};
/// #[refrain::test(runs = 2)]
/// async fn two_clients_ask(world: World) {
///     world.host("server", || echo::serve("0.0.0.0:7"));
///     let [one, other] = ["one", "other"].map(|name| {
///         world.client(name).run(async { echo::ask("server:7", &[b"hello".to_vec()]).await })
///     });
///     // Both run already.
///     let (one, other) = tokio::join!(one, other);
///     assert_eq!(one.unwrap(), other.unwrap());
/// }
/// # two_clients_ask();
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) id: HostId,
}

impl Client {
    /// Configures its kernel; see [`Host::sysctl`](crate::Host::sysctl).
    pub fn sysctl(&self, sysctl: Sysctl) -> &Client {
        control::sysctl(self.id, sysctl);
        self
    }

    /// Runs a future on this host, and returns what it returns.
    ///
    /// It runs as a task from now on, whether or not the returned future is polled. The returned future waits for its end.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_request_runs_beside_the_test(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let answers = world.client("client").run(async { echo::ask("server:7", &[b"hello".to_vec()]).await });
    ///     // It runs while the test does something else.
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     assert_eq!(answers.await.unwrap(), [b"hello"]);
    /// }
    /// # a_request_runs_beside_the_test();
    /// ```
    ///
    /// # Panics
    ///
    /// A panic of the future is a failure of the run.
    #[must_use = "the future runs whether or not this is awaited, but what it returns is lost"]
    #[track_caller]
    pub fn run<F>(&self, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        control::run_on(self.id, future)
    }
}
