//! The parts of a tree that are left, in the order in which one worker would search them.
//!
//! That order is the one of a depth-first search: all parts branch off the executions of the next one, so the one that
//! branches off last comes first; of those that branch off at one choice, the one with the lowest number.

use crate::{
    interleaving::loom::{Branch, Path, branches},
    job::Searched,
    plan::Choice,
};
use std::{cmp::Reverse, collections::HashSet};

/// What is left.
pub(super) struct Parts {
    /// The next one is the last.
    parts: Vec<Part>,
    /// The first choices of every part that branched off.
    known: HashSet<Vec<Choice>>,
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
    Done(Searched),
}

impl Parts {
    /// The whole tree is one part.
    pub fn whole(from: String) -> Parts {
        Parts {
            parts: vec![Part { id: 0, from, within: 0, nth: 0, made: 0, state: State::Todo }],
            known: HashSet::new(),
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
            _ => State::Done(searched),
        };
        Ok(())
    }

    /// Takes the next part away, if something of it was made: what it came to, and how many choices made it.
    pub fn next_made(&mut self) -> Option<(Searched, usize)> {
        let part = self.parts.pop_if(|part| part.made > 0 && !matches!(part.state, State::Busy))?;
        let searched = match part.state {
            State::Done(searched) => searched,
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
            let within = choices.len();
            if !self.known.insert(choices) {
                continue;
            }
            let later = |other: &Part| (other.within, Reverse(other.nth)) < (within, Reverse(nth));
            let place = self.parts.partition_point(later);
            self.ids += 1;
            let part = Part { id: self.ids, from: path.to_string(), within, nth, made: 0, state: State::Todo };
            self.parts.insert(place, part);
        }
    }
}
