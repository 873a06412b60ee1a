//! A host that runs a process of the service.

use super::exit::Exit;
use crate::simulation;
use std::{future::Future, net::IpAddr};
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

    /// Adds a second process on the same machine: a proxy, an agent, or a database that the service reaches through a Unix
    /// socket.
    ///
    /// It is a host like any other, with its own name and address, like a second container of a pod. The processes of a machine
    /// share the names of Unix sockets, and power: a crash of one is a crash of all. One can be killed, paused or restarted alone,
    /// and its peers see what they would see on Linux.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::World;
    /// # use std::time::Duration;
    /// # use tokio::{io::AsyncReadExt, net::{UnixListener, UnixStream}};
    /// #[refrain::test(runs = 2, without_holds)]
    /// async fn a_service_notices_that_its_agent_was_killed(world: World) {
    ///     let service = world.host("service", || async {
    ///         let listener = UnixListener::bind("/tmp/service.sock")?;
    ///         let (mut agent, _) = listener.accept().await?;
    ///         let _ = agent.read(&mut [0; 9]).await;
    ///         std::io::Result::Ok(())
    ///     });
    ///     service.may_exit();
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     service.beside("agent", || async {
    ///         let _service = UnixStream::connect("/tmp/service.sock").await.unwrap();
    ///         std::future::pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     assert!(service.is_running());
    ///     world.fault("kill agent at 0 s");
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     assert!(!service.is_running());
    /// }
    /// # a_service_notices_that_its_agent_was_killed();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`World::host`](crate::World::host).
    #[track_caller]
    pub fn beside<F, Fut, Kind>(&self, name: &str, process: F) -> Host
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Exit<Kind>,
    {
        let host = super::world().host(name, process);
        control::share_machine(host.id, self.id);
        host
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
