//! Follows the waits from a task to those that could wake it, and on from there, until one explains the stall.

use crate::verdict::{ConnectionState, Wait};
use std::collections::VecDeque;
use tokio::control::TaskReport;

/// Maximum number of tasks in a chain.
const LINKS_MAX: usize = 12;

/// A chain of tasks, each of which waits for the next.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chain {
    /// The numbers of the tasks after the first one.
    pub tasks: Vec<usize>,
    /// Whether its end explains why nothing makes progress.
    pub explains: bool,
}

/// Returns the shortest chain from a task whose end explains its wait; if there is none, a longest one.
pub(super) fn chain(first: &TaskReport, tasks: &[TaskReport]) -> Chain {
    let mut longest = vec![];
    let mut paths = VecDeque::from([vec![]]);
    let mut reached: Vec<usize> = first.number.into_iter().collect();
    while let Some(path) = paths.pop_front() {
        let last = path.last().map_or(first, |&last| &tasks[last]);
        if explains(last, path.is_empty()) || closes(first, &path, tasks) {
            return Chain { tasks: path, explains: true };
        }
        if path.len() < LINKS_MAX {
            for &waker in &last.wakers {
                if !reached.contains(&waker) {
                    reached.push(waker);
                    paths.push_back([&path[..], &[waker]].concat());
                }
            }
        }
        longest = path;
    }
    Chain { tasks: longest, explains: false }
}

/// Returns whether a task's own wait is an explanation, without a further task.
fn explains(TaskReport { waiting, wakers, .. }: &TaskReport, is_first: bool) -> bool {
    let is_lost = |state: &ConnectionState| {
        matches!(
            state,
            ConnectionState::HalfOpen
                | ConnectionState::SynSent
                | ConnectionState::Unacknowledged
                | ConnectionState::Gone
        )
    };
    let explains = |wait: &Wait| match wait {
        Wait::Read(_, state) | Wait::Write(_, state) | Wait::Connect(_, state) => is_lost(state) || wakers.is_empty(),
        Wait::Held => true,
        Wait::Receive(_) | Wait::Unix { .. } => wakers.is_empty(),
        _ => false,
    };
    // It holds what the task before waits for, and sleeps.
    let sleeps = !is_first && waiting.waits.is_empty() && waiting.deadline.is_some();
    sleeps || waiting.waits.iter().any(explains)
}

/// Returns whether the last task of a path can only be woken by an earlier one: they wait for each other.
fn closes(first: &TaskReport, path: &[usize], tasks: &[TaskReport]) -> bool {
    let before = first.number.into_iter().chain(path.iter().copied());
    let links: Vec<usize> = before.collect();
    let Some(last) = links.last() else { return false };
    let report = |number: usize| if Some(number) == first.number { first } else { &tasks[number] };
    links
        .iter()
        .position(|link| report(*last).blockers.contains(link))
        .is_some_and(|start| links[start..].windows(2).all(|pair| report(pair[0]).blockers.contains(&pair[1])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Connection, Endpoint},
        place::{Place, Task},
        verdict::Waiting,
    };

    fn task(number: usize, waits: Vec<Wait>, wakers: &[usize]) -> TaskReport {
        let task = Task { place: Place { file: "src/link.rs".into(), line: number as u32 }, nth: 1 };
        let waiting = Waiting {
            host: "server".into(),
            task,
            main: false,
            waits,
            since: 0,
            deadline: None,
            timer: None,
            gave_up: None,
            used: None,
        };
        TaskReport { number: Some(number), waiting, wakers: wakers.into(), blockers: wakers.into(), fault: None }
    }

    fn reads(state: ConnectionState) -> Wait {
        let [local, peer] = ["a", "b"].map(|host| Endpoint { host: host.into(), port: 7 });
        Wait::Read(Connection { local, peer }, state)
    }

    #[track_caller]
    fn check(tasks: &[TaskReport], expected: &[usize], explains: bool) {
        assert_eq!(chain(&tasks[0], tasks), Chain { tasks: expected.into(), explains });
    }

    #[test]
    fn it_ends_at_a_lost_connection() {
        let lost = reads(ConnectionState::HalfOpen);
        check(
            &[task(0, vec![], &[1, 2]), task(1, vec![], &[]), task(2, vec![], &[3]), task(3, vec![lost], &[1])],
            &[2, 3],
            true,
        );
    }

    #[test]
    fn a_healthy_connection_is_followed_to_its_other_end() {
        let healthy = || reads(ConnectionState::Established);
        check(&[task(0, vec![healthy()], &[1]), task(1, vec![Wait::Held], &[])], &[1], true);
        check(&[task(0, vec![healthy()], &[])], &[], true);
    }

    #[test]
    fn it_ends_where_tasks_wait_for_each_other() {
        check(&[task(0, vec![], &[1]), task(1, vec![], &[2]), task(2, vec![], &[1])], &[1, 2], true);
        check(&[task(0, vec![], &[0])], &[], true);
    }

    #[test]
    fn what_leads_nowhere_explains_nothing() {
        check(&[task(0, vec![], &[1]), task(1, vec![], &[2]), task(2, vec![], &[])], &[1, 2], false);
        let mut idle = task(1, vec![], &[0]);
        idle.blockers.clear();
        check(&[task(0, vec![], &[1]), idle], &[1], false);
    }
}
