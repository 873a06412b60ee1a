//! Selects which waiting tasks a verdict names: the most suspicious ones, those in a wait cycle, and one per host.

use std::collections::BTreeMap;

/// How many tasks a verdict names, if there are that many; more if a cycle or the hosts require it.
const NAMED_MIN: usize = 3;
/// Number of most suspicious tasks among which a cycle is searched.
const CYCLE_AMONG_MAX: usize = 500;

/// Returns the indices of the tasks to name, given each waiting task's host and the tasks that it waits for, the most suspicious
/// first.
pub(super) fn named(hosts: &[&str], next: &[Vec<usize>]) -> Vec<usize> {
    let mut named: Vec<usize> = vec![];
    let likeliest = hosts.first().map(|_| 0);
    for task in likeliest.into_iter().chain(cycle(next)) {
        if !named.contains(&task) {
            named.push(task);
        }
    }
    for (task, host) in hosts.iter().enumerate() {
        if !named.iter().any(|&other| hosts[other] == *host) {
            named.push(task);
        }
    }
    for task in 0..hosts.len() {
        if named.len() < NAMED_MIN && !named.contains(&task) {
            named.push(task);
        }
    }
    named
}

/// Returns the shortest wait cycle through the first task that is in one.
pub(super) fn cycle<N: AsRef<[usize]>>(next: &[N]) -> Vec<usize> {
    let next: Vec<&[usize]> = next.iter().map(AsRef::as_ref).collect();
    (0..next.len().min(CYCLE_AMONG_MAX)).find_map(|start| shortest_cycle(start, &next)).unwrap_or_default()
}

/// Returns the shortest path from a task back to itself.
fn shortest_cycle(start: usize, next: &[&[usize]]) -> Option<Vec<usize>> {
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
        for &other in next[task] {
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

    #[track_caller]
    fn check(hosts: &[&str], next: &[&[usize]], expected: &[usize]) {
        let mut next: Vec<Vec<usize>> = next.iter().map(|next| next.to_vec()).collect();
        next.resize(hosts.len(), vec![]);
        assert_eq!(named(hosts, &next), expected);
    }

    #[test]
    fn of_many_tasks_of_one_host_three_are_named() {
        check(&["server"; 10], &[], &[0, 1, 2]);
        check(&["server"; 2], &[], &[0, 1]);
        check(&[], &[], &[]);
    }

    #[test]
    fn one_task_of_each_host_is_named() {
        check(&["server", "server", "server", "server", "a", "b"], &[], &[0, 4, 5]);
    }

    #[test]
    fn tasks_that_wait_for_each_other_are_named() {
        let hosts = ["server", "server", "server", "server", "client", "client"];
        check(&hosts, &[&[], &[], &[], &[5], &[5], &[3]], &[0, 3, 5]);
        check(&["a"; 4], &[&[], &[2], &[3], &[1]], &[0, 1, 2, 3]);
        check(&["a", "a", "b"], &[&[], &[1], &[]], &[0, 1, 2]);
    }
}
