//! The state of one simulated world: hosts, connections, faults and tasks, on the thread that runs it.
//!
//! A run has its own process, in which one thread executes at a time, so the state lives in a thread-local and needs no lock; it is
//! handed on with the turn. Nothing calls out while it is borrowed: wakers are collected and woken afterwards.

use crate::sim::stack;
use madsim::time::TimeHandle;
use refrain_core::plan::{Hold, fault::RouteEffect};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    panic::Location,
    task::Waker,
    time::Duration,
};

mod bytes;
mod challenge;
pub(crate) mod clock;
mod close;
mod conn;
mod current;
mod dns;
mod errno;
mod escape;
mod family;
mod fault;
mod futex;
mod handshake;
mod host;
mod keepalive;
mod link;
mod listen;
mod netstat;
mod network;
mod ports;
mod record;
mod rule;
mod segment;
mod shared;
mod socket;
mod spawned;
mod stream;
mod sysctl;
mod tasks;
mod timer;
mod triggers;
mod turn;
mod udp;
mod unix;
mod waiters;

pub(crate) use conn::{Conn, Fin};
pub(crate) use current::{
    current_host, current_task, hooks, in_timer, install, is_free, is_running, keep, peek, switch_task, thread_chance,
    try_with, watch, watched, with, with_at, with_if_free,
};
pub(crate) use dns::NotResolved;
pub(crate) use errno::os_error;
pub use escape::Escape;
pub(crate) use family::{presented, unbound};
pub(crate) use fault::Fault;
pub use fault::{Effect, Stage};
pub(crate) use host::{Host, HostAction};
pub(crate) use listen::BACKLOG;
pub(crate) use network::Network;
pub(crate) use ports::{Bound, Ports};
pub(crate) use record::Kind;
pub use record::Stamp;
pub(crate) use refrain_core::event::{Connection, End, Endpoint, Kind as What, Tcp, Udp, Unix, UnixSocket};
pub(crate) use rule::Rules;
pub use rule::{Decision, Operation, Packet, PacketKind, Rule, RuleId};
pub(crate) use shared::{PartId, Role, SharedId};
pub(crate) use socket::Options as SocketOptions;
pub use spawned::{CallPlace, Spawned};
pub use sysctl::{Overflow, Sysctl};
pub(crate) use tasks::{Created, HoldPlan, TaskState, Turn, Wait, check_entered, wait_is_over};
pub(crate) use timer::{Action, Timer, arm};
pub(crate) use triggers::Trigger;
pub use triggers::TriggerKind;
pub(crate) use turn::{borrow, lend};
pub(crate) use unix::SocketKind;
pub(crate) use waiters::Waiters;

/// A connection. Ids are never reused within a run, so a stale socket of a dead process cannot refer to another
/// connection.
pub(crate) type ConnId = usize;
/// An end of a connection: 0 for the connecting side, 1 for the accepting one.
pub(crate) type Side = usize;
pub(crate) type HostId = usize;
/// The host on which the test itself runs.
pub(crate) const TEST_HOST: HostId = 0;
pub(crate) type ListenerId = usize;
pub(crate) type SocketId = usize;
pub(crate) type UdpId = usize;
pub(crate) type UnixId = usize;
pub(crate) type TaskId = usize;

/// The runtime of a thread that has entered none.
pub(crate) const NO_RUNTIME: u64 = u64::MAX;

/// Maximum number of polls in a row without the clock advancing to a timer.
pub(crate) const BUSY_POLLS_MAX: u64 = 1_000_000;

/// The farthest that a deadline may lie in the future, about 70 years. A plan may ask for more than the clock can
/// count.
pub(crate) const FAR_NS: u64 = u64::MAX / 8;

/// Everything that a run simulates.
pub(crate) struct Kernel {
    pub time: TimeHandle,
    /// Virtual time in nanoseconds, updated whenever the kernel is borrowed.
    pub now: u64,
    pub seed: u64,
    pub hosts: Vec<Host>,
    /// The hosts by name, without the test's own.
    pub hosts_by_name: BTreeMap<String, HostId>,
    pub tasks: Vec<TaskState>,
    pub conns: Vec<Conn>,
    /// The active effects per route.
    pub impaired: Vec<((HostId, HostId), RouteEffect)>,
    /// The tests' own rules for packets.
    pub rules: Rules,
    /// The primitives of `sync`, with their holders.
    pub shared: shared::SharedThings,
    /// What threads wait for in libc and std.
    futexes: futex::Futexes,
    /// What the test's last attempt at a property waited for when it failed.
    pub attempt: Option<tasks::Attempt>,
    /// Per route with limited bandwidth, when the link becomes free.
    pub busy_until: BTreeMap<(HostId, HostId), u64>,
    pub sockets: Vec<socket::Socket>,
    pub udp: Vec<udp::UdpSocket>,
    pub unix: Vec<unix::Socket>,
    unix_names: unix::Names,
    /// Datagrams in flight, by number.
    pub datagrams: BTreeMap<u64, udp::Datagram>,
    pub datagrams_sent: u64,
    /// Names that the test added, with their hosts.
    pub names: BTreeMap<String, Vec<HostId>>,
    pub listeners: Vec<listen::Listener>,
    pub faults: Vec<Fault>,
    pub triggers: triggers::Triggers,
    pub record: record::Recorder,
    pub holds: HoldPlan,
    /// Whether the network was healed.
    pub healed: bool,
    pub holds_taken: Vec<Hold>,
    /// How many runtimes services have built.
    pub runtimes: u64,
    pub settings: Settings,
    pub polls: u64,
    tasks_at: BTreeMap<(HostId, &'static str, u32), u32>,
    connects: BTreeMap<(HostId, HostId), u64>,
    busy: tasks::Busy,
    /// Whether the current task's process was killed or lost power since the kernel was borrowed.
    current_died: bool,
    wakes: Vec<Waker>,
    later: Vec<(u64, Action)>,
    host_actions: Vec<(HostAction, HostId)>,
    driver: Option<Waker>,
}

/// Limits of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The run fails when virtual time reaches this, in nanoseconds.
    pub time_max: u64,
    /// How long a poll that must not block may sleep before it counts as one that hangs, in nanoseconds.
    pub poll_max: u64,
}

/// How a host's process ended.
#[derive(Debug)]
pub struct Exited {
    /// The host.
    pub host: HostId,
    /// Where the host was added.
    pub place: &'static Location<'static>,
    /// Its error with the chain of causes.
    pub error: Option<String>,
    /// Whether it had received a signal that it handles.
    pub signalled: bool,
}

/// A panic payload.
pub type Panic = Box<dyn std::any::Any + Send>;

/// Callbacks into refrain. Those that do not return end the run.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// A host's process has ended by itself.
    pub exited: fn(Exited),
    /// No task can make progress.
    pub deadlocked: fn() -> !,
    /// Code of the service is about to leave the simulation.
    pub escaped: fn(Escape) -> !,
    /// Code of the service frees what is not allocated.
    pub freed_again: fn() -> !,
    /// A task panicked; the flag says whether its `JoinHandle` can be awaited. The returned payload goes to whoever
    /// awaits it.
    pub panicked: fn(Panic, bool) -> Panic,
    /// Virtual time has reached its limit.
    pub out_of_time: fn() -> !,
    /// Tasks are polled without end while virtual time does not advance.
    pub busy: fn() -> !,
    /// Called where the service starts a thread. The result is called on that thread before its code.
    pub thread_starts: fn() -> Box<dyn FnOnce()>,
    /// Returns the line of the service that starts a thread or blocks right now, given the number of the calls that lead there.
    pub place_of_calls: fn(u64) -> &'static CallPlace,
    /// Called before each poll with the place where the task was spawned; `None` for the test itself.
    pub polling: fn(Option<Spawned>),
    /// Called after each poll, while enabled by [`super::control::watch_polls`].
    pub polled: fn(),
}

impl Kernel {
    pub fn new(time: TimeHandle, seed: u64, settings: Settings) -> Kernel {
        let mut kernel = Kernel {
            time,
            now: 0,
            seed,
            hosts: vec![],
            hosts_by_name: BTreeMap::new(),
            tasks: vec![],
            conns: vec![],
            sockets: vec![],
            udp: vec![],
            unix: vec![],
            unix_names: Default::default(),
            datagrams: BTreeMap::new(),
            datagrams_sent: 0,
            names: BTreeMap::new(),
            listeners: vec![],
            impaired: vec![],
            rules: Rules::default(),
            shared: Default::default(),
            futexes: Default::default(),
            attempt: None,
            busy_until: BTreeMap::new(),
            faults: vec![],
            triggers: Default::default(),
            record: Default::default(),
            holds: HoldPlan::None,
            healed: false,
            holds_taken: vec![],
            runtimes: 0,
            settings,
            polls: 0,
            tasks_at: BTreeMap::new(),
            connects: BTreeMap::new(),
            busy: Default::default(),
            current_died: false,
            wakes: vec![],
            later: vec![],
            host_actions: vec![],
            driver: None,
        };
        kernel.hosts.push(Host::new("", TEST_HOST));
        kernel
    }

    /// Sets the clock, which madsim's may not have reached yet. During a poll, time stands.
    fn set_now(&mut self, least: u64) {
        if stack::depth() == 0 {
            self.now = clock::now(&self.time).max(least);
        }
    }

    /// Queues a waker, which is woken once the kernel is no longer borrowed.
    pub fn wake(&mut self, waker: Option<Waker>) {
        self.wakes.extend(waker);
    }

    /// Schedules `action` at virtual time `due`. Inside a timer callback the driver task arms the timer instead.
    pub fn later(&mut self, due: u64, action: Action) {
        let due = due.min(self.now.saturating_add(FAR_NS));
        if !current::is_in_timer() && due > self.now {
            return arm(&self.time, due, action);
        }
        self.later.push((due, action));
        let driver = self.driver.take();
        self.wake(driver);
    }

    /// Returns a random number that depends only on the seed, the stream and `n`, never on the schedule.
    pub fn random(&self, stream: u64, n: u64) -> u64 {
        record::mix(self.seed ^ stream, n)
    }

    /// Returns the host that has an address, as seen from another host.
    pub fn host_at(&self, from: HostId, ip: IpAddr) -> Option<HostId> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        host::with_address(ip).filter(|&host| self.hosts.get(host).is_some_and(|host| host.has(ip)))
    }
}

/// Converts a duration to nanoseconds, saturating.
pub(crate) fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns an endpoint: the host's name if a host has the address, else the address itself.
pub(crate) fn endpoint(kernel: &Kernel, host: Option<HostId>, addr: SocketAddr) -> Endpoint {
    let host = host.map_or_else(|| addr.ip().to_string(), |host| kernel.hosts[host].name.clone());
    Endpoint { host, port: addr.port() }
}

/// Returns a socket address as `ss` shows it: `notes:49152`.
pub(crate) fn name_of(kernel: &Kernel, host: HostId, addr: SocketAddr) -> String {
    let name = if host == TEST_HOST { "(test)" } else { &kernel.hosts[host].name };
    format!("{name}:{}", addr.port())
}
