//! Says why nothing goes on: which task waits for what, since when, and the last fault that touched it.

use super::state;
use crate::{
    plan::DisplayDuration,
    verdict::{Class, Failure},
};
use std::{cmp::Reverse, time::Duration};
use tokio::control::{self, TaskReport};

/// How many tasks a verdict names.
const TASKS_NAMED: usize = 3;

/// A virtual time, for people: `00:00:12.301`.
pub(crate) fn clock(ns: u64) -> String {
    let ms = ns / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000)
}

/// The verdict on a property that did not come to hold.
pub(crate) fn stalled(property: &str, message: String) -> Failure {
    failure(Class::Stall, property, message)
}

/// The verdict on a run in which nothing can happen any more.
pub(crate) fn deadlock() -> Failure {
    failure(
        Class::Deadlock,
        "something can always run",
        "nothing can run any more: every task waits for another".into(),
    )
}

/// The verdict on a run that does not end.
pub(crate) fn out_of_time() -> Failure {
    let at = clock(control::now());
    failure(
        Class::Stall,
        "the test ends within its time limit",
        format!("the test had not ended at {at} of virtual time"),
    )
}

/// The verdict on a task that is polled for ever.
pub(crate) fn busy() -> Failure {
    let stamp = control::stamp();
    Failure {
        class: Class::EndlessLoop,
        property: "virtual time goes on".into(),
        place: stamp.task.split('#').next().unwrap_or_default().to_owned(),
        message: format!("{}: tasks wake each other for ever while virtual time stands still", stamp.host),
        causes: vec![format!("{}: the task spawned at {} was polled last", stamp.host, stamp.task)],
    }
}

fn failure(class: Class, property: &str, message: String) -> Failure {
    let suspects = suspects();
    let mut causes = vec![];
    for (n, task) in suspects.iter().take(TASKS_NAMED).enumerate() {
        causes.push(describe(task));
        if let (0, Some((fault, began, ended))) = (n, &task.fault) {
            // A fault ends when the next poll lets it: what is below a millisecond is not of the plan.
            let lasted = ended.map_or(" and lasts".to_owned(), |ended| match (ended - began + 500_000) / 1_000_000 {
                0 => String::new(),
                ms => format!(" for {}", DisplayDuration(Duration::from_millis(ms))),
            });
            causes.push(format!("last fault touching it: {fault} at {}{lasted}", clock(*began)));
        }
    }
    let place = suspects.first().map(|task| task.place.clone()).unwrap_or_default();
    Failure { class, property: property.into(), place, message, causes }
}

/// What every task waits for, a line each.
pub(crate) fn waits() -> Vec<String> {
    control::tasks().iter().map(describe).collect()
}

/// The tasks that may be to blame, the likeliest first: the service's own before the test's clients; one that waits for
/// the network without a deadline and was touched by a fault; then one that nothing inside the simulation will wake; then
/// the others. One that has a deadline goes on by itself, so it is named only where no likelier one waits without.
fn suspects() -> Vec<TaskReport> {
    let healed = state::with(|state| state.healed_at).unwrap_or(u64::MAX);
    let services: Vec<String> = state::with(|state| state.services());
    let is_service = |task: &TaskReport| services.contains(&task.host);
    let mut tasks: Vec<TaskReport> =
        control::tasks().into_iter().filter(|t| !t.host.is_empty() && !is_idle(t)).collect();
    tasks
        .sort_by_key(|task| (Reverse(is_service(task)), Reverse(blame(task, healed)), since(task), task.place.clone()));
    if tasks.first().is_some_and(|likeliest| likeliest.deadline.is_none()) {
        tasks.retain(|task| task.deadline.is_none());
    }
    tasks
}

fn blame(task: &TaskReport, healed: u64) -> u8 {
    let network = task.waits.iter().any(|wait| wait.network);
    let before = since(task) < healed;
    match (task.deadline, network, task.fault.is_some() && before) {
        (None, true, true) => 4,
        (None, false, true) => 3,
        (None, _, _) => 2,
        (Some(_), _, true) => 1,
        _ => 0,
    }
}

fn since(task: &TaskReport) -> u64 {
    task.waits.iter().map(|wait| wait.since).min().unwrap_or(task.last_poll)
}

/// Whether it waits as a server's tasks do at rest.
fn is_idle(task: &TaskReport) -> bool {
    !task.waits.is_empty() && task.waits.iter().all(|wait| wait.at_rest)
}

fn describe(task: &TaskReport) -> String {
    let who = if task.main { "main task".into() } else { format!("task spawned at {}", task.place) };
    let waits: Vec<_> = task.waits.iter().map(|wait| wait.what.as_str()).collect();
    let what = match (waits.is_empty(), task.deadline) {
        (true, Some(_)) => "for a timer".to_owned(),
        (true, None) => match &task.used {
            Some(used) => format!("for a channel, a lock or a notification, after it used {used}"),
            None => "for a channel, a lock or a notification".to_owned(),
        },
        (false, _) => waits.join(" or "),
    };
    let deadline = task.deadline.map_or("no deadline".into(), |at| format!("deadline {}", clock(at)));
    let host = if task.host.is_empty() { "the test" } else { &task.host };
    format!("{host}: {who} waits {what}, since {}, {deadline}", clock(since(task)))
}
