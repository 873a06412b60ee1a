//! What a test does to its world: hosts, workload, faults, and the properties that must hold.

pub mod exit;

use crate::{
    plan::fault::{self, Fault, Faults},
    simulation::{self, PlanSource, Seen},
    verdict::Detail,
};
use exit::Exit;
use proptest::strategy::Strategy;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt::{Debug, Display},
    future::Future,
    panic::Location,
    rc::Rc,
    time::Duration,
};
use tokio::{
    control::{self, HostId, Rule, Sysctl},
    time::{Instant, timeout_at},
};

/// How long `eventually` waits before it tries again; twice as long each time, up to the most. The last try is this long
/// before the end. A stall of a minute has 16 tries then, and a trace that a person can read.
const TRY_AGAIN: Duration = Duration::from_millis(250);
const TRY_AGAIN_MAX: Duration = Duration::from_secs(5);
const SIGTERM: i32 = 15;

/// The world of one run: a handle, cheap to clone.
#[derive(Debug, Clone)]
pub struct World {
    _private: (),
}

/// A host that runs a process of the service.
#[derive(Debug, Clone)]
pub struct Host {
    id: HostId,
    name: String,
}

/// A host from which the test itself asks.
#[derive(Debug, Clone)]
pub struct Client {
    id: HostId,
}

/// What says whether a property holds now.
pub trait Answer {
    /// Why it does not hold; `None` if it does.
    fn missing(self) -> Option<String>;
}

impl Answer for bool {
    fn missing(self) -> Option<String> {
        (!self).then(|| "it was false".to_owned())
    }
}

impl<T> Answer for Option<T> {
    fn missing(self) -> Option<String> {
        self.is_none().then(|| "there was none".to_owned())
    }
}

impl<T, E: Display> Answer for Result<T, E> {
    fn missing(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// The world of the run on this thread, for its test.
pub fn world() -> World {
    World { _private: () }
}

impl World {
    /// Adds a host and starts its process. It is called again each time that the host boots or the process is
    /// restarted; a clone of what it needs goes in with `move`. Other hosts reach it by this name.
    ///
    /// # Panics
    /// If the name is taken, or has other characters than letters, digits, `-`, `_` and `.`.
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

    /// Adds a host without a process, or finds it, for the test to ask from.
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

    /// What may go wrong from now on. Each run draws a few of these faults, or none; a replay has those of its plan.
    /// Call it once, after the hosts were added.
    ///
    /// # Panics
    /// If it is called twice, or names a host that there is not.
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
            state.decide_faults(drawn)
        });
        fit.unwrap_or_else(|why| simulation::refuse(&why));
    }

    /// Something that goes wrong in every run: a sentence as plans have it, or a typed [`Fault`]. Call it after the hosts
    /// were added. It is not shrunk away.
    ///
    /// ```no_run
    /// # use refrain::{World, fault::Lose, plan::Link};
    /// # use std::time::Duration;
    /// # fn f(world: World) {
    /// world.fault("lose 10 % of exchange <-> notes at 12.3 s for 4.2 s");
    /// world.fault(
    ///     Lose { percent: 10, of: Link::between("exchange", "notes").into() }
    ///         .at(Duration::from_millis(12_300))
    ///         .lasting(Duration::from_millis(4_200)),
    /// );
    /// # }
    /// ```
    ///
    /// # Panics
    /// If it is no fault: the sentence cannot be read, or the typed fault holds what no sentence can say.
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
    /// ```no_run
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
    /// # fn f(world: World) {
    /// world.rule("lose_nth", 1..10u32, |left| LoseNth { left });
    /// world.faults(Faults::between("client", "server").cuts().rule("lose_nth"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If there is a rule of this name, or it is no name: letters, digits and `_`.
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

    /// Says what a name resolves to from now on: these hosts, in this order. Without one it does not resolve. A service
    /// may have asked before: whoever keeps addresses goes on using the old ones.
    ///
    /// # Panics
    /// If there is no such host.
    #[track_caller]
    pub fn resolve(&self, name: &str, hosts: &[&str]) {
        let host = |host: &&str| {
            let known = simulation::with(|state| state.host(host));
            known.unwrap_or_else(|| panic!("world.resolve() names the host {host:?}, which was not added before"))
        };
        control::resolve_to(name, hosts.iter().map(host).collect());
    }

    /// Repairs everything: what is cut, killed, slow or wrong in any other way is well again, and nothing more goes wrong.
    pub async fn heal(&self) {
        control::heal();
        simulation::with(|state| state.healed_at = Some(control::now()));
        tokio::task::yield_now().await;
    }

    /// Demands that a property comes to hold within this much virtual time. It is tried again until it does; one try
    /// that never ends is a failure, too.
    pub async fn eventually<F, Fut>(&self, within: Duration, what: &str, mut holds: F)
    where
        F: FnMut() -> Fut,
        Fut: Future,
        Fut::Output: Answer,
    {
        let deadline = Instant::now() + within;
        let (mut attempts, mut last, mut pending) = (0, None, false);
        let mut wait = TRY_AGAIN;
        loop {
            match timeout_at(deadline, holds()).await.map(Answer::missing) {
                Ok(None) => return control::holds(what),
                Ok(Some(why)) => (attempts, last) = (attempts + 1, Some(why)),
                Err(_) => {
                    pending = true;
                    break;
                }
            }
            let next = (Instant::now() + wait).min(deadline - TRY_AGAIN);
            if next <= Instant::now() {
                break;
            }
            tokio::time::sleep_until(next).await;
            wait = (2 * wait).min(TRY_AGAIN_MAX);
        }
        let healed = simulation::with(|state| state.healed_at).is_some();
        let within = u64::try_from(within.as_nanos()).unwrap_or(u64::MAX);
        let detail = Detail::NotReached { within, healed, attempts, last, pending };
        simulation::fail(simulation::not_reached(what, detail))
    }

    /// Demands that a property holds after every poll of every task.
    #[track_caller]
    pub fn always(&self, what: &str, holds: impl Fn(&Seen) -> bool + 'static) {
        let place = Location::caller();
        simulation::with(|state| state.properties.always(what, place, Rc::new(holds)));
        control::watch_polls(true);
    }

    /// Demands that what is opened is closed, once: when the test's body has ended, the hosts come back to rest.
    ///
    /// The service reports it: `tracing` events with the fields `kind` (this one) and `id`, and the messages `opened`
    /// and `closed`. What a killed process had open is gone with it. The kinds `socket` and `task` the harness counts
    /// itself.
    pub fn conserves(&self, kind: &str) {
        self.conserves_up_to(kind, 0);
    }

    /// The same where some may be open at rest: the listener's queue aside, a link that is up has one at each end.
    pub fn conserves_up_to(&self, kind: &str, at_rest: usize) {
        simulation::with(|state| state.properties.conserve(kind, at_rest));
        simulation::listen();
    }

    /// Counts the runs in which the service says this, in a `tracing` event whose target begins with `target` and whose
    /// message contains `message`. An exploration says how often that was, and warns of what never was.
    pub fn sometimes(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, true));
        simulation::listen();
    }

    /// Counts the runs in which the service reports something, as [`sometimes`](World::sometimes) does; it need not happen.
    pub fn counts(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, false));
        simulation::listen();
    }

    /// Allows tasks to panic with a message that contains `message`. The panic is then no verdict: whoever awaits the task
    /// sees a `JoinError`, as with tokio. What a process begins with must not panic; that would end the process.
    pub fn may_panic(&self, message: &str) {
        simulation::with(|state| state.allow_panic(message));
    }

    /// Notes what the test saw: an answer, a final state. Part of the trace and of the outcome's snapshot.
    pub fn saw(&self, what: impl Debug) {
        control::saw(format!("{what:?}"));
    }
}

impl Host {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells its kernel how to behave; until then it is a Linux with that one's defaults. It counts from its process's
    /// first socket on, if it is told at once: the process starts when the test next awaits something.
    pub fn sysctl(&self, sysctl: Sysctl) -> &Host {
        control::sysctl(self.id, sysctl);
        self
    }

    /// Allows its process to end by itself, with or without an error. It stays down until it is restarted.
    pub fn may_exit(&self) -> &Host {
        simulation::with(|state| state.allow_exit(self.id));
        self
    }

    /// Kills its process and starts it again, as an operator does.
    pub fn restart(&self) {
        control::restart(self.id);
    }

    /// Sends SIGTERM to its process.
    pub fn terminate(&self) {
        control::signal(self.id, SIGTERM);
    }

    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        control::is_running(self.id)
    }
}

impl Client {
    /// Tells its kernel how to behave; see [`Host::sysctl`].
    pub fn sysctl(&self, sysctl: Sysctl) -> &Client {
        control::sysctl(self.id, sysctl);
        self
    }

    /// Runs a future on this host, to its end.
    #[must_use = "the future runs whether or not this is awaited, but what it says is lost"]
    #[track_caller]
    pub fn run<F>(&self, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        control::run_on(self.id, future)
    }
}
