//! Explains why a run makes no progress: which task waits for what, since when, and the last fault that affected it.

use super::{actor::actor, named::named, state};
use crate::verdict::{Cause, Class, Detail, Failure, Property, UnixWait, Wait, Waiting};
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
    let suspects = suspects();
    let named = named(&suspects.iter().map(|task| &task.waiting).collect::<Vec<_>>());
    let more = suspects.len() - named.len();
    let mut causes = vec![];
    for (n, TaskReport { waiting, fault }) in named.iter().map(|&task| &suspects[task]).enumerate() {
        causes.push(Cause::Waits(waiting.clone()));
        if let (0, Some((fault, began, ended))) = (n, fault.clone()) {
            causes.push(Cause::LastFault { fault, began, ended });
        }
    }
    // The longest waiting task may just be an idle worker.
    let is_explained = |task: &TaskReport| task.fault.is_some() || task.waiting.waits.iter().any(is_network);
    if class == Class::Stall && !suspects.first().is_some_and(is_explained) {
        causes.push(Cause::Unknown);
    }
    if more > 0 {
        causes.push(Cause::MoreWait(more as u64));
    }
    let place = suspects.first().map(|task| task.waiting.task.place.clone());
    Failure { class, property, place, detail, causes }
}

/// Returns what every task waits for.
pub(crate) fn waits() -> Vec<Cause> {
    control::tasks().into_iter().map(|task| Cause::Waits(task.waiting)).collect()
}

/// Returns the suspicious tasks in this order: the service's own before the test's clients; first tasks that wait for
/// the network without a deadline and were affected by a fault, then tasks that nothing in the simulation will wake,
/// then the rest. A task with a deadline wakes up by itself, so it is named only if no task without one is a better
/// candidate.
fn suspects() -> Vec<TaskReport> {
    let healed = state::with(|state| state.healed_at).unwrap_or(u64::MAX);
    let services: Vec<String> = state::with(|state| state.services());
    let is_service = |task: &TaskReport| services.contains(&task.waiting.host);
    let mut tasks: Vec<TaskReport> = control::tasks();
    tasks.retain(|task| !task.waiting.host.is_empty() && !is_idle(&task.waiting));
    tasks.sort_by_cached_key(|task| {
        let place = task.waiting.task.place.to_string();
        (Reverse(is_service(task)), Reverse(blame(task, healed)), task.waiting.since, place)
    });
    if tasks.first().is_some_and(|likeliest| likeliest.waiting.deadline.is_none()) {
        tasks.retain(|task| task.waiting.deadline.is_none());
    }
    tasks
}

fn blame(TaskReport { waiting, fault }: &TaskReport, healed: u64) -> u8 {
    let network = waiting.waits.iter().any(is_network);
    let before = waiting.since < healed;
    match (waiting.deadline, network, fault.is_some() && before) {
        (None, true, true) => 4,
        (None, false, true) => 3,
        (None, _, _) => 2,
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

/// Returns whether it waits like an idle server: for a connection, a signal, or tasks that are reported themselves.
fn is_idle(waiting: &Waiting) -> bool {
    let idle = |wait: &Wait| match wait {
        Wait::Accept { .. } | Wait::Signal | Wait::Join(_) => true,
        Wait::Unix { what, .. } => *what == UnixWait::Accept,
        _ => false,
    };
    !waiting.waits.is_empty() && waiting.waits.iter().all(idle)
}
