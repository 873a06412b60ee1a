//! The path of loom's search as its checkpoint writes it: read, written, reduced to choices, split into parts.

use super::THREADS_MAX;
use crate::plan::Choice;
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

/// What is left of a search that was stopped, as parts that can be searched side by side.
pub(crate) type Split = Vec<(Vec<Choice>, Path)>;

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
        serde_json::from_str(text).map_err(|error| format!("loom's checkpoint is not as it was in 0.7.2: {error}"))
    }

    /// How many branches it has.
    pub fn len(&self) -> usize {
        self.branches.entries.len()
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

/// Splits what is left at the first `depth` branches, each part with its choices, which tell it from all others.
///
/// The last branch of a stopped search is changed already, but not yet followed: what it stands at is a part, too. Two
/// parts may mark the same branch of what they share, so the same part may come out of several: it is one part.
pub(crate) fn split(stopped: &Path, depth: usize) -> Split {
    let entries = &stopped.branches.entries;
    let mut parts = vec![];
    for (at, entry) in entries.iter().enumerate().take(depth) {
        for sibling in entry.siblings(at + 1 == entries.len()) {
            let mut entries: Vec<Entry> = entries[..at].iter().map(Entry::sealed).collect();
            entries.push(sibling);
            let choices = entries.iter().map(Entry::choice).collect();
            parts.push((choices, Path { branches: Branches { entries }, pos: 0, ..stopped.clone() }));
        }
    }
    parts
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

    /// The choices that are left here; with what it stands at, if it was changed already.
    fn siblings(&self, changed: bool) -> Vec<Entry> {
        match self {
            Entry::Schedule { threads, .. } => {
                let left = |thread: Thread| thread == Thread::Pending || changed && thread == Thread::Active;
                let nths = (0..THREADS_MAX).filter(|nth| left(threads[*nth]));
                nths.map(|nth| self.with_active(nth)).collect()
            }
            Entry::Load { exploring: false, .. } | Entry::Spurious { exploring: false, .. } => vec![],
            Entry::Load { values, pos, len, .. } => (if changed { *pos } else { pos + 1 }..*len)
                .map(|pos| Entry::Load { values: *values, pos, len: *len, exploring: false })
                .collect(),
            Entry::Spurious { spur, .. } if changed || !spur => vec![Entry::Spurious { spur: true, exploring: false }],
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

    /// As part of a prefix: nothing of it is left, but it still takes the marks of the races that are found below it.
    fn sealed(&self) -> Entry {
        let mut entry = self.clone();
        match &mut entry {
            Entry::Schedule { threads, .. } => {
                threads.iter_mut().filter(|thread| **thread == Thread::Pending).for_each(|thread| {
                    *thread = Thread::Visited;
                });
            }
            Entry::Load { exploring, .. } | Entry::Spurious { exploring, .. } => *exploring = false,
        }
        entry
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
        assert_eq!(split(&path, 2).len(), 0);
    }

    #[test]
    fn another_text_is_refused() {
        assert!(Path::parse("{}").unwrap_err().contains("0.7.2"));
    }
}
