//! What every task waits for, for people.

use crate::sim::kernel::{ConnId, Fin, HostId, Kernel, Side, Stage, TaskState, Wait, with};

/// A task that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskReport {
    /// Its host's name.
    pub host: String,
    /// Where it was spawned.
    pub place: String,
    /// Which of those spawned there, from 1.
    pub nth: u32,
    /// Whether it is its host's main task.
    pub main: bool,
    /// What it waits for, in the order in which it asked. Empty: a lock, a channel or a notification.
    pub waits: Vec<WaitReport>,
    /// The connection that it used last, and how that is: `notes:49152 -> exchange:5010 (reset)`.
    pub used: Option<String>,
    /// When it was polled last, in nanoseconds.
    pub last_poll: u64,
    /// The deadline of the first timer among them, in nanoseconds.
    pub deadline: Option<u64>,
    /// The last fault that touched what it waits for or used last, and when that began and ended.
    pub fault: Option<(String, u64, Option<u64>)>,
}

/// One thing that a task waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitReport {
    /// For people: `to read from notes:49152 -> exchange:5010 (established)`.
    pub what: String,
    /// Whether the network may let it wait for ever: a read, a write or a connect.
    pub network: bool,
    /// Whether a server waits so at rest: for the next connection, a signal, or tasks that tell themselves what they
    /// wait for.
    pub at_rest: bool,
    /// Since when, in nanoseconds.
    pub since: u64,
}

/// Every task that has not ended, in the order in which they were spawned.
pub fn tasks() -> Vec<TaskReport> {
    with(|k| k.tasks.iter().filter(|task| k.lives(task)).map(|task| report(k, task)).collect())
}

fn report(k: &Kernel, task: &TaskState) -> TaskReport {
    let waits = task.waits.iter().filter(|(wait, _)| !matches!(wait, Wait::Timer(_)));
    let waits = waits.map(|&(wait, since)| WaitReport {
        what: describe(k, wait),
        network: is_network(wait),
        at_rest: matches!(wait, Wait::Accept(_) | Wait::Signal | Wait::Join(_)),
        since,
    });
    let timers = task.waits.iter().filter_map(|(wait, _)| if let Wait::Timer(at) = wait { Some(*at) } else { None });
    TaskReport {
        host: k.hosts[task.host].name.clone(),
        place: task.place(),
        nth: task.nth,
        main: task.main,
        waits: waits.collect(),
        used: task.used.map(|(conn, side)| format!("{} ({})", k.describe(conn, side), state(k, conn, side))),
        last_poll: task.last_poll,
        deadline: timers.min(),
        fault: last_fault(k, task),
    }
}

fn is_network(wait: Wait) -> bool {
    matches!(wait, Wait::Read(..) | Wait::Write(..) | Wait::Connect(_) | Wait::Receive(_))
}

fn describe(k: &Kernel, wait: Wait) -> String {
    match wait {
        Wait::Read(conn, side) => format!("to read from {} ({})", k.describe(conn, side), state(k, conn, side)),
        Wait::Write(conn, side) => format!("to write to {} ({})", k.describe(conn, side), state(k, conn, side)),
        Wait::Connect(conn) => format!("to be connected {} ({})", k.describe(conn, 0), state(k, conn, 0)),
        Wait::Accept(id) => format!("for a connection on port {}", k.listeners[id].addr.port()),
        Wait::Receive(id) => format!("to receive on {}", k.udp_describe(id)),
        Wait::Timer(at) => format!("for a timer at {at} ns"),
        Wait::Signal => "for a signal".into(),
        Wait::Join(task) => format!("for the task spawned at {}", k.tasks[task].place()),
        Wait::Held => "because the plan holds it".into(),
    }
}

fn state(k: &Kernel, conn: ConnId, side: Side) -> String {
    let [end, peer] = [side, 1 - side].map(|side| &k.conns[conn].ends[side]);
    let name = &k.hosts[peer.host].name;
    if end.let_go {
        return "closed".into();
    }
    if end.gone {
        return "gone: reset or timed out".into();
    }
    if k.conns[conn].pipes[1 - side].fin == Fin::Arrived {
        return format!("{name} has closed its side");
    }
    if k.hosts[peer.host].boot != peer.boot {
        return format!("half-open: {name} has lost power since");
    }
    if !end.established {
        return "SYN sent".into();
    }
    match k.conns[conn].pipes[side].is_unacknowledged() {
        true => format!("established, {name} has not acknowledged"),
        false => "established".into(),
    }
}

/// The last fault that touched the connections a task waits for; without one, that which it used last, else its host.
fn last_fault(k: &Kernel, task: &TaskState) -> Option<(String, u64, Option<u64>)> {
    let mut ways: Vec<(HostId, HostId)> = vec![];
    for (wait, _) in &task.waits {
        if let Wait::Read(conn, _) | Wait::Write(conn, _) | Wait::Connect(conn) = wait {
            ways.push(k.way(*conn, 0));
        }
    }
    if ways.is_empty() {
        ways.push(task.used.map_or((task.host, task.host), |(conn, _)| k.way(conn, 0)));
    }
    let began = k.faults.iter().filter(|fault| ways.iter().any(|&(a, b)| fault.touches(a, b)));
    let began = began.filter_map(|fault| match fault.stage {
        Stage::Active(began) => Some((fault.text.clone(), began, None)),
        Stage::Over(began, ended) => Some((fault.text.clone(), began, Some(ended))),
        Stage::Waiting | Stage::Canceled => None,
    });
    began.max_by_key(|(_, began, _)| *began)
}
