//! Explains why a run makes no progress: which task waits for what, since when, who could wake it, and the last fault that affected
//! it.

use super::{
    actor::actor,
    chain::{Chain, chain},
    named::{cycle, named},
    state,
};
use crate::verdict::{Cause, Class, ConnectionState, Detail, Failure, Property, UnixWait, Wait, Waiting};
use std::cmp::Reverse;
use tokio::control::{self, TaskReport};

/// Returns the verdict on a property that did not come to hold.
pub(crate) fn not_reached(property: &str, detail: Detail) -> Failure {
    failure(Class::Stall, Property::Eventually(property.to_owned()), detail)
}

/// Returns the verdict on a run in which no task can make progress.
pub(crate) fn deadlock() -> Failure {
    failure(Class::Deadlock, Property::Progress, Detail::Deadlocked)
}

/// Returns the verdict on a run that exceeds its virtual time limit.
pub(crate) fn out_of_time() -> Failure {
    failure(Class::Stall, Property::TimeLimit, Detail::TimedOut { at: control::now() })
}

/// Returns the verdict on tasks that are polled without end.
pub(crate) fn busy() -> Failure {
    let stamp = control::stamp();
    Failure {
        class: Class::EndlessLoop,
        property: Property::TimeAdvances,
        place: stamp.task.as_ref().map(|task| task.place.clone()),
        detail: Detail::Livelocked { last: actor(&stamp) },
        causes: vec![],
    }
}

fn failure(class: Class, property: Property, detail: Detail) -> Failure {
    let tasks = control::tasks();
    let suspects = suspects(&tasks);
    let likeliest = suspects.first().map(|&task| &tasks[task]);
    let attempt = if class == Class::Stall { control::attempt() } else { None };
    let chain = attempt.as_ref().map_or_else(Chain::default, |attempt| chain(attempt, &tasks));
    let links: Vec<&TaskReport> = attempt.iter().chain(chain.tasks.iter().map(|&task| &tasks[task])).collect();
    let place_of = |task: &TaskReport| task.waiting.task.place.clone();
    // Start at what the test waited for. If that explains nothing, a task whose connection a fault has affected is more suspicious.
    let (causes, place) = match likeliest {
        _ if chain.explains => {
            (linked(&links), links.iter().rfind(|task| !task.waiting.host.is_empty()).map(|task| place_of(task)))
        }
        Some(task) if class == Class::Deadlock || is_lost(task) || links.is_empty() && may_wait_forever(task) => {
            (likely(&tasks, &suspects), Some(place_of(task)))
        }
        _ if class == Class::Deadlock => (vec![], None),
        _ => (linked(&links).into_iter().chain([Cause::Unknown]).collect(), None),
    };
    Failure { class, property, place, detail, causes }
}

/// Returns the tasks of a chain, with the last fault that affected one of them.
fn linked(links: &[&TaskReport]) -> Vec<Cause> {
    let touched = links.iter().rposition(|task| task.fault.is_some());
    let mut causes = vec![];
    for (n, TaskReport { waiting, fault, .. }) in links.iter().enumerate() {
        causes.push(Cause::Waits(waiting.clone()));
        if let (true, Some((fault, began, ended))) = (Some(n) == touched, fault.clone()) {
            causes.push(Cause::LastFault { fault, began, ended });
        }
    }
    causes
}

/// Returns the most suspicious tasks, those that wait for each other, and one of each host.
fn likely(tasks: &[TaskReport], suspects: &[usize]) -> Vec<Cause> {
    let among = |number: &usize| suspects.iter().position(|suspect| suspect == number);
    let next: Vec<Vec<usize>> =
        suspects.iter().map(|&task| tasks[task].blockers.iter().filter_map(among).collect()).collect();
    let hosts: Vec<&str> = suspects.iter().map(|&task| &*tasks[task].waiting.host).collect();
    let named = named(&hosts, &next);
    let more = suspects.len() - named.len();
    let mut causes = vec![];
    for (n, TaskReport { waiting, fault, .. }) in named.iter().map(|&task| &tasks[suspects[task]]).enumerate() {
        causes.push(Cause::Waits(waiting.clone()));
        if let (0, Some((fault, began, ended))) = (n, fault.clone()) {
            causes.push(Cause::LastFault { fault, began, ended });
        }
    }
    if more > 0 {
        causes.push(Cause::MoreWait(more as u64));
    }
    causes
}

/// Returns whether it may wait for the network forever, after a fault that affected it.
fn is_lost(task: &TaskReport) -> bool {
    task.fault.is_some() && (task.waiting.used.is_some() || waits_for_network(task))
}

/// Returns whether it waits for the network without a deadline.
fn may_wait_forever(task: &TaskReport) -> bool {
    task.waiting.deadline.is_none() && waits_for_network(task)
}

/// Returns whether the connection that it used last was lost in a fault: then it may wait for a message about that.
fn has_lost_connection(TaskReport { waiting, fault, .. }: &TaskReport) -> bool {
    fault.is_some() && waiting.used.as_ref().is_some_and(|(_, state)| *state != ConnectionState::Established)
}

fn waits_for_network(task: &TaskReport) -> bool {
    task.waiting.waits.iter().any(is_network)
}

/// Returns what every task waits for.
pub(crate) fn waits() -> Vec<Cause> {
    control::tasks().into_iter().map(|task| Cause::Waits(task.waiting)).collect()
}

/// Returns the numbers of the suspicious tasks in this order: the service's own before the test's clients; first tasks that wait for
/// the network without a deadline and were affected by a fault, then others that a fault affected, then others that wait for the
/// network, then tasks that nothing in the simulation will wake, then the rest. A task with a deadline wakes up by itself, so it is
/// named only if no task without one is a better candidate. An idle task is suspicious only if it is in a wait cycle, or if a fault has
/// broken the connection that it used last.
fn suspects(tasks: &[TaskReport]) -> Vec<usize> {
    let healed = state::with(|state| state.healed_at).unwrap_or(u64::MAX);
    let services: Vec<String> = state::with(|state| state.services());
    let is_service = |task: &TaskReport| services.contains(&task.waiting.host);
    let next: Vec<&[usize]> = tasks.iter().map(|task| &*task.blockers).collect();
    let cycle = cycle(&next);
    let may_be = |task: usize| {
        let waiting = &tasks[task].waiting;
        !waiting.host.is_empty() && (!is_idle(waiting) || cycle.contains(&task) || has_lost_connection(&tasks[task]))
    };
    let mut suspects: Vec<usize> = (0..tasks.len()).filter(|&task| may_be(task)).collect();
    suspects.sort_by_cached_key(|&number| {
        let task = &tasks[number];
        let place = task.waiting.task.place.to_string();
        (Reverse(is_service(task)), Reverse(blame(task, healed)), task.waiting.since, place)
    });
    if suspects.first().is_some_and(|&likeliest| tasks[likeliest].waiting.deadline.is_none()) {
        suspects.retain(|&task| tasks[task].waiting.deadline.is_none());
    }
    suspects
}

fn blame(TaskReport { waiting, fault, .. }: &TaskReport, healed: u64) -> u8 {
    let network = waiting.waits.iter().any(is_network);
    let before = waiting.since < healed;
    match (waiting.deadline, network, fault.is_some() && before) {
        (None, true, true) => 5,
        (None, false, true) => 4,
        (None, true, false) => 3,
        (None, false, false) => 2,
        (Some(_), _, true) => 1,
        _ => 0,
    }
}

/// Returns whether the wait depends on a peer, of a connection or of a Unix socket, and may last forever.
fn is_network(wait: &Wait) -> bool {
    match wait {
        Wait::Read(..) | Wait::Write(..) | Wait::Connect(..) | Wait::Receive(_) => true,
        Wait::Unix { what, .. } => *what != UnixWait::Accept,
        _ => false,
    }
}

/// Returns whether it waits like an idle server: for a connection, a signal, a message, a notification, or for tasks that are
/// reported themselves.
fn is_idle(waiting: &Waiting) -> bool {
    let idle = |wait: &Wait| match wait {
        Wait::Accept { .. } | Wait::Signal | Wait::Join(_) => true,
        Wait::Unix { what, .. } => *what == UnixWait::Accept,
        Wait::Shared(shared) => !shared.operation.is_contended(),
        _ => false,
    };
    !waiting.waits.is_empty() && waiting.waits.iter().all(idle)
}
