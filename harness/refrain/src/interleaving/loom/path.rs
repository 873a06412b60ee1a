//! The path of loom's search as its checkpoint writes it: read, written, reduced to choices, split into parts.

use crate::{interleaving::threads::THREADS_MAX, plan::Choice};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a search stands: the branches of the execution that comes next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Path {
    preemption_bound: Option<u8>,
    pos: usize,
    branches: Branches,
    exploring: bool,
    skipping: bool,
    exploring_on_start: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Branches {
    entries: Vec<Entry>,
}

/// One branch of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Entry {
    Schedule {
        preemptions: u8,
        initial_active: Option<u8>,
        threads: [Thread; THREADS_MAX],
        prev: Option<serde_json::Value>,
        exploring: bool,
    },
    Load {
        values: [u8; HISTORY_MAX],
        pos: u8,
        len: u8,
        exploring: bool,
    },
    Spurious {
        spur: bool,
        exploring: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Thread {
    Disabled,
    Skip,
    Yield,
    Pending,
    Active,
    Visited,
}

/// How many stores of an atomic loom keeps.
const HISTORY_MAX: usize = 7;

/// One way on from an execution: the choices that lead to it, the last of which is another than the execution's.
pub(crate) struct Branch {
    pub choices: Vec<Choice>,
    /// The number of the last choice, among all that there are: the search takes the lowest first.
    pub nth: u8,
    /// Where a search stands that is to go only this way.
    pub path: Path,
}

impl Path {
    /// The whole tree, with at most so many preemptions in an execution.
    pub fn whole(preemptions: Option<u8>) -> Path {
        Path {
            preemption_bound: preemptions,
            pos: 0,
            branches: Branches { entries: vec![] },
            exploring: true,
            skipping: false,
            exploring_on_start: true,
        }
    }

    /// One execution.
    pub fn of_choices(choices: &[Choice]) -> Path {
        let entry = |choice: &Choice| match *choice {
            Choice::Thread { thread, .. } => {
                let mut threads = [Thread::Disabled; THREADS_MAX];
                threads[usize::from(thread) % THREADS_MAX] = Thread::Active;
                Entry::Schedule { preemptions: 0, initial_active: None, threads, prev: None, exploring: false }
            }
            Choice::Value(store) => {
                let mut values = [0; HISTORY_MAX];
                values[0] = store % HISTORY_MAX as u8;
                Entry::Load { values, pos: 0, len: 1, exploring: false }
            }
            Choice::Wakes(spur) => Entry::Spurious { spur, exploring: false },
        };
        let branches = Branches { entries: choices.iter().map(entry).collect() };
        Path { branches, exploring: false, exploring_on_start: false, ..Path::whole(None) }
    }

    /// Reads a checkpoint.
    pub fn parse(text: &str) -> Result<Path, String> {
        serde_json::from_str(text).map_err(|error| format!("loom's checkpoint is not as it was in 0.7.3: {error}"))
    }

    /// How many branches it has.
    pub fn len(&self) -> usize {
        self.branches.entries.len()
    }

    /// The least number of executions that are left at the branches from `depth` on: the one that comes, and one for each
    /// other way on.
    pub fn executions_min(&self, depth: usize) -> u64 {
        1 + self.branches.entries.iter().skip(depth).map(Entry::others_count).sum::<u64>()
    }

    /// The depth above which, from `depth` on, half of the branches are that have other ways on.
    pub fn middle(&self, depth: usize) -> usize {
        let entries = self.branches.entries.iter().enumerate().skip(depth);
        // The last one is changed already.
        let has_others = entries.rev().skip(1).filter(|(_, entry)| entry.others_count() > 0);
        let mut at: Vec<usize> = has_others.map(|(at, _)| at).collect();
        at.reverse();
        at.get(at.len().saturating_sub(1) / 2).map_or(depth, |at| at + 1)
    }

    /// The same place, of a search that never changes the first `depth` branches.
    pub fn sealed(&self, depth: usize) -> Path {
        let mut path = self.clone();
        path.branches.entries.iter_mut().take(depth).for_each(Entry::seal);
        path
    }

    /// What is chosen at each branch.
    pub fn choices(&self) -> Vec<Choice> {
        self.branches.entries.iter().map(Entry::choice).collect()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).expect("plain data goes to JSON"))
    }
}

/// The ways on that are left at the first `depth` branches, each of which tells itself from all others by its choices.
///
/// The last branch of a search that was stopped is changed already, but not yet followed: if it `is_open`, what it stands
/// at is one of them.
pub(crate) fn branches(stopped: &Path, depth: usize, is_open: bool) -> Vec<Branch> {
    let entries = &stopped.branches.entries;
    let mut found = vec![];
    for (at, entry) in entries.iter().enumerate().take(depth) {
        for (nth, other) in entry.others(is_open && at + 1 == entries.len()) {
            let mut path = stopped.sealed(at);
            path.branches.entries.truncate(at);
            path.branches.entries.push(other);
            found.push(Branch { choices: path.choices(), nth, path });
        }
    }
    found
}

impl Entry {
    fn choice(&self) -> Choice {
        match self {
            Entry::Schedule { initial_active, threads, .. } => {
                let active = threads.iter().position(|thread| *thread == Thread::Active).unwrap_or(0) as u8;
                Choice::Thread { thread: active, preempts: initial_active.is_some_and(|initial| initial != active) }
            }
            Entry::Load { values, pos, .. } => Choice::Value(values[usize::from(*pos) % HISTORY_MAX]),
            Entry::Spurious { spur, .. } => Choice::Wakes(*spur),
        }
    }

    /// What else is left to choose here, by number; with what it stands at, if that is not followed yet.
    fn others(&self, is_open: bool) -> Vec<(u8, Entry)> {
        match self {
            Entry::Schedule { threads, .. } => {
                let left = |thread: Thread| thread == Thread::Pending || is_open && thread == Thread::Active;
                let nths = (0..THREADS_MAX).filter(|nth| left(threads[*nth]));
                nths.map(|nth| (nth as u8, self.with_active(nth))).collect()
            }
            Entry::Load { exploring: false, .. } | Entry::Spurious { exploring: false, .. } => vec![],
            Entry::Load { values, pos, len, .. } => (if is_open { *pos } else { pos + 1 }..*len)
                .map(|pos| (pos, Entry::Load { values: *values, pos, len: *len, exploring: false }))
                .collect(),
            Entry::Spurious { spur, .. } if is_open || !spur => {
                vec![(1, Entry::Spurious { spur: true, exploring: false })]
            }
            Entry::Spurious { .. } => vec![],
        }
    }

    /// With another thread; what other parts have or will have counts as visited.
    fn with_active(&self, nth: usize) -> Entry {
        let mut entry = self.clone();
        if let Entry::Schedule { threads, .. } = &mut entry {
            for (at, thread) in threads.iter_mut().enumerate() {
                if at == nth {
                    *thread = Thread::Active;
                } else if matches!(thread, Thread::Active | Thread::Pending) {
                    *thread = Thread::Visited;
                }
            }
        }
        entry
    }

    fn others_count(&self) -> u64 {
        match self {
            Entry::Schedule { threads, .. } => {
                threads.iter().filter(|thread| **thread == Thread::Pending).count() as u64
            }
            Entry::Load { pos, len, exploring: true, .. } => u64::from(len.saturating_sub(pos + 1)),
            Entry::Spurious { spur: false, exploring: true } => 1,
            Entry::Load { .. } | Entry::Spurious { .. } => 0,
        }
    }

    /// Nothing of it is left, but it still takes the marks of the races that are found below it.
    fn seal(&mut self) {
        match self {
            Entry::Schedule { threads, .. } => {
                threads.iter_mut().filter(|thread| **thread == Thread::Pending).for_each(|thread| {
                    *thread = Thread::Visited;
                });
            }
            Entry::Load { exploring, .. } | Entry::Spurious { exploring, .. } => *exploring = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD_1: Choice = Choice::Thread { thread: 1, preempts: false };

    #[test]
    fn choices_become_a_path_and_come_back() {
        let choices = [THREAD_1, Choice::Value(3), Choice::Wakes(true), THREAD_1];
        let path = Path::of_choices(&choices);
        assert_eq!(Path::parse(&path.to_string()), Ok(path.clone()));
        assert_eq!(path.choices(), choices);
        assert_eq!(path.len(), 4);
    }

    #[test]
    fn numbers_that_no_engine_has_do_no_harm() {
        let wild = [Choice::Thread { thread: 255, preempts: true }, Choice::Value(255)];
        assert_eq!(Path::of_choices(&wild).len(), 2);
    }

    #[test]
    fn what_one_execution_leaves_is_nothing() {
        let path = Path::of_choices(&[THREAD_1, Choice::Value(3), Choice::Wakes(false)]);
        assert_eq!(branches(&path, 2, false).len(), 0);
        assert_eq!(path.executions_min(0), 1);
    }

    #[test]
    fn another_text_is_refused() {
        assert!(Path::parse("{}").unwrap_err().contains("0.7.3"));
    }
}
