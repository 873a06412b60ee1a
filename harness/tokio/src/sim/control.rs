//! The interface through which refrain drives a simulation: start it, add hosts and faults, query its state. Not for
//! services.

use super::{
    gate::Gate,
    interpose::{self, guard, heap::Freed},
    kernel::{self, End, Fault, HostAction, Kernel, Kind, Network, Trigger, Wait, What, with},
    task,
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
    io,
    net::{IpAddr, Ipv6Addr},
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::Poll,
};

mod branch;
pub mod quarantine;
mod report;

pub use super::{
    addresses::of_runs as addresses_of_runs,
    interpose::{
        end_threads,
        guard::{
            Called, begin_run, can_guard, guard, has_changed_process, is_installed as is_guarded, reset_time_stamps,
            sees_time_stamps,
        },
    },
    section::unguarded,
    stack::is_guard as is_stack_guard,
};
pub use branch::{branch, cancel_faults, stop_recording};
pub use kernel::{
    CallPlace, Decision, Effect, Escape, Exited, Hooks, Operation, Overflow, Packet, PacketKind, Panic, Rule, RuleId,
    Settings, Spawned, Stage, Stamp, Sysctl, TriggerKind,
};
pub use report::{TaskReport, attempt, keep_waits, kept_waits, tasks};

/// Returns whether this is a thread that a simulated process has started itself.
pub fn is_thread_of_process() -> bool {
    interpose::is_started_by_service()
}

/// A host's id. 0 is the test's own host.
pub type HostId = kernel::HostId;

/// The panic message of madsim when no timer is left.
const DEADLOCK: &str = "no events, all tasks will block forever";

/// Starts a host's process; called again at each boot.
pub type StartProcess = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>>>> + Send + Sync>;

/// The parameters of a run.
pub struct Start {
    /// The seed of all randomness.
    pub seed: u64,
    /// Limits of the run.
    pub settings: Settings,
    /// Callbacks into refrain.
    pub hooks: Hooks,
    /// Which tasks are held.
    pub holds: Holds,
    /// Receives every event, if set.
    pub sink: Option<Box<dyn FnMut(Event)>>,
}

/// Which tasks are held.
pub enum Holds {
    /// Exactly these.
    Listed(Vec<Hold>),
    /// One task in this many, at random.
    Random(u64),
}

/// Runs a test's future to completion in a new world. May be called once per process, which has one clock and one
/// history.
#[track_caller]
pub fn run<F>(start: Start, main: F) -> F::Output
where
    F: Future + 'static,
    F::Output: 'static,
{
    interpose::link();
    interpose::on_thread_start(task::hand_on_runtimes);
    if guard::is_on() {
        interpose::heap::begin(Freed { again: |_| (kernel::hooks().freed_again)(), kept: |_, _| {} });
    }
    let mut runtime = Runtime::with_seed_and_config(start.seed, Config::default());
    // Otherwise madsim lets std panic: `interpose` says which line of the service has started a thread.
    runtime.set_allow_system_thread(guard::is_on());
    runtime.add_simulator::<Network>();
    // madsim gives access to its clock only inside a task.
    let time = runtime.block_on(async { TimeHandle::current() });
    kernel::clock::begin(&time, start.seed);
    let mut kernel = Kernel::new(time, start.seed, start.settings);
    kernel.record.sink = start.sink;
    kernel.holds = hold_plan(start.holds);
    let place = Location::caller();
    kernel.new_task(kernel::TEST_HOST, place, true);
    kernel::install(kernel, start.hooks);
    let driver = runtime.create_node().name("network").build();
    driver.spawn(drive());
    let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(Gate::main(0, main))));
    match ran {
        Ok(output) => {
            let output = output.expect("the test's own panic ends the run").take();
            // The process exits after the run. The world must not be dropped here: destructors would run in a
            // half-destroyed one.
            std::mem::forget(runtime);
            output
        }
        Err(panic) if panic.downcast_ref::<&str>() == Some(&DEADLOCK) => (start.hooks.deadlocked)(),
        Err(panic) => resume_unwind(panic),
    }
}

/// The driver task: arms timers and kills and starts nodes, which timer callbacks cannot do.
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

/// Adds a host and starts its process, if it has one.
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
            // Called within the task, so that anything it spawns right away belongs to this host.
            Gate::main(task, async move {
                let error = process().await.err();
                let how = error.clone().map_or(End::Returned, End::Failed);
                let signalled = with(|k| {
                    let signalled = k.hosts[id].was_signalled();
                    k.process_ends(id, how);
                    // The process's other tasks end with it.
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

/// Puts a host on the machine of another one: they share the names of Unix sockets, and power failures.
pub fn share_machine(host: HostId, with_host: HostId) {
    with(|k| k.hosts[host].machine = k.hosts[with_host].machine);
}

/// Runs a future to completion as a task of a host.
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
    async move {
        let mut running = running;
        let joined = poll_fn(|cx| {
            let polled = Pin::new(&mut running).poll(cx);
            if polled.is_pending() {
                with(|k| k.wait(Wait::Join(task)));
            }
            polled
        });
        joined.await.expect("a client is never killed").expect("a client's panic ends the run").take()
    }
}

/// Adds a fault of the plan with its effects; it starts at a virtual time, in nanoseconds.
pub fn fault_at(fault: plan::Fault, effects: Vec<Effect>, at: u64) {
    with(|k| k.fault_at(Fault::new(fault, effects), at));
}

/// Adds a fault of the plan with its effects; it starts at the nth occurrence of the trigger on a route.
pub fn fault_on(fault: plan::Fault, effects: Vec<Effect>, trigger: TriggerKind, route: (HostId, HostId), nth: u32) {
    let trigger = Trigger { kind: trigger, from: route.0, to: route.1, nth };
    with(|k| k.fault_on(Fault::new(fault, effects), trigger));
}

/// Adds a rule, which effects of faults refer to.
pub fn add_rule(rule: Box<dyn Rule>) -> RuleId {
    with(|k| k.rules.add(rule))
}

/// Returns every task spawned on a host and its number of polls.
pub fn spawned(host: HostId) -> Vec<(Task, u32)> {
    with(|k| k.tasks.iter().filter(|task| task.host == host).map(|task| (task.identity(), task.polls)).collect())
}

/// Returns how often the trigger has occurred on a route.
pub fn occurred(trigger: TriggerKind, route: (HostId, HostId)) -> u32 {
    with(|k| k.occurred(trigger, route.0, route.1))
}

fn hold_plan(holds: Holds) -> kernel::HoldPlan {
    match holds {
        Holds::Listed(holds) if holds.is_empty() => kernel::HoldPlan::None,
        Holds::Listed(holds) => kernel::HoldPlan::Listed(holds),
        Holds::Random(one_in) => kernel::HoldPlan::Random { one_in },
    }
}

/// Ends all active faults and cancels pending ones.
pub fn heal() {
    with(Kernel::heal);
}

/// Returns the stage of each fault and the states of the affected connections when it started, in the order in which
/// the faults were added.
pub fn faults() -> Vec<(Stage, Vec<&'static str>)> {
    with(|k| k.faults.iter().map(|fault| (fault.stage, fault.states_at_start.clone())).collect())
}

/// Returns every socket of every host, as `ss` shows them.
pub fn netstat() -> Vec<Socket> {
    with(|k| k.netstat())
}

/// Changes the settings of a host's kernel.
pub fn sysctl(host: HostId, sysctl: Sysctl) {
    with(|k| k.hosts[host].sysctl = sysctl);
}

/// Sets which hosts a name resolves to.
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

/// Returns a host's IPv6 address. Names resolve to the IPv4 one.
pub fn ipv6(host: HostId) -> IpAddr {
    with(|k| k.hosts[host].ip_like(Ipv6Addr::UNSPECIFIED.into()))
}

/// Removes the path of a Unix socket on the current task's machine. `None`: it is not a simulated socket.
pub fn remove_socket(path: &Path) -> Option<io::Result<()>> {
    kernel::with_if_free(|k| k.unix_remove(path)).flatten()
}

/// Returns whether a Unix socket has this path on the current task's machine. `None`: the real file system knows.
pub fn has_socket(path: &Path) -> Option<bool> {
    kernel::with_if_free(|k| k.unix_exists(path)).flatten()
}

/// Returns whether a host's process runs.
pub fn is_running(host: HostId) -> bool {
    with(|k| k.hosts[host].running)
}

/// The name and the version of this package.
pub const PACKAGE: &str = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));

/// Returns the directory of this crate's sources, as in `file!()`.
pub fn sources() -> &'static str {
    file!().strip_suffix("sim/control.rs").expect("this is the file")
}

/// Returns the virtual time since the start, in nanoseconds.
pub fn now() -> u64 {
    with(|k| k.now)
}

/// Returns the digest of everything that has happened so far.
pub fn digest() -> u64 {
    with(|k| k.record.digest)
}

/// Returns the number of polls and of events so far.
pub fn counts() -> (u64, u64) {
    with(|k| (k.polls, k.record.count))
}

/// Returns the number of holds so far.
pub fn holds_count() -> usize {
    with(|k| k.holds_taken.len())
}

/// Returns the holds so far.
pub fn holds_taken() -> Vec<Hold> {
    with(|k| k.holds_taken.clone())
}

/// Returns the number of open sockets and of live tasks, over all hosts but the test's.
pub fn open_now() -> (usize, usize) {
    with(|k| {
        let hosts = 1..k.hosts.len();
        hosts.map(|host| k.open_now(host)).fold((0, 0), |sum, open| (sum.0 + open.0, sum.1 + open.1))
    })
}

/// Returns the open sockets of all hosts but the test's, each with its host's name.
pub fn sockets() -> Vec<(String, OpenSocket)> {
    let of = |k: &Kernel, host: HostId| -> Vec<_> {
        k.sockets(host).into_iter().map(|socket| (k.hosts[host].name.clone(), socket)).collect()
    };
    with(|k| (1..k.hosts.len()).flat_map(|host| of(k, host)).collect())
}

/// Returns the current time and task.
pub fn stamp() -> Stamp {
    with(|k| k.stamp())
}

/// Returns the current task's host.
pub fn current_host() -> HostId {
    kernel::current_host()
}

/// Returns the incarnation of the process that the current task belongs to, and the one that the host runs now.
pub fn incarnations(host: HostId) -> (u32, u32) {
    with(|k| (k.tasks[kernel::current_task()].incarnation, k.hosts[host].incarnation))
}

/// Records that an attempt of the test has failed in this poll, and what it waited for; it started at this virtual time.
pub fn attempt_failed(began: u64) {
    with(|k| k.attempt_failed(began));
}

/// Records that a property of the test holds.
pub fn holds(property: &str) {
    with(|k| k.attempt = None);
    note(property.len() + "\"\" holds".len(), What::Holds { property: property.to_owned() });
}

/// Records an observation of the test.
pub fn saw(value: String) {
    note(value.len() + "saw ".len(), What::Saw { value });
}

/// Records that a task panicked and the test allows it.
pub fn panic_allowed(place: Option<Place>, message: String) {
    note(message.len(), What::PanicAllowed { place, message });
}

/// Records a note. The digest identifies it by the length that its sentence had in earlier reports, to keep the digests
/// of saved traces.
fn note(length: usize, what: What) {
    with(|k| k.event(Kind::Test, length, 0, |_| what));
}

/// Enables or disables calling [`Hooks::polled`] after each poll.
pub fn watch_polls(on: bool) {
    kernel::watch(on);
}
