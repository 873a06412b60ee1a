//! The longest order that explains the answers to operations.

use super::{Found, Object, STEPS_MAX, Timed, TooMany, next, parts, search};
use std::collections::BTreeSet;

/// An order in which operations take effect.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// The index of each operation in turn, and the state after it.
    pub effects: Vec<(usize, String)>,
    /// The operations of which one would have to be next and none can be, and what the object would answer.
    pub stuck: Vec<(usize, String)>,
}

/// Returns an order that explains all answers; the longest one if none does.
pub fn order<O: Object>(begin: &O, operations: &[Timed<'_, O>]) -> Result<Order, TooMany> {
    let (mut begins, mut steps) = (BTreeSet::from([begin.clone()]), STEPS_MAX);
    let mut searched: Vec<(Vec<usize>, Found<O>)> = vec![];
    for part in parts(operations) {
        let of_part: Vec<Timed<'_, O>> = part.iter().map(|nth| operations[*nth]).collect();
        let found = search(&begins, &of_part, &mut steps)?;
        begins = found.ends.keys().cloned().collect();
        searched.push((part, found));
        if begins.is_empty() {
            break;
        }
    }
    let Some((part, last)) = searched.last() else { return Ok(Order { effects: vec![], stuck: vec![] }) };
    let mut at = last.ends.values().next().copied().unwrap_or_else(|| deepest(last));
    let stuck = if last.ends.is_empty() { stuck(operations, part, last, at) } else { vec![] };
    let mut effects = vec![];
    for nth_part in (0..searched.len()).rev() {
        let (part, found) = &searched[nth_part];
        while let Some((before, nth)) = found.nodes[at].before {
            effects.push((part[nth], format!("{:?}", found.nodes[at].state)));
            at = before;
        }
        if let Some((_, before)) = nth_part.checked_sub(1).map(|before| &searched[before]) {
            // A part begins in the states in which the one before it ends.
            at = before.ends[&found.nodes[at].state];
        }
    }
    effects.reverse();
    Ok(Order { effects, stuck })
}

/// Returns the node with the most operations done.
fn deepest<O>(found: &Found<O>) -> usize {
    let done = |at: &usize| found.nodes[*at].done.iter().map(|bits| bits.count_ones()).sum::<u32>();
    (0..found.nodes.len()).max_by_key(done).unwrap_or_default()
}

/// Returns what the object would answer to each operation that may come next.
fn stuck<O: Object>(operations: &[Timed<'_, O>], part: &[usize], found: &Found<O>, at: usize) -> Vec<(usize, String)> {
    let node = &found.nodes[at];
    let of_part: Vec<Timed<'_, O>> = part.iter().map(|nth| operations[*nth]).collect();
    let would_answer = |nth: usize| {
        let answer = node.state.clone().apply(of_part[nth].call);
        let differs = of_part[nth].answer.is_some_and(|(given, _)| *given != answer);
        differs.then(|| (part[nth], format!("{answer:?}")))
    };
    next(&of_part, &node.done).unwrap_or_default().into_iter().filter_map(would_answer).collect()
}
