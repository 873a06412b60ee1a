//! A host that runs a process of the service.

use crate::simulation;
use std::net::IpAddr;
use tokio::control::{self, HostId, Sysctl};

const SIGTERM: i32 = 15;

/// A host that runs a process of the service. [`World::host`](crate::World::host) makes it.
///
/// # Examples
///
/// ```
/// # use refrain::{Faults, World};
/// # use std::{future::pending, time::Duration};
/// #[refrain::test(runs = 2)]
/// async fn a_server_comes_back(world: World) {
///     let server = world.host("server", || echo::serve("0.0.0.0:7"));
///     tokio::time::sleep(Duration::from_secs(1)).await;
///     server.restart();
///     world
///         .eventually(Duration::from_secs(60), "an answer comes", || echo::ask("server:7", &[]))
///         .await;
///     assert!(server.is_running());
/// }
/// # a_server_comes_back();
/// ```
#[derive(Debug, Clone)]
pub struct Host {
    pub(super) id: HostId,
    pub(super) name: String,
}

impl Host {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Configures its kernel; until then it has Linux's defaults.
    ///
    /// A socket takes the settings of the time when it is made. Set them right after the host was added: its process starts when
    /// the test next awaits something.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, Overflow, Sysctl, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_full_backlog_refuses(world: World) {
    ///     let server = world.host("server", || echo::serve("0.0.0.0:7"));
    ///     server.sysctl(Sysctl::default().overflow(Overflow::Reset).somaxconn(5));
    /// }
    /// # a_full_backlog_refuses();
    /// ```
    pub fn sysctl(&self, sysctl: Sysctl) -> &Host {
        control::sysctl(self.id, sysctl);
        self
    }

    /// Allows its process to end by itself, with or without an error. It stays down until [`restart`](Host::restart).
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_job_ends(world: World) {
    ///     let job = world.host("job", || async { Err::<(), _>("there is nothing to do") });
    ///     job.may_exit();
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     assert!(!job.is_running());
    /// }
    /// # a_job_ends();
    /// ```
    pub fn may_exit(&self) -> &Host {
        simulation::with(|state| state.allow_exit(self.id));
        self
    }

    /// Its address of IPv6. Names resolve to the one of IPv4.
    pub fn ipv6(&self) -> IpAddr {
        control::ipv6(self.id)
    }

    /// Kills its process and starts it again, as an operator does. A host without power stays as it is.
    pub fn restart(&self) {
        control::restart(self.id);
    }

    /// Sends SIGTERM to its process. A process without a handler is killed by it.
    pub fn terminate(&self) {
        control::signal(self.id, SIGTERM);
    }

    /// Returns whether its process runs.
    pub fn is_running(&self) -> bool {
        control::is_running(self.id)
    }
}
