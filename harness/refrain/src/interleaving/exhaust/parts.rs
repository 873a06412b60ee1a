//! The parts of a tree that are left, in the order in which one worker would search them.
//!
//! That order is the one of a depth-first search: all parts branch off the executions of the next one, so the one that
//! branches off last comes first; of those that branch off at one choice, the one with the lowest number.

use crate::{
    interleaving::loom::{Branch, Path, branches},
    job::Searched,
    plan::Choice,
};
use std::cmp::Reverse;

/// What is left.
pub(in crate::interleaving) struct Parts {
    /// The next one is the last.
    parts: Vec<Part>,
    /// At each choice of the path on which the next part lies, what branched off there: its last choice. Whatever branches
    /// off elsewhere is behind: no search comes there again.
    known: Vec<Vec<Choice>>,
    ids: u64,
}

struct Part {
    id: u64,
    from: String,
    /// How many of its first choices make it what it is.
    within: usize,
    /// The number of the choice at which it branches off, among all that there are.
    nth: u8,
    /// How many of its executions were made, and do not count yet.
    made: u64,
    state: State,
}

enum State {
    /// It is to be done, or what is left of it.
    Todo,
    Busy,
    /// It came to its end.
    Done(Box<Searched>),
}

impl Parts {
    /// The whole tree is one part.
    pub fn whole(from: String) -> Parts {
        Parts {
            parts: vec![Part { id: 0, from, within: 0, nth: 0, made: 0, state: State::Todo }],
            known: vec![],
            ids: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many nobody has begun.
    pub fn todo(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part.state, State::Todo)).count()
    }

    /// Whether there is a part that nobody has and that may count, if so many executions are `left`.
    pub fn has_next(&self, left: u64) -> bool {
        self.next(left).is_some()
    }

    /// Hands out the next part that nobody has, with the most executions to make: if so many are `left` that it may count.
    pub fn take(&mut self, left: u64, most: u64) -> Option<(u64, String, usize, u64)> {
        let (index, before) = self.next(left)?;
        let part = &mut self.parts[index];
        part.state = State::Busy;
        Some((part.id, part.from.clone(), part.within, most.min(left - before)))
    }

    /// The index of that part, and how many executions before it were made that do not count yet.
    fn next(&self, left: u64) -> Option<(usize, u64)> {
        let mut before = 0;
        for (index, part) in self.parts.iter().enumerate().rev() {
            before += part.made;
            match &part.state {
                State::Done(searched) if searched.failed.is_some() || searched.limit.is_some() => return None,
                State::Done(_) | State::Busy => {}
                State::Todo if before >= left => return None,
                State::Todo => return Some((index, before)),
            }
        }
        None
    }

    /// What a part came to.
    pub fn done(&mut self, id: u64, searched: Searched) -> Result<(), String> {
        let part = self.parts.iter_mut().find(|part| part.id == id).expect("only the next part is taken away");
        part.made += searched.executions;
        part.state = match &searched.next {
            Some(next) if part.within == 0 || Path::parse(next)?.len() > part.within => {
                part.from.clone_from(next);
                State::Todo
            }
            _ => State::Done(Box::new(searched)),
        };
        Ok(())
    }

    /// Takes the next part away, if something of it was made: what it came to, and how many choices made it.
    pub fn next_made(&mut self) -> Option<(Searched, usize)> {
        let part = self.parts.pop_if(|part| part.made > 0 && !matches!(part.state, State::Busy))?;
        // Its first choices are those of the parts before, up to its last one.
        self.known.truncate(part.within);
        let searched = match part.state {
            State::Done(searched) => *searched,
            State::Todo | State::Busy => Searched { next: Some(part.from), ..Searched::default() },
        };
        Some((Searched { executions: part.made, ..searched }, part.within))
    }

    /// Puts back what is left of the part that was the next: as it is or, if workers are idle, as several.
    pub fn put_back(&mut self, next: String, within: usize, split: bool) -> Result<(), String> {
        // The whole tree is never left.
        if within == 0 && !split {
            self.put_first(next, within);
            return Ok(());
        }
        let path = Path::parse(&next)?;
        let is_left = path.len() <= within;
        let rest_from = match (is_left, split) {
            (true, _) => path.len(),
            (false, true) => path.middle(within),
            (false, false) => within,
        };
        if is_left || split {
            self.put_branches(&path, rest_from, is_left);
        }
        if !is_left {
            // What branches off before is no longer its own.
            let rest = if split { path.sealed(rest_from).to_string() } else { next };
            self.put_first(rest, rest_from);
        }
        Ok(())
    }

    fn put_first(&mut self, from: String, within: usize) {
        self.ids += 1;
        self.parts.push(Part { id: self.ids, from, within, nth: 0, made: 0, state: State::Todo });
    }

    /// Puts in its place what branches off at the first `depth` choices, each once.
    fn put_branches(&mut self, path: &Path, depth: usize, last_is_open: bool) {
        for Branch { choices, nth, path } in branches(path, depth, last_is_open) {
            let (within, last) = (choices.len(), choices[choices.len() - 1]);
            if self.known.len() < within {
                self.known.resize(within, vec![]);
            }
            let known = &mut self.known[within - 1];
            if known.contains(&last) {
                continue;
            }
            known.push(last);
            let later = |other: &Part| (other.within, Reverse(other.nth)) < (within, Reverse(nth));
            let place = self.parts.partition_point(later);
            self.ids += 1;
            let part = Part { id: self.ids, from: path.to_string(), within, nth, made: 0, state: State::Todo };
            self.parts.insert(place, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interleaving::threads::THREADS_MAX;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// A search of a tree with a race at each of its choices, which two executions find that may lie in different parts:
    /// they mark the other thread there, each for itself.
    struct Tree {
        depth: usize,
        /// The executions that were made.
        made: BTreeSet<Vec<usize>>,
    }

    impl Tree {
        /// Makes the execution that comes, and stops before the next.
        fn search(&mut self, from: &str) -> Searched {
            let mut path: Value = serde_json::from_str(from).unwrap();
            let entries = path["branches"]["entries"].as_array_mut().unwrap();
            while entries.len() < self.depth {
                let mut threads = ["Disabled"; THREADS_MAX];
                (threads[0], threads[1]) = ("Active", "Skip");
                entries.push(json!({ "Schedule": {
                    "preemptions": 0, "initial_active": null, "threads": threads, "prev": null, "exploring": true,
                }}));
            }
            let active = |entry: &Value| threads(entry).iter().position(|thread| thread == "Active").unwrap();
            let execution: Vec<usize> = entries.iter().map(active).collect();
            assert!(self.made.insert(execution.clone()), "{execution:?} is made twice");
            for (at, entry) in entries.iter_mut().enumerate() {
                if execution.iter().skip(at + 2).all(|thread| *thread == 1) {
                    replace(entry, "Skip", "Pending");
                }
            }
            let mut next = None;
            while let Some(last) = entries.last_mut() {
                replace(last, "Active", "Visited");
                if replace(last, "Pending", "Active") {
                    next = Some(path.to_string());
                    break;
                }
                entries.pop();
            }
            Searched { executions: 1, next, ..Searched::default() }
        }
    }

    fn threads(entry: &Value) -> &[Value] {
        entry["Schedule"]["threads"].as_array().unwrap()
    }

    fn replace(entry: &mut Value, from: &str, to: &str) -> bool {
        let threads = entry["Schedule"]["threads"].as_array_mut().unwrap();
        let found = threads.iter_mut().find(|thread| *thread == from);
        found.map(|thread| *thread = to.into()).is_some()
    }

    /// Searches the whole tree with several workers that split at every chance: how many parts there were, and how many
    /// entries were kept at most.
    fn searched(depth: usize, workers: usize) -> (u64, usize) {
        let mut tree = Tree { depth, made: BTreeSet::new() };
        let mut parts = Parts::whole(Path::whole(None).to_string());
        let mut kept = 0;
        while !parts.is_empty() {
            let taken: Vec<_> = (0..workers).map_while(|_| parts.take(u64::MAX, 1)).collect();
            for (id, from, ..) in taken {
                parts.done(id, tree.search(&from)).unwrap();
            }
            while let Some((searched, within)) = parts.next_made() {
                if let Some(next) = searched.next {
                    parts.put_back(next, within, true).unwrap();
                }
                kept = kept.max(parts.parts.len() + parts.known.iter().map(Vec::len).sum::<usize>());
            }
        }
        assert_eq!(tree.made.len(), 1 << depth);
        (parts.ids, kept)
    }

    #[test]
    fn a_search_of_many_parts_keeps_no_more_than_its_path_has_choices() {
        for workers in [1, 3] {
            let (parts, kept) = searched(13, workers);
            assert!(parts > 1_000, "{parts} parts");
            assert!(kept <= 4 * 13, "{kept} entries of {parts} parts are kept");
        }
    }
}
