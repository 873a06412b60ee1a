//! What every live task waits for, and the fault that may explain it.

use crate::sim::{
    kernel::{
        self, ConnId, Fault, Fin, HostId, Kernel, Side, Stage, Stamp, TaskId, TaskState, UnixId, Wait, current_task,
        endpoint, with,
    },
    stack,
};
use refrain_core::{
    plan,
    verdict::{self, ConnectionState, Waiting},
};
use std::cell::RefCell;

/// A live task, or one that waited.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskReport {
    /// Its number in [`tasks`]; `None` if it has ended.
    pub number: Option<usize>,
    /// The task and its waits.
    pub waiting: Waiting,
    /// The numbers in [`tasks`] of those that could wake it: the holder of the lock, the other end of the channel or the connection,
    /// the task that it joins.
    pub wakers: Vec<usize>,
    /// Those without which it cannot continue: its only wait is for them, or it waits for what they hold.
    pub blockers: Vec<usize>,
    /// The last fault that affected what it waits for, or the connection it used last; with its start and end.
    pub fault: Option<(plan::Fault, u64, Option<u64>)>,
}

/// Returns every live task, in spawn order.
pub fn tasks() -> Vec<TaskReport> {
    with(|k| {
        let alive = alive(k);
        alive.iter().map(|&id| report(k, &alive, id, &k.tasks[id].waits, None)).collect()
    })
}

/// Returns what the test's last attempt at a property waited for when it failed.
pub fn attempt() -> Option<TaskReport> {
    with(|k| {
        let attempt = k.attempt.clone()?;
        Some(report(k, &alive(k), attempt.task, &attempt.waits, Some(attempt.at)))
    })
}

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new((None, vec![])) };
}

/// The running task, and the waits of the others.
pub type Kept = (Option<Stamp>, Vec<Waiting>);

/// Records the waits before each change from now on.
pub fn keep_waits() {
    kernel::keep(|k| {
        let runs = (stack::depth() > 0).then(current_task);
        let waits = alive(k).into_iter().filter(|id| Some(*id) != runs);
        let waits = waits.map(|id| waiting(k, id, &k.tasks[id].waits, None)).collect();
        KEPT.set((runs.map(|_| k.stamp()), waits));
    });
}

/// Returns the waits before the last change.
pub fn kept_waits() -> Kept {
    KEPT.take()
}

fn alive(k: &Kernel) -> Vec<TaskId> {
    (0..k.tasks.len()).filter(|&id| k.is_alive(&k.tasks[id])).collect()
}

fn report(k: &Kernel, alive: &[TaskId], id: TaskId, waits: &[(Wait, u64)], gave_up: Option<u64>) -> TaskReport {
    let (wakers, blockers) = wakers(k, alive, id, waits);
    TaskReport {
        number: alive.binary_search(&id).ok(),
        waiting: waiting(k, id, waits, gave_up),
        wakers,
        blockers,
        fault: last_fault(k, &k.tasks[id], waits),
    }
}

fn waiting(k: &Kernel, id: TaskId, waits: &[(Wait, u64)], gave_up: Option<u64>) -> Waiting {
    let task = &k.tasks[id];
    let timer = |wait: &Wait| match wait {
        Wait::Timer(at, created) => Some((*at, Some(*created))),
        Wait::Until(at) => Some((*at, None)),
        _ => None,
    };
    let timer = waits.iter().filter_map(|(wait, _)| timer(wait)).min_by_key(|(at, _)| *at);
    let others = || waits.iter().filter(|(wait, _)| !is_time(wait));
    let typed: Vec<_> = others().filter_map(|(wait, _)| waits_for(k, *wait)).collect();
    // What it shares with others may depend on that connection.
    let used = task.used.filter(|_| typed.iter().all(|wait| matches!(wait, verdict::Wait::Shared(_))));
    Waiting {
        host: k.hosts[task.host].name.clone(),
        task: task.identity(),
        main: task.main,
        waits: typed,
        since: others().map(|(_, since)| *since).min().unwrap_or(task.last_poll),
        deadline: timer.map(|(at, _)| at),
        timer: timer.and_then(|(_, created)| created).map(|created| created.0.into()),
        gave_up,
        used: used.map(|(conn, side)| (k.connection(conn, side), state(k, conn, side))),
    }
}

/// Returns whether it ends by itself.
fn is_time(wait: &Wait) -> bool {
    matches!(wait, Wait::Timer(..) | Wait::Until(_))
}

/// Returns the tasks that could wake a task with these waits, and those without which it cannot continue, as indices into the list of
/// live tasks.
fn wakers(k: &Kernel, alive: &[TaskId], id: TaskId, waits: &[(Wait, u64)]) -> (Vec<usize>, Vec<usize>) {
    let is_alone = waits.iter().filter(|(wait, _)| !is_time(wait)).count() == 1;
    let at_other_end = |conn: ConnId, side: Side| {
        let end = (conn, 1 - side);
        let waits_there = |task: &TaskState| {
            task.waits.iter().any(|(wait, _)| match wait {
                Wait::Read(conn, side) | Wait::Write(conn, side) => (*conn, *side) == end,
                Wait::Connect(conn) => (*conn, 0) == end,
                _ => false,
            })
        };
        {
            let user = k.conns[conn].ends[end.1].user;
            alive.iter().copied().filter(|&id| waits_there(&k.tasks[id]) || user == Some(id)).collect()
        }
    };
    let at_unix_peer = |peer: Option<UnixId>| {
        let waits_there = |task: &TaskState| {
            task.waits.iter().any(|(wait, _)| matches!(wait, Wait::Unix(id, _) if Some(*id) == peer))
        };
        alive.iter().copied().filter(|&id| waits_there(&k.tasks[id])).collect()
    };
    let (mut wakers, mut blockers): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
    for (wait, _) in waits {
        let tasks: Vec<TaskId> = match *wait {
            Wait::Read(conn, side) | Wait::Write(conn, side) => at_other_end(conn, side),
            Wait::Connect(conn) => at_other_end(conn, 0),
            Wait::Unix(id, _) => at_unix_peer(k.unix_peer(id)),
            Wait::Join(task) => vec![task],
            Wait::Shared(shared, operation) => {
                let mut tasks = k.wakers(shared, operation);
                // A task that waits for a lock that it holds waits for itself; one that has both ends of a channel does not.
                tasks.retain(|task| *task != id || operation.is_contended());
                tasks
            }
            _ => vec![],
        };
        for task in tasks {
            let Ok(number) = alive.binary_search(&task) else { continue };
            let is_idle = matches!(wait, Wait::Shared(_, operation) if !operation.is_contended());
            if !wakers.contains(&number) {
                wakers.push(number);
            }
            if (is_alone || !is_idle) && !blockers.contains(&number) {
                blockers.push(number);
            }
        }
    }
    (wakers, blockers)
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
        Wait::Shared(shared, operation) => verdict::Wait::Shared(k.shared_wait(shared, operation)?),
        Wait::Woken(at) => verdict::Wait::Woken { at: at.map(|at| at.place.clone()) },
        Wait::Timer(..) | Wait::Until(_) => return None,
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

/// Returns the last fault that affected the connections of these waits or, if there are none, the one the task used
/// last. A task without a connection is affected by faults on its host, and a UDP receiver by any fault between its
/// host and others.
fn last_fault(k: &Kernel, task: &TaskState, waits: &[(Wait, u64)]) -> Option<(plan::Fault, u64, Option<u64>)> {
    let mut routes: Vec<(HostId, HostId)> = vec![];
    for (wait, _) in waits {
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
    if waits.iter().any(|(wait, _)| matches!(wait, Wait::Receive(_))) {
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
