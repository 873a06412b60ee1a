//! What refrain drives a simulation with: start it, add hosts and faults, ask what it did. Not for services.

use super::{
    gate::Gate,
    kernel::{self, End, Fault, HostAction, Kernel, Kind, Network, Trigger, What, with},
};
use madsim::{
    Config,
    runtime::{Handle, Runtime},
    time::TimeHandle,
};
use refrain_core::{
    event::Event,
    place::{Place, Task},
    plan::{self, Hold},
    socket::Socket,
    verdict::OpenSocket,
};
use std::{
    future::{Future, poll_fn},
    net::{IpAddr, Ipv6Addr},
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

mod report;

pub use super::stack::is_guard as is_stack_guard;
pub use kernel::{
    Decision, Effect, Exited, Hooks, Operation, Overflow, Packet, PacketKind, Panic, Rule, RuleId, Settings, Stage,
    Stamp, Sysctl, TriggerKind,
};
pub use report::{TaskReport, tasks};

/// A host, by its number. 0 is the test.
pub type HostId = kernel::HostId;

/// What madsim says when no timer is left.
const DEADLOCK: &str = "no events, all tasks will block forever";

/// What starts a host's process; called again at each boot.
pub type StartProcess = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>>>> + Send + Sync>;

/// How a run begins.
pub struct Start {
    /// Seeds everything.
    pub seed: u64,
    /// Limits and buffers.
    pub settings: Settings,
    /// Who is told at once.
    pub hooks: Hooks,
    /// Which tasks are held back: these, or one in this many at random, or none.
    pub holds: Holds,
    /// Who wants every event.
    pub sink: Option<Box<dyn FnMut(Event)>>,
}

/// Which tasks are held back.
pub enum Holds {
    /// Exactly these.
    Listed(Vec<Hold>),
    /// One in this many, at random.
    Random(u64),
}

/// Runs a test's future to its end in a new world. Once a process: a process has one clock and one history.
#[track_caller]
pub fn run<F>(start: Start, main: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    let runtime = Runtime::with_seed_and_config(start.seed, Config::default());
    runtime.add_simulator::<Network>();
    // madsim hands out its clock only to a task.
    let time = runtime.block_on(async { TimeHandle::current() });
    kernel::clock::begin(&time, start.seed);
    let mut kernel = Kernel::new(time, start.seed, start.settings);
    kernel.record.sink = start.sink;
    kernel.holds = match start.holds {
        Holds::Listed(holds) if holds.is_empty() => kernel::HoldPlan::None,
        Holds::Listed(holds) => kernel::HoldPlan::Listed(holds),
        Holds::Random(one_in) => kernel::HoldPlan::Random { one_in },
    };
    let place = Location::caller();
    kernel.new_task(kernel::TEST_HOST, place, true);
    kernel::install(kernel, start.hooks);
    let driver = runtime.create_node().name("network").build();
    driver.spawn(drive());
    let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(Gate::main(0, main))));
    match ran {
        Ok(output) => {
            let output = output.expect("the test's own panic ends the run");
            // Whatever is left of the world ends with the process: its destructors must not run in a half-gone one.
            std::mem::forget(runtime);
            output
        }
        Err(panic) if panic.downcast_ref::<&str>() == Some(&DEADLOCK) => (start.hooks.deadlocked)(),
        Err(panic) => resume_unwind(panic),
    }
}

/// Does for the network what its timers cannot: arms timers, kills and starts nodes.
async fn drive() {
    let handle = Handle::current();
    poll_fn(|cx| {
        let work = with(|k| k.take_work(cx.waker()));
        let time = super::time::handle();
        for (due, action) in work.timers {
            kernel::arm(&time, due, action);
        }
        for (action, host) in work.hosts {
            let node = with(|k| k.hosts[host].node).expect("a host that has a process has a node");
            match action {
                HostAction::Kill => handle.kill(node),
                HostAction::Restart => handle.restart(node),
                HostAction::Pause => handle.pause(node),
                HostAction::Resume => handle.resume(node),
            }
        }
        Poll::<()>::Pending
    })
    .await;
}

/// Adds a host, and starts its process if it has one.
pub fn add_host(name: &str, place: &'static Location<'static>, process: Option<StartProcess>) -> HostId {
    let id = with(|k| k.add_host(name));
    let handle = Handle::current();
    let mut node = handle.create_node().name(name);
    if let Some(process) = process {
        let process = Arc::new(process);
        node = node.init(move || {
            let task = with(|k| {
                k.process_starts(id);
                k.new_task(id, place, true)
            });
            let process = process.clone();
            // Called within the task, for what it spawns at once to be of this host.
            Gate::main(task, async move {
                let error = process().await.err();
                let how = error.clone().map_or(End::Returned, End::Failed);
                let signalled = with(|k| {
                    let signalled = k.hosts[id].was_signalled();
                    k.process_ends(id, how);
                    // Its other tasks end with it.
                    k.host_do(HostAction::Kill, id);
                    signalled
                });
                (kernel::hooks().exited)(Exited { host: id, place, error, signalled });
            })
        });
    }
    let node = node.build().id();
    with(|k| k.hosts[id].node = Some(node));
    id
}

/// Runs a future as a task of a host, to its end.
#[track_caller]
pub fn run_on<F>(host: HostId, future: F) -> impl Future<Output = F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let place = Location::caller();
    let (task, node) = with(|k| (k.new_task(host, place, false), k.hosts[host].node));
    let node = Handle::current().get_node(node.expect("a host is built before it is used")).expect("a node stays");
    let running = node.spawn(Gate::main(task, future));
    async move { running.await.expect("a client is never killed").expect("a client's panic ends the run") }
}

/// Adds a fault of the plan, and what it does; it begins at a virtual time, in nanoseconds.
pub fn fault_at(fault: plan::Fault, effects: Vec<Effect>, at: u64) {
    with(|k| k.fault_at(Fault::new(fault, effects), at));
}

/// Adds a fault of the plan, and what it does; it begins at the nth time that something happens from one host to another.
pub fn fault_on(fault: plan::Fault, effects: Vec<Effect>, trigger: TriggerKind, way: (HostId, HostId), nth: u32) {
    let trigger = Trigger { kind: trigger, from: way.0, to: way.1, nth };
    with(|k| k.fault_on(Fault::new(fault, effects), trigger));
}

/// Adds a rule, for the effects of faults to name.
pub fn add_rule(rule: Box<dyn Rule>) -> RuleId {
    with(|k| k.rules.add(rule))
}

/// Every task that was spawned on a host, and how often it was polled.
pub fn spawned(host: HostId) -> Vec<(Task, u32)> {
    with(|k| k.tasks.iter().filter(|task| task.host == host).map(|task| (task.identity(), task.polls)).collect())
}

/// How often something has happened so far from one host to another.
pub fn occurred(trigger: TriggerKind, way: (HostId, HostId)) -> u32 {
    with(|k| k.occurred(trigger, way.0, way.1))
}

/// Ends every fault.
pub fn heal() {
    with(Kernel::heal);
}

/// The stage of each fault, and the states of the connections that it touched when it began, in the order in
/// which they were added.
pub fn faults() -> Vec<(Stage, Vec<&'static str>)> {
    with(|k| k.faults.iter().map(|fault| (fault.stage, fault.met.clone())).collect())
}

/// Every socket of every host, as `ss` shows them.
pub fn netstat() -> Vec<Socket> {
    with(|k| k.netstat())
}

/// Changes what a host's kernel was told.
pub fn sysctl(host: HostId, sysctl: Sysctl) {
    with(|k| k.hosts[host].sysctl = sysctl);
}

/// Says which hosts have a name from now on.
pub fn resolve_to(name: &str, hosts: Vec<HostId>) {
    with(|k| {
        k.event(Kind::Test, hosts.len(), 1, |k| {
            let names = hosts.iter().map(|&host| k.hosts[host].name.clone());
            What::Resolve { name: name.to_owned(), hosts: names.collect() }
        });
        k.names.insert(name.to_owned(), hosts);
    });
}

/// Sends a Unix signal to a host's process.
pub fn signal(host: HostId, number: i32) {
    with(|k| k.signal(host, number));
}

/// Kills a host's process and starts it again, as an operator does.
pub fn restart(host: HostId) {
    with(|k| {
        if !k.hosts[host].up {
            return k.event_on(Kind::End, host, 0, |_| What::NotRestarted);
        }
        k.kill_process(host, End::Restarted);
        k.host_do(HostAction::Restart, host);
    });
}

/// A host's address of IPv6. Names resolve to the one of IPv4.
pub fn ipv6(host: HostId) -> IpAddr {
    with(|k| k.hosts[host].ip_like(Ipv6Addr::UNSPECIFIED.into()))
}

/// Whether a host's process runs.
pub fn is_running(host: HostId) -> bool {
    with(|k| k.hosts[host].running)
}

/// Virtual nanoseconds since the start.
pub fn now() -> u64 {
    with(|k| k.now)
}

/// The running digest of everything that happened so far.
pub fn digest() -> u64 {
    with(|k| k.record.digest)
}

/// How many polls and how many events there were so far.
pub fn counts() -> (u64, u64) {
    with(|k| (k.polls, k.record.count))
}

/// How many holds took place so far.
pub fn holds_count() -> usize {
    with(|k| k.holds_taken.len())
}

/// The holds that took place so far.
pub fn holds_taken() -> Vec<Hold> {
    with(|k| k.holds_taken.clone())
}

/// How many sockets and tasks are open now, over all hosts but the test's.
pub fn open_now() -> (usize, usize) {
    with(|k| {
        let hosts = 1..k.hosts.len();
        hosts.map(|host| k.open_now(host)).fold((0, 0), |sum, open| (sum.0 + open.0, sum.1 + open.1))
    })
}

/// The sockets that are open now, over all hosts but the test's, each with its host's name.
pub fn sockets() -> Vec<(String, OpenSocket)> {
    let of = |k: &Kernel, host: HostId| -> Vec<_> {
        k.sockets(host).into_iter().map(|socket| (k.hosts[host].name.clone(), socket)).collect()
    };
    with(|k| (1..k.hosts.len()).flat_map(|host| of(k, host)).collect())
}

/// Now, and the task that runs.
pub fn stamp() -> Stamp {
    with(|k| k.stamp())
}

/// The host of the task that runs.
pub fn current_host() -> HostId {
    kernel::current_host()
}

/// Which process of its host the task that runs belongs to, and which one the host runs now.
pub fn incarnations(host: HostId) -> (u32, u32) {
    with(|k| (k.tasks[kernel::current_task()].incarnation, k.hosts[host].incarnation))
}

/// Notes that a property of the test holds.
pub fn holds(property: &str) {
    note(property.len() + "\"\" holds".len(), What::Holds { property: property.to_owned() });
}

/// Notes what the test saw.
pub fn saw(value: String) {
    note(value.len() + "saw ".len(), What::Saw { value });
}

/// Notes that a task panicked as the test allows.
pub fn panic_allowed(place: Option<Place>, message: String) {
    note(message.len(), What::PanicAllowed { place, message });
}

/// The digest knows a note by the length of its sentence, as reports once showed it: those of saved traces do.
fn note(length: usize, what: What) {
    with(|k| k.event(Kind::Test, length, 0, |_| what));
}

/// Calls [`Hooks::polled`] after each poll from now on, or no more.
pub fn watch_polls(on: bool) {
    kernel::watch(on);
}
