//! Selects which waiting tasks a verdict names: the most suspicious ones, those in a wait cycle, and one per host.

use crate::{
    event::Connection,
    verdict::{Wait, Waiting},
};
use std::collections::BTreeMap;

/// How many tasks a verdict names, if there are that many; more if a cycle or the hosts require it.
const NAMED_MIN: usize = 3;
/// Number of most suspicious tasks among which a cycle is searched.
const CYCLE_AMONG_MAX: usize = 500;

/// Returns the indices of the tasks to name, given the waiting tasks with the most suspicious first.
pub(super) fn named(tasks: &[&Waiting]) -> Vec<usize> {
    let mut named: Vec<usize> = vec![];
    let likeliest = tasks.first().map(|_| 0);
    for task in likeliest.into_iter().chain(cycle(&tasks[..tasks.len().min(CYCLE_AMONG_MAX)])) {
        if !named.contains(&task) {
            named.push(task);
        }
    }
    for (task, waiting) in tasks.iter().enumerate() {
        if !named.iter().any(|&other| tasks[other].host == waiting.host) {
            named.push(task);
        }
    }
    for task in 0..tasks.len() {
        if named.len() < NAMED_MIN && !named.contains(&task) {
            named.push(task);
        }
    }
    named
}

/// Returns the shortest wait cycle through the most suspicious task that is in one.
fn cycle(tasks: &[&Waiting]) -> Vec<usize> {
    let next = waits_for(tasks);
    (0..tasks.len()).find_map(|start| shortest_cycle(start, &next)).unwrap_or_default()
}

/// Returns for each task which tasks it waits for: the one that it joins, and those at the other end of its
/// connections.
fn waits_for(tasks: &[&Waiting]) -> Vec<Vec<usize>> {
    let mut at: BTreeMap<&Connection, Vec<usize>> = BTreeMap::new();
    let mut at_unix: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (task, waiting) in tasks.iter().enumerate() {
        let used = waiting.used.iter().map(|(conn, _)| conn);
        for conn in waiting.waits.iter().filter_map(connection).chain(used) {
            at.entry(conn).or_default().push(task);
        }
        for wait in &waiting.waits {
            if let Wait::Unix { socket, .. } = wait {
                at_unix.entry(socket.number).or_default().push(task);
            }
        }
    }
    let whom = |waiting: &Waiting, wait: &Wait| match wait {
        Wait::Join(joined) => {
            let is_joined = |other: &&Waiting| other.host == waiting.host && other.task == *joined;
            tasks.iter().position(is_joined).into_iter().collect()
        }
        Wait::Unix { socket, .. } => socket.peer.and_then(|peer| at_unix.get(&peer).cloned()).unwrap_or_default(),
        wait => {
            let other_end = connection(wait)
                .map(|Connection { local, peer }| Connection { local: peer.clone(), peer: local.clone() });
            other_end.and_then(|conn| at.get(&conn).cloned()).unwrap_or_default()
        }
    };
    tasks.iter().map(|waiting| waiting.waits.iter().flat_map(|wait| whom(waiting, wait)).collect()).collect()
}

fn connection(wait: &Wait) -> Option<&Connection> {
    match wait {
        Wait::Read(conn, _) | Wait::Write(conn, _) | Wait::Connect(conn, _) => Some(conn),
        _ => None,
    }
}

/// Returns the shortest path from a task back to itself.
fn shortest_cycle(start: usize, next: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut reached = vec![start];
    let mut at = 0;
    while let Some(&task) = reached.get(at) {
        at += 1;
        if next[task].contains(&start) {
            let path = std::iter::successors(Some(task), |task| came_from.get(task).copied());
            let mut path: Vec<usize> = path.collect();
            path.reverse();
            return Some(path);
        }
        for &other in &next[task] {
            if other != start && !came_from.contains_key(&other) {
                came_from.insert(other, task);
                reached.push(other);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Endpoint,
        place::{Place, Task},
        verdict::ConnectionState::Established,
    };

    fn task(line: u32) -> Task {
        Task { place: Place { file: "src/link.rs".into(), line }, nth: 1 }
    }

    fn waiting(host: &str, line: u32, waits: Vec<Wait>) -> Waiting {
        Waiting { host: host.into(), task: task(line), main: false, waits, since: 0, deadline: None, used: None }
    }

    fn reads(local: (&str, u16), peer: (&str, u16)) -> Wait {
        let end = |(host, port): (&str, u16)| Endpoint { host: host.into(), port };
        Wait::Read(Connection { local: end(local), peer: end(peer) }, Established)
    }

    #[track_caller]
    fn check(tasks: &[Waiting], expected: &[usize]) {
        assert_eq!(named(&tasks.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn of_many_tasks_of_one_host_three_are_named() {
        let tasks: Vec<Waiting> = (0..10).map(|line| waiting("server", line, vec![])).collect();
        check(&tasks, &[0, 1, 2]);
        check(&tasks[..2], &[0, 1]);
        check(&[], &[]);
    }

    #[test]
    fn one_task_of_each_host_is_named() {
        let hosts = ["server", "server", "server", "server", "a", "b"];
        let tasks: Vec<Waiting> = (0..).zip(hosts).map(|(line, host)| waiting(host, line, vec![])).collect();
        check(&tasks, &[0, 4, 5]);
    }

    #[test]
    fn tasks_that_wait_for_each_other_are_named() {
        let (client, server) = (("client", 49152), ("server", 7));
        let tasks = [
            waiting("server", 0, vec![]),
            waiting("server", 1, vec![]),
            waiting("server", 2, vec![]),
            waiting("server", 3, vec![reads(server, client)]),
            waiting("client", 4, vec![Wait::Join(task(5))]),
            waiting("client", 5, vec![reads(client, server)]),
        ];
        check(&tasks, &[0, 3, 5]);
        let joins = [
            waiting("a", 1, vec![]),
            waiting("a", 2, vec![Wait::Join(task(3))]),
            waiting("a", 3, vec![Wait::Join(task(4))]),
            waiting("a", 4, vec![Wait::Join(task(2))]),
        ];
        check(&joins, &[0, 1, 2, 3]);
    }
}
