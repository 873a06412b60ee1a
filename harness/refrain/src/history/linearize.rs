//! Looks for an order of operations that explains their answers, as Wing and Gong do, and for the shortest part that has none.
//!
//! An operation takes effect at once, some time between its call and its answer; one without an answer may have had an effect or not. Where no
//! operation is open, a history is divided: what comes after depends only on the states in which the object may be. Within a part, the search
//! remembers which operations were done in which state (Lowe, "Testing for linearizability").

mod order;

pub(super) use order::{Order, order};

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fmt::Debug,
};

/// How many operations are tried before a history is given up.
const STEPS_MAX: u64 = 200_000;
/// How many of the states in which the object may be a verdict has.
const BEGINS_MAX: usize = 3;

/// An object of which one client at a time makes use: its state, and what each call does to it.
pub trait Object: Clone + Ord + Debug {
    /// What a client asks.
    type Call: Clone + Debug;
    /// What it is answered.
    type Answer: Clone + Debug + PartialEq;

    /// Does what a client asks, and returns the answer.
    fn apply(&mut self, call: &Self::Call) -> Self::Answer;
}

/// An operation, and when it was called and answered, as positions in the history.
#[derive(Debug)]
pub(super) struct Timed<'a, O: Object> {
    pub(super) call: &'a O::Call,
    pub(super) called: usize,
    pub(super) answer: Option<(&'a O::Answer, usize)>,
}

impl<O: Object> Clone for Timed<'_, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O: Object> Copy for Timed<'_, O> {}

/// A part of a history that no order explains.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Some of the states in which the object may be before it.
    pub(super) begins: Vec<String>,
    /// The indices of its operations.
    pub(super) operations: Vec<usize>,
}

/// Too many operations overlap.
#[derive(Debug)]
pub(super) struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it was not decided in {STEPS_MAX} steps: let fewer operations overlap, or check each key alone")
    }
}

/// Returns the shortest part that no order explains; `None` if one explains everything.
pub(super) fn explained<O: Object>(begin: &O, operations: &[Timed<'_, O>]) -> Result<Option<Part>, TooMany> {
    let mut begins = BTreeSet::from([begin.clone()]);
    let mut steps = STEPS_MAX;
    for part in parts(operations) {
        let of_part: Vec<Timed<'_, O>> = part.iter().map(|nth| operations[*nth]).collect();
        let found = search(&begins, &of_part, &mut steps)?;
        if found.ends.is_empty() {
            return shortest(&begins, operations, part, &mut steps).map(Some);
        }
        begins = found.ends.into_keys().collect();
    }
    Ok(None)
}

/// Divides a history where no operation is open. Each part has the indices of its operations, in the order of their calls.
fn parts<O: Object>(operations: &[Timed<'_, O>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|nth| operations[*nth].called);
    let (mut parts, mut open_until): (Vec<Vec<usize>>, _) = (vec![], 0);
    for nth in order {
        let Timed { called, answer, .. } = operations[nth];
        match parts.last_mut() {
            Some(part) if called < open_until => part.push(nth),
            _ => parts.push(vec![nth]),
        }
        open_until = open_until.max(answer.map_or(usize::MAX, |(_, at)| at));
    }
    parts
}

/// What a search has found.
struct Found<O> {
    /// All states that were met, after which operations.
    nodes: Vec<Node<O>>,
    /// The states in which the object may be after all operations, and the node of each; none if no order explains them.
    ends: BTreeMap<O, usize>,
}

/// A state that was met.
struct Node<O> {
    state: O,
    done: Done,
    /// The node before it, and the operation between them.
    before: Option<(usize, usize)>,
}

/// Which operations are done, one bit for each.
type Done = Vec<u64>;

fn is_done(done: &Done, nth: usize) -> bool {
    done[nth / 64] & 1 << (nth % 64) != 0
}

/// Returns the operations of which one is next: those that were called before the first answer of one that is not done. `None` if all that
/// were answered are done.
fn next<O: Object>(operations: &[Timed<'_, O>], done: &Done) -> Option<Vec<usize>> {
    let open = || operations.iter().enumerate().filter(|(nth, _)| !is_done(done, *nth));
    let first_answer = open().filter_map(|(_, of)| of.answer.map(|(_, at)| at)).min()?;
    // Whatever was called later than this answer comes after it.
    Some(open().filter(|(_, of)| of.called < first_answer).map(|(nth, _)| nth).collect())
}

/// Looks for all states in which the object may be after these operations.
fn search<O: Object>(begins: &BTreeSet<O>, operations: &[Timed<'_, O>], steps: &mut u64) -> Result<Found<O>, TooMany> {
    let none: Done = vec![0; operations.len().div_ceil(64)];
    let begin = |state: &O| Node { state: state.clone(), done: none.clone(), before: None };
    let mut nodes: Vec<Node<O>> = begins.iter().map(begin).collect();
    let mut seen: BTreeSet<(Done, O)> = begins.iter().map(|begin| (none.clone(), begin.clone())).collect();
    let mut left: Vec<usize> = (0..nodes.len()).collect();
    let mut ends = BTreeMap::new();
    while let Some(at) = left.pop() {
        let Some(next) = next(operations, &nodes[at].done) else {
            ends.entry(nodes[at].state.clone()).or_insert(at);
            continue;
        };
        for nth in next {
            *steps = steps.checked_sub(1).ok_or(TooMany)?;
            let (of, mut state, mut done) = (operations[nth], nodes[at].state.clone(), nodes[at].done.clone());
            let answer = state.apply(of.call);
            if of.answer.is_some_and(|(expected, _)| *expected != answer) {
                continue;
            }
            done[nth / 64] |= 1 << (nth % 64);
            if seen.insert((done.clone(), state.clone())) {
                left.push(nodes.len());
                nodes.push(Node { state, done, before: Some((at, nth)) });
            }
        }
    }
    Ok(Found { nodes, ends })
}

/// Shortens a part that no order explains: to its beginning up to the first answer that cannot be explained, and to the operations that
/// matter for it. What only reads cannot explain another answer, so without it the rest is as wrong.
fn shortest<O: Object>(
    begins: &BTreeSet<O>,
    operations: &[Timed<'_, O>],
    mut part: Vec<usize>,
    steps: &mut u64,
) -> Result<Part, TooMany> {
    let mut answers: Vec<usize> = part.iter().filter_map(|nth| Some(operations[*nth].answer?.1)).collect();
    answers.sort_unstable();
    let until = |part: &[usize], last: usize| -> Vec<(usize, Timed<'_, O>)> {
        let begun = part.iter().map(|nth| (*nth, operations[*nth])).filter(|(_, of)| of.called < last);
        begun.map(|(nth, of)| (nth, Timed { answer: of.answer.filter(|(_, at)| *at <= last), ..of })).collect()
    };
    let mut last = usize::MAX;
    for answer in answers {
        if search(begins, &timed(until(&part, answer)), steps)?.ends.is_empty() {
            last = answer;
            break;
        }
    }
    part = until(&part, last).into_iter().map(|(nth, _)| nth).collect();
    for nth in (0..part.len()).rev() {
        let mut without = part.clone();
        let removed = operations[without.remove(nth)];
        let found = search(begins, &timed(until(&without, last)), steps)?;
        if found.ends.is_empty() && found.nodes.iter().all(|node| only_reads(&node.state, removed.call)) {
            part = without;
        }
    }
    let begins = begins.iter().take(BEGINS_MAX).map(|state| format!("{state:?}")).collect();
    Ok(Part { begins, operations: part })
}

fn timed<O: Object>(part: Vec<(usize, Timed<'_, O>)>) -> Vec<Timed<'_, O>> {
    part.into_iter().map(|(_, of)| of).collect()
}

fn only_reads<O: Object>(state: &O, call: &O::Call) -> bool {
    let mut after = state.clone();
    after.apply(call);
    after == *state
}

#[cfg(test)]
mod tests;
