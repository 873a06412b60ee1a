//! Plans single switches between two threads from the operations that they make.

use crate::interleaving::pending::Effect;
use fastrand::Rng;

/// Maximum number of switches that are kept.
const SWITCHES_MAX: usize = 1_000;
/// Number of executions from which operations are learned.
const LEARNED_MAX: u64 = 4;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Op {
    pub object: usize,
    pub effect: Effect,
}

/// One thread runs until it has made some operations, then another one runs, then the first goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch {
    pub thread: usize,
    /// The number of operations that `thread` makes before.
    pub after: usize,
    pub other: usize,
    /// The number of operations that `other` makes in total, if it is preempted then.
    pub until: Option<usize>,
}

/// Switches that have not been tried.
#[derive(Debug, Default)]
pub(super) struct Switches {
    todo: Vec<(u32, Switch)>,
    known: Vec<Switch>,
    learned: u64,
}

impl Op {
    pub fn conflicts(self, other: Op) -> bool {
        let writes = self.effect != Effect::Read || other.effect != Effect::Read;
        let unlocks = self.effect == Effect::Unlock || other.effect == Effect::Unlock;
        self.object == other.object && writes && !unlocks
    }
}

impl Switches {
    /// Returns the most promising switch that was not tried; one of them if there are several.
    pub fn next(&mut self, random: &mut Rng) -> Option<Switch> {
        let best = self.todo.iter().map(|(score, _)| *score).max()?;
        let best: Vec<usize> = (0..self.todo.len()).filter(|at| self.todo[*at].0 == best).collect();
        let at = best[random.usize(..best.len())];
        Some(self.todo.swap_remove(at).1)
    }

    /// Learns the operations of each thread of an execution.
    pub fn learn(&mut self, threads: Vec<Vec<Op>>) {
        if threads.is_empty() || self.learned == LEARNED_MAX {
            return;
        }
        self.learned += 1;
        let mut classes: Vec<&Vec<Op>> = vec![];
        let class: Vec<usize> = threads
            .iter()
            .map(|ops| {
                classes.iter().position(|other| *other == ops).unwrap_or_else(|| {
                    classes.push(ops);
                    classes.len() - 1
                })
            })
            .collect();
        let mut pairs = vec![];
        for (thread, ops) in threads.iter().enumerate() {
            for (other, others) in threads.iter().enumerate() {
                // Threads with the same operations are interchangeable.
                if thread == other || pairs.contains(&(class[thread], class[other])) {
                    continue;
                }
                pairs.push((class[thread], class[other]));
                self.between((thread, ops), (other, others));
            }
        }
    }

    fn between(&mut self, (thread, ops): (usize, &[Op]), (other, others): (usize, &[Op])) {
        for after in 1..ops.len() {
            // An operation that conflicts with nothing can as well come after the switch, and a lock is released before.
            let is_last = ops[..after].iter().rev().find(|op| op.effect != Effect::Unlock);
            let is_last = is_last.is_some_and(|op| others.iter().any(|remote| remote.conflicts(*op)));
            let Some(remote) = first_conflict(&ops[..after], others).filter(|_| is_last) else { continue };
            // A lock is released before a switch, unless another thread only tries to take it.
            let tries = Op { effect: Effect::TryLock, ..ops[after] };
            let is_tried = ops[after].effect == Effect::Unlock && others.contains(&tries);
            if !is_tried && (ops[after].effect == Effect::Unlock || first_conflict(&ops[after..], others).is_none()) {
                continue;
            }
            let held = held(&ops[..after]);
            let waits_with_lock = !held.is_empty() && ops[after].effect == Effect::Lock;
            let is_blocked = |op: &Op| op.effect == Effect::Lock && held.contains(&op.object);
            if others[..=remote].iter().any(is_blocked) && !waits_with_lock {
                continue;
            }
            let score = score(&ops[..after], &ops[after..], others) + u32::from(waits_with_lock || is_tried) * 4;
            self.add(score, Switch { thread, after, other, until: None });
            // The other thread is preempted in its turn where the first one conflicts with what it has done.
            for until in remote + 1..others.len() {
                if first_conflict(&others[..until], &ops[after..]).is_some() && others[until].effect != Effect::Unlock {
                    let score = score_crossed(score, &ops[after..], others.split_at(until));
                    self.add(score, Switch { thread, after, other, until: Some(until) });
                }
            }
        }
    }

    fn add(&mut self, score: u32, switch: Switch) {
        // Another execution may show that it is more promising.
        if let Some((known, _)) = self.todo.iter_mut().find(|(_, other)| *other == switch) {
            *known = score.max(*known);
        }
        if self.known.len() < SWITCHES_MAX && !self.known.contains(&switch) {
            self.known.push(switch);
            self.todo.push((score, switch));
        }
    }
}

/// Returns the locks that are held after these operations.
fn held(ops: &[Op]) -> Vec<usize> {
    let mut held = vec![];
    for op in ops {
        match op.effect {
            Effect::Lock => held.push(op.object),
            Effect::Unlock => held.retain(|held| *held != op.object),
            Effect::Read | Effect::Write | Effect::Claim | Effect::TryLock => {}
        }
    }
    held
}

/// Returns the position of the first of some operations that conflicts with what a thread does.
fn first_conflict(ops: &[Op], others: &[Op]) -> Option<usize> {
    others.iter().position(|remote| ops.iter().any(|op| remote.conflicts(*op)))
}

/// Returns how promising it is to run other operations between what a thread has done and what it does next: most if two
/// uses of the same object are separated in a way that no order without preemption has.
fn score(done: &[Op], next: &[Op], others: &[Op]) -> u32 {
    let mut best = 4;
    for op in done {
        for (distance, next) in next.iter().enumerate().filter(|(_, next)| next.object == op.object) {
            if others.iter().any(|remote| remote.conflicts(*op) && is_visible_between(*op, *remote, *next)) {
                best = best.max(6 + u32::from(distance == 0));
            }
        }
    }
    best
}

/// Returns how promising it is to preempt a thread in its turn, too, given how promising that turn is: most if what the
/// other does next comes between two operations of the same object that follow each other. Then each of the threads
/// relies on what it did before, and no switch of one thread alone disturbs both.
fn score_crossed(score: u32, next: &[Op], (done, others): (&[Op], &[Op])) -> u32 {
    let back = self::score(done, others, next);
    let is_between = |op: &Op| {
        op.object == next[0].object && others[0].object == op.object && is_visible_between(*op, next[0], others[0])
    };
    if done.last().is_some_and(is_between) { score.max(back) + 1 } else { (score + back) / 2 - 1 }
}

/// Returns whether an operation between two others is noticed: the second reads another value than the first, or what the
/// first read is overwritten. The critical sections of a lock may do either.
fn is_visible_between(op: Op, remote: Op, next: Op) -> bool {
    use Effect::{Lock, Read, Write};
    matches!(
        (op.effect, remote.effect, next.effect),
        (Lock, Lock, Lock) | (_, Write, Read) | (Read, Write, Write) | (Write, Read, Write)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: usize = 1;
    const B: usize = 2;

    fn op(effect: Effect, object: usize) -> Op {
        Op { object, effect }
    }

    /// Returns the switches between two threads, the most promising first.
    fn switches(threads: [Vec<Op>; 2]) -> Vec<Switch> {
        let mut switches = Switches::default();
        switches.learn(threads.into());
        let mut random = Rng::with_seed(0);
        std::iter::from_fn(|| switches.next(&mut random)).collect()
    }

    #[test]
    fn a_thread_is_preempted_between_its_load_and_its_store() {
        let update = vec![op(Effect::Read, B), op(Effect::Read, A), op(Effect::Write, A)];
        let first = switches([update, vec![op(Effect::Write, A)]])[0];
        assert_eq!(first, Switch { thread: 0, after: 2, other: 1, until: None });
    }

    #[test]
    fn threads_without_conflicts_are_not_preempted() {
        let reads = vec![op(Effect::Read, A), op(Effect::Read, A)];
        let writes = vec![op(Effect::Write, B), op(Effect::Write, B)];
        assert_eq!(switches([reads.clone(), writes]), []);
        assert_eq!(switches([reads.clone(), reads]), []);
    }

    #[test]
    fn a_lock_that_the_other_thread_needs_is_not_held_at_a_switch() {
        let section = [op(Effect::Lock, A), op(Effect::Write, B), op(Effect::Unlock, A)];
        let twice = section.repeat(2);
        let all = switches([twice.clone(), section.into()]);
        assert!(!all.is_empty() && all.iter().all(|switch| switch.thread != 0 || switch.after == 3), "{all:?}");
    }

    #[test]
    fn a_lock_that_the_other_thread_tries_is_held_at_a_switch() {
        let section = |effect| vec![op(effect, A), op(Effect::Unlock, A)];
        let first = switches([section(Effect::Lock), section(Effect::TryLock)])[0];
        assert_eq!(first, Switch { thread: 0, after: 1, other: 1, until: None });
    }

    #[test]
    fn two_updates_are_crossed() {
        let checks = vec![op(Effect::Read, A), op(Effect::Read, B), op(Effect::Write, A)];
        let updates = vec![op(Effect::Write, B), op(Effect::Read, A), op(Effect::Write, A)];
        let first = switches([checks, updates])[0];
        assert_eq!(first, Switch { thread: 0, after: 2, other: 1, until: Some(2) });
    }

    #[test]
    fn two_locks_in_two_orders_are_taken_crosswise() {
        let both = |one, two| vec![op(Effect::Lock, one), op(Effect::Lock, two), op(Effect::Unlock, two)];
        let first = switches([both(A, B), both(B, A)])[0];
        assert_eq!((first.after, first.until), (1, None));
    }
}
