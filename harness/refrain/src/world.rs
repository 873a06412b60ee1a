//! What a test does to its world: hosts, clients, names and faults.

mod answer;
mod client;
pub mod exit;
mod host;
mod logged;
mod properties;

pub use answer::Answer;
pub use client::Client;
pub use host::Host;

use crate::{
    plan::fault::{self, Fault, Faults},
    simulation::{self, PlanSource},
};
use exit::Exit;
use proptest::strategy::Strategy;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Display, future::Future, panic::Location};
use tokio::control::{self, HostId, Rule};

/// The simulated world of one run. A test gets it as its first parameter.
///
/// A world has hosts, a network between them, and one virtual clock. It is a handle: clones are the same world.
///
/// # Examples
///
/// ```
/// # use refrain::{Faults, World};
/// # use std::{future::pending, time::Duration};
/// #[refrain::test(runs = 50)]
/// async fn what_is_sent_comes_back(world: World) {
///     world.host("server", || echo::serve("0.0.0.0:7"));
///     let client = world.client("client");
///     world.faults(Faults::between("server", "client").cuts().crashes());
///
///     // Whatever happens before, an answer comes once the network is healed.
///     let _ = client.run(async { echo::ask("server:7", &[b"before".to_vec()]).await }).await;
///     world.heal().await;
///     world
///         .eventually(Duration::from_secs(60), "an answer comes", || echo::ask("server:7", &[]))
///         .await;
/// }
/// # what_is_sent_comes_back();
/// ```
#[derive(Debug, Clone)]
pub struct World {
    _private: (),
}

/// The world of the run on this thread, for its test.
pub fn world() -> World {
    World { _private: () }
}

impl World {
    /// Adds a host and starts its process. Other hosts reach it by its name.
    ///
    /// `process` is called again each time that the host boots or its process restarts. The process starts when the test next
    /// awaits something, so the host can be configured before.
    ///
    /// A process that ends by itself is a failure of the class `exit`, unless the test calls [`Host::may_exit`], or has sent it
    /// SIGTERM and it returns no error. When it ends by itself its tasks are dropped.
    ///
    /// A process that is killed, or whose host loses power, stops in the middle of the operation that it performs: no code of it
    /// runs any more, and no destructor. State that outlives it, such as a simulated disk, is shared with the test. Put it into a
    /// `std::sync::Mutex` and hold the lock for no longer than a statement: a lock that a dead process holds is never released.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// # use std::sync::{Arc, Mutex};
    /// #[refrain::test(runs = 2, without_holds)]
    /// async fn a_disk_survives_a_restart(world: World) {
    ///     let disk = Arc::new(Mutex::new(0));
    ///     let server = world.host("server", {
    ///         let disk = disk.clone();
    ///         move || {
    ///             *disk.lock().unwrap() += 1;
    ///             pending::<()>()
    ///         }
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     server.restart();
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     assert_eq!(*disk.lock().unwrap(), 2);
    /// }
    /// # a_disk_survives_a_restart();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is a host of this name, or if the name has other characters than letters, digits, `-`, `_` and `.`.
    #[track_caller]
    pub fn host<F, Fut, Kind>(&self, name: &str, process: F) -> Host
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: Exit<Kind>,
    {
        let id = self.add_host(
            name,
            Some(Box::new(move || {
                let running = process();
                Box::pin(async move { running.await.error().map_or(Ok(()), Err) })
            })),
        );
        Host { id, name: name.to_owned() }
    }

    /// Adds a host without a process, or returns the one that has this name.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_client_asks(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let answers = world.client("client").run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await;
    ///     assert_eq!(answers.unwrap(), [b"hello"]);
    /// }
    /// # a_client_asks();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the name has other characters than letters, digits, `-`, `_` and `.`.
    #[track_caller]
    pub fn client(&self, name: &str) -> Client {
        let known = simulation::with(|state| state.host(name));
        Client { id: known.unwrap_or_else(|| self.add_host(name, None)) }
    }

    #[track_caller]
    fn add_host(&self, name: &str, process: Option<control::StartProcess>) -> HostId {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(!name.is_empty() && name.chars().all(fits), "{name:?} is no name for a host: letters, digits, - _ .");
        assert!(simulation::with(|state| state.host(name)).is_none(), "there is a host {name:?} already");
        let serves = process.is_some();
        let id = control::add_host(name, Location::caller(), process);
        simulation::with(|state| state.add_host(name, id, serves));
        id
    }

    /// Allows faults. Each run draws a few of them, or none; a replay has those of its plan.
    ///
    /// If none of them is ever triggered in as many runs as the test asks for, the test fails.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 50)]
    /// async fn answers_come_under_faults(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let client = world.client("client");
    ///     world.faults(Faults::between("server", "client").slowdowns().at_most(2));
    ///     client.run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await.unwrap();
    /// }
    /// # answers_come_under_faults();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if it is called a second time, or names a host or a rule that was not added before.
    #[track_caller]
    pub fn faults(&self, faults: Faults) {
        let fit = simulation::with(|state| {
            assert!(!state.has_faults, "world.faults() is called once: put all kinds into one Faults");
            for host in faults.hosts() {
                assert!(
                    state.host(host).is_some(),
                    "world.faults() names the host {host:?}, which was not added before"
                );
            }
            for rule in faults.rules() {
                let known = state.rules.names();
                assert!(
                    state.rules.knows(rule),
                    "world.faults() allows the rule {rule:?}, which was not added before; {known}"
                );
            }
            let drawn = match &state.given {
                PlanSource::Drawn => {
                    let arguments = |rule: &str, seed| state.rules.draw(rule, seed);
                    fault::draw(&faults, &state.services(), &arguments, state.plan.seed)
                }
                PlanSource::Planned(_) => vec![],
            };
            state.allowed = Some(faults);
            state.decide_faults(drawn)
        });
        fit.unwrap_or_else(|why| simulation::refuse(&why));
    }

    /// Something that goes wrong in every run: a sentence as plans have it, or a typed [`Fault`]. Call it after the hosts
    /// were added. It is not shrunk away.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{World, fault::Lose, plan::Link};
    /// # use std::time::Duration;
    /// #[refrain::test(runs = 2)]
    /// async fn answers_come_over_a_bad_link(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let client = world.client("client");
    ///     world.fault("delay 10 % of client -> server by 300 ms at 0 s for 4.2 s");
    ///     world.fault(
    ///         Lose { percent: 10, of: Link::between("client", "server").into() }
    ///             .at(Duration::from_secs(5))
    ///             .lasting(Duration::from_secs(4)),
    ///     );
    ///     client.run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await.unwrap();
    /// }
    /// # answers_come_over_a_bad_link();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if it is no fault: the sentence cannot be read, or the typed fault holds what no sentence can say.
    #[track_caller]
    pub fn fault<F>(&self, fault: F)
    where
        F: TryInto<Fault>,
        F::Error: Display,
    {
        let fault = fault.try_into().map_err(|error| error.to_string());
        // A typed fault may hold what a trace could not give back: 0 percent, a host's name with a space.
        let fault = fault.and_then(|fault| fault.to_string().parse::<Fault>().map_err(|error| error.to_string()));
        let fault = fault.unwrap_or_else(|why| panic!("world.fault() takes a fault as a plan says it: {why}"));
        simulation::with(|state| state.script_fault(fault)).unwrap_or_else(|why| simulation::refuse(&why));
    }

    /// Adds a rule: a fault that the test writes itself. `make` makes it from arguments, which `arguments` draws from the
    /// seed of the run. Plans name it like any other fault: `rule lose_nth 3 on client -> server at 1 s for 2 s`. It goes
    /// wrong in runs that draw it, if [`Faults::rule`] allows it, or in every run by [`World::fault`]. Call it before both.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World, rule::{Decision, Packet, PacketKind, Rule}};
    /// /// Loses the nth packet with data.
    /// struct LoseNth {
    ///     left: u32,
    /// }
    ///
    /// impl Rule for LoseNth {
    ///     fn packet(&mut self, packet: &Packet<'_>) -> Decision {
    ///         if packet.kind != PacketKind::Data || self.left == 0 {
    ///             return Decision::Pass;
    ///         }
    ///         self.left -= 1;
    ///         if self.left == 0 { Decision::Lose } else { Decision::Pass }
    ///     }
    /// }
    ///
    /// #[refrain::test(runs = 50)]
    /// async fn a_lost_packet_is_sent_again(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let client = world.client("client");
    ///     world.rule("lose_nth", 1..10u32, |left| LoseNth { left });
    ///     world.faults(Faults::between("client", "server").rule("lose_nth"));
    ///     client.run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await.unwrap();
    /// }
    /// # a_lost_packet_is_sent_again();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is a rule of this name, or it is no name: letters, digits and `_`.
    #[track_caller]
    pub fn rule<S, R>(&self, name: &str, arguments: S, make: impl Fn(S::Value) -> R + 'static)
    where
        S: Strategy + 'static,
        S::Value: Serialize + DeserializeOwned,
        R: Rule + 'static,
    {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let fits = !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit());
        assert!(fits, "{name:?} is no name for a rule: letters, digits and _, the first one no digit");
        let new = simulation::with(|state| state.rules.add(name, arguments, make));
        assert!(new, "there is a rule {name:?} already");
    }

    /// Sets the hosts to which a name resolves from now on, in this order. Without a host it does not resolve.
    ///
    /// A service that keeps addresses it looked up before goes on using them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_name_leads_to_a_host(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     world.resolve("echo.example", &["server"]);
    ///     world.client("client").run(async { echo::ask("echo.example:7", &[]).await }).await.unwrap();
    /// }
    /// # a_name_leads_to_a_host();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no host of such a name.
    #[track_caller]
    pub fn resolve(&self, name: &str, hosts: &[&str]) {
        let host = |host: &&str| {
            let known = simulation::with(|state| state.host(host));
            known.unwrap_or_else(|| panic!("world.resolve() names the host {host:?}, which was not added before"))
        };
        control::resolve_to(name, hosts.iter().map(host).collect());
    }

    /// Ends every fault. Nothing goes wrong any more, and no task is held for a time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_cut_ends(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let client = world.client("client");
    ///     world.fault("cut server <-> client at 0 s");
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    ///     world.heal().await;
    ///     client.run(async { echo::ask("server:7", &[]).await }).await.unwrap();
    /// }
    /// # a_cut_ends();
    /// ```
    pub async fn heal(&self) {
        control::heal();
        simulation::with(|state| state.healed_at = Some(control::now()));
        tokio::task::yield_now().await;
    }
}
