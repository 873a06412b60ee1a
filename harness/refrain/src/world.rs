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
    net::IpAddr,
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

/// A host that runs a process of the service. [`World::host`] makes it.
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
    id: HostId,
    name: String,
}

/// A host without a process, from which the test itself acts. [`World::client`] makes it.
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

    /// Waits until a property holds, for at most `within` of virtual time.
    ///
    /// `holds` is called again until it returns `true`, `Some` or `Ok`. If it does not in time, or an attempt does not end, the
    /// run fails with the class `stall`, and the verdict says what every task waits for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_server_comes_up(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     world.eventually(Duration::from_secs(60), "it answers", || echo::ask("server:7", &[])).await;
    /// }
    /// # the_server_comes_up();
    /// ```
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

    /// Requires a property to hold after every poll of every task. If it does not, the run fails with the class `safety`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn one_session_at_a_time(world: World) {
    ///     world.conserves("session");
    ///     world.always("one session at a time", |seen| seen.live("session") <= 1);
    ///     world.host("server", || async {
    ///         for id in 0..10 {
    ///             tracing::info!(kind = "session", id, "opened");
    ///             tokio::task::yield_now().await;
    ///             tracing::info!(kind = "session", id, "closed");
    ///         }
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # one_session_at_a_time();
    /// ```
    ///
    /// # Panics
    ///
    /// A panic of `holds` is a failure of the test.
    #[track_caller]
    pub fn always(&self, what: &str, holds: impl Fn(&Seen) -> bool + 'static) {
        let place = Location::caller();
        simulation::with(|state| state.properties.always(what, place, Rc::new(holds)));
        control::watch_polls(true);
    }

    /// Requires everything of a kind that is opened to be closed, once: at most 120 s after the test's body has ended.
    ///
    /// The service reports it with `tracing` events that have the fields `kind` and `id` and the message `opened` or `closed`.
    /// What a killed process had open is gone with it. The kinds `socket` and `task` are counted by Refrain itself.
    ///
    /// What stays open is a failure of the class `leak`, and what is closed but not open one of the class `double-close`. If the
    /// service never reports the kind in as many runs as the test asks for, the test fails.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn sessions_are_closed(world: World) {
    ///     world.conserves("session");
    ///     world.host("server", || async {
    ///         tracing::info!(kind = "session", id = 1, "opened");
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///         tracing::info!(kind = "session", id = 1, "closed");
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(10)).await;
    /// }
    /// # sessions_are_closed();
    /// ```
    ///
    /// # Errors
    ///
    /// The run is refused if the service hides its events: if it sets a `tracing` subscriber for the thread. It may set the global
    /// one.
    pub fn conserves(&self, kind: &str) {
        self.conserves_up_to(kind, 0);
    }

    /// Like [`conserves`](World::conserves), but `limit` of the kind may stay open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_link_stays_up(world: World) {
    ///     // Each end has one.
    ///     world.conserves_up_to("socket", 2);
    ///     world.host("server", || async {
    ///         let listener = tokio::net::TcpListener::bind("0.0.0.0:7").await.unwrap();
    ///         let _link = listener.accept().await.unwrap();
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    ///     world.host("dialer", || async {
    ///         let _link = tokio::net::TcpStream::connect("server:7").await.unwrap();
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # a_link_stays_up();
    /// ```
    pub fn conserves_up_to(&self, kind: &str, limit: usize) {
        simulation::with(|state| state.properties.conserve(kind, limit));
        simulation::listen();
    }

    /// Requires that some run reaches a point: that the service emits a `tracing` event whose target begins with `target` and whose
    /// message contains `message`.
    ///
    /// If none does in as many runs as the test asks for, the test fails. With fewer runs, as with `cargo refrain explore --runs
    /// 10`, it is only reported.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_link_is_lost_sometimes(world: World) {
    ///     world.sometimes("the link is lost", module_path!(), "link down");
    ///     world.host("server", || async {
    ///         tracing::info!("link down");
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # the_link_is_lost_sometimes();
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`conserves`](World::conserves).
    pub fn sometimes(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, true));
        simulation::listen();
    }

    /// Like [`sometimes`](World::sometimes), but only reports in how many runs it happened.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn retries_are_counted(world: World) {
    ///     world.counts("it tries again", module_path!(), "trying again");
    ///     world.host("server", || pending::<()>());
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    /// }
    /// # retries_are_counted();
    /// ```
    pub fn counts(&self, what: &str, target: &str, message: &str) {
        simulation::with(|state| state.properties.sometimes(what, target, message, false));
        simulation::listen();
    }

    /// Allows tasks to panic with a message that contains `message`.
    ///
    /// Whoever awaits the task sees a `JoinError`, as with tokio. A panic of a process's first task still fails the run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn a_bad_frame_ends_one_task(world: World) {
    ///     world.may_panic("bad frame");
    ///     world.host("server", || async {
    ///         let task = tokio::spawn(async { panic!("bad frame") });
    ///         assert!(task.await.unwrap_err().is_panic());
    ///         pending::<()>().await
    ///     });
    ///     tokio::time::sleep(Duration::from_secs(60)).await;
    /// }
    /// # a_bad_frame_ends_one_task();
    /// ```
    pub fn may_panic(&self, message: &str) {
        simulation::with(|state| state.allow_panic(message));
    }

    /// Records what the test saw, such as an answer or a final state. It is an event of the trace, and part of the snapshot of the
    /// outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// # use refrain::{Faults, World};
    /// # use std::{future::pending, time::Duration};
    /// #[refrain::test(runs = 2)]
    /// async fn the_answer_is_recorded(world: World) {
    ///     world.host("server", || echo::serve("0.0.0.0:7"));
    ///     let answers = world.client("client").run(async { echo::ask("server:7", &[b"hello".to_vec()]).await }).await;
    ///     world.saw(answers);
    /// }
    /// # the_answer_is_recorded();
    /// ```
    pub fn saw(&self, what: impl Debug) {
        control::saw(format!("{what:?}"));
    }
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

impl Client {
    /// Configures its kernel; see [`Host::sysctl`].
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
