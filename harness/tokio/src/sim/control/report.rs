//! What every live task waits for, and the fault that may explain it.

use crate::sim::kernel::{ConnId, Fault, Fin, HostId, Kernel, Side, Stage, TaskState, Wait, endpoint, with};
use refrain_core::{
    plan,
    verdict::{self, ConnectionState, Waiting},
};

/// A live task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskReport {
    /// The task and its waits.
    pub waiting: Waiting,
    /// The last fault that affected what it waits for, or the connection it used last; with its start and end.
    pub fault: Option<(plan::Fault, u64, Option<u64>)>,
}

/// Returns every live task, in spawn order.
pub fn tasks() -> Vec<TaskReport> {
    with(|k| k.tasks.iter().filter(|task| k.is_alive(task)).map(|task| report(k, task)).collect())
}

fn report(k: &Kernel, task: &TaskState) -> TaskReport {
    let timers = task.waits.iter().filter_map(|(wait, _)| if let Wait::Timer(at) = wait { Some(*at) } else { None });
    let others = || task.waits.iter().filter(|(wait, _)| !matches!(wait, Wait::Timer(_)));
    let waits: Vec<_> = others().filter_map(|(wait, _)| waits_for(k, *wait)).collect();
    let used = task.used.filter(|_| waits.is_empty());
    let waiting = Waiting {
        host: k.hosts[task.host].name.clone(),
        task: task.identity(),
        main: task.main,
        waits,
        since: others().map(|(_, since)| *since).min().unwrap_or(task.last_poll),
        deadline: timers.min(),
        used: used.map(|(conn, side)| (k.connection(conn, side), state(k, conn, side))),
    };
    TaskReport { waiting, fault: last_fault(k, task) }
}

/// Converts a wait for the report; `None` for a timer.
fn waits_for(k: &Kernel, wait: Wait) -> Option<verdict::Wait> {
    Some(match wait {
        Wait::Read(conn, side) => verdict::Wait::Read(k.connection(conn, side), state(k, conn, side)),
        Wait::Write(conn, side) => verdict::Wait::Write(k.connection(conn, side), state(k, conn, side)),
        Wait::Connect(conn) => verdict::Wait::Connect(k.connection(conn, 0), state(k, conn, 0)),
        Wait::Accept(id) => verdict::Wait::Accept { port: k.listeners[id].addr.port() },
        Wait::Receive(id) => verdict::Wait::Receive(endpoint(k, Some(k.udp[id].host), k.udp[id].addr)),
        Wait::Unix(id, what) => verdict::Wait::Unix { socket: k.unix_socket(id), what: k.unix_waits_for(id, what) },
        Wait::Signal => verdict::Wait::Signal,
        Wait::Join(task) => verdict::Wait::Join(k.tasks[task].identity()),
        Wait::Held => verdict::Wait::Held,
        Wait::Timer(_) => return None,
    })
}

fn state(k: &Kernel, conn: ConnId, side: Side) -> ConnectionState {
    let [end, peer] = [side, 1 - side].map(|side| &k.conns[conn].ends[side]);
    if end.closed {
        return ConnectionState::Closed;
    }
    if end.gone {
        return ConnectionState::Gone;
    }
    if k.conns[conn].pipes[1 - side].fin == Fin::Arrived {
        return ConnectionState::PeerClosed;
    }
    if k.hosts[peer.host].boot != peer.boot {
        return ConnectionState::HalfOpen;
    }
    if !end.established {
        return ConnectionState::SynSent;
    }
    match k.conns[conn].pipes[side].is_unacknowledged() {
        true => ConnectionState::Unacknowledged,
        false => ConnectionState::Established,
    }
}

/// Returns the last fault that affected the connections the task waits for or, if it waits for none, the one it used
/// last. A task without a connection is affected by faults on its host, and a UDP receiver by any fault between its
/// host and others.
fn last_fault(k: &Kernel, task: &TaskState) -> Option<(plan::Fault, u64, Option<u64>)> {
    let mut routes: Vec<(HostId, HostId)> = vec![];
    for (wait, _) in &task.waits {
        if let Wait::Read(conn, _) | Wait::Write(conn, _) | Wait::Connect(conn) = wait {
            routes.push(k.route(*conn, 0));
        }
        if let Wait::Unix(id, _) = wait {
            routes.push(k.unix_hosts(*id));
        }
    }
    if routes.is_empty() {
        routes.extend(task.used.map(|(conn, _)| k.route(conn, 0)));
    }
    if task.waits.iter().any(|(wait, _)| matches!(wait, Wait::Receive(_) | Wait::Accept(_))) {
        routes.push((task.host, task.host));
    }
    let touches = |fault: &&Fault| fault.is_on(task.host) || routes.iter().any(|&(a, b)| fault.touches(a, b));
    let touching = k.faults.iter().filter(touches);
    let began = touching.filter_map(|fault| match fault.stage {
        Stage::Active(began) => Some((fault, began, None)),
        Stage::Over(began, ended) => Some((fault, began, Some(ended))),
        Stage::Waiting | Stage::Canceled => None,
    });
    began.max_by_key(|(_, began, _)| *began).map(|(fault, began, ended)| (fault.plan.clone(), began, ended))
}
