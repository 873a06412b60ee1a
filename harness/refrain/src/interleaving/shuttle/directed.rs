//! A scheduler that preempts threads where another thread's operation conflicts with what they have done.
//!
//! A thread that has used an object, and goes on to use it or another one, may rely on the first use: a check before an
//! action, a load before a store, the first of two related stores. A conflicting operation of another thread in between
//! is what most bugs need. So executions of two kinds alternate:
//!
//! - a *single switch*: one thread runs up to such a point, another one runs, then the first goes on. They are
//!   planned from the operations of earlier executions, see [`switches`];
//! - *random switches*: the threads run in some order, and are preempted at each such point with some probability.
//!
//! In most executions loads read old stores, where that is not the same as another order of the threads: see [`Reads`].

mod modes;
mod switches;

use crate::interleaving::{
    old::{self, Reads},
    pending::{self, Effect, Pending},
};
use ::shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use fastrand::Rng;
use modes::{FIRST, LATER, Mode, Order, Phase, Random, SECOND};
use switches::{Op, Switch, Switches};

/// Number of operations of a thread that are kept for planning.
const OPS_MAX: usize = 64;
/// The rank of a thread that was not preempted is between this and its negative.
const RANK_MAX: i64 = 1_000_000;
/// Less than this many threads have an order among those with as many operations.
const ORDER_MAX: usize = 10_000;
/// The scheduler.
pub(super) struct Directed {
    random: Rng,
    left: u64,
    /// Those that an exploration begins with.
    first: &'static [Random],
    /// Number of executions that have begun, without the repeated one.
    nth: usize,
    switches: Switches,
    mode: Mode,
    threads: Vec<Thread>,
    /// The operations of each thread in the previous execution.
    learned: Vec<Vec<Op>>,
    /// Whether a thread was not preempted in the first execution because of a claim. Then that is repeated without regard to claims.
    spared_claim: bool,
    /// Given to the next thread that is to come last: lower ranks run first.
    next_rank: i64,
}

/// A thread of the current execution.
#[derive(Debug, Clone, Default)]
struct Thread {
    /// The number of the operation that it has begun.
    begun: u64,
    is_started: bool,
    is_preempted: bool,
    ops: Vec<Op>,
    held: Vec<usize>,
    /// What it has claimed and not written since.
    claimed: Vec<usize>,
    rank: i64,
}

impl Directed {
    /// Creates a scheduler for at most this many executions, in this turn of its own.
    pub fn new(seed: u64, executions: u64, turn: u64) -> Directed {
        pending::enable();
        Directed {
            random: Rng::with_seed(seed),
            left: executions,
            first: if turn == 0 { &[FIRST, SECOND] } else { &[LATER] },
            nth: 0,
            switches: Switches::default(),
            mode: Mode::Random(FIRST),
            threads: vec![],
            learned: vec![],
            spared_claim: false,
            next_rank: RANK_MAX,
        }
    }

    fn next_mode(&mut self) -> Mode {
        if std::mem::take(&mut self.spared_claim) {
            return Mode::Random(Random { with_claims: true, ..FIRST });
        }
        self.nth += 1;
        if let Some(first) = self.first.get(self.nth - 1) {
            return Mode::Random(*first);
        }
        if self.nth % 4 != 2
            && let Some(switch) = self.switches.next(&mut self.random)
        {
            return Mode::Single(switch, Phase::Before);
        }
        Mode::Random(Random::drawn(&mut self.random))
    }

    fn thread(&mut self, id: usize) -> &mut Thread {
        while self.threads.len() <= id {
            let nth = self.threads.len();
            let Mode::Random(Random { order, .. }) = self.mode else {
                self.threads.push(Thread { rank: nth as i64, ..Thread::default() });
                continue;
            };
            let rank = match order {
                Order::Spawned if nth == 0 => RANK_MAX,
                Order::Spawned => nth as i64,
                Order::LastLast => {
                    self.threads.last_mut().iter_mut().for_each(|last| last.rank = last.rank.min(1 - nth as i64));
                    RANK_MAX
                }
                Order::Longest => -((self.learned.get(nth).map_or(0, Vec::len) * ORDER_MAX + nth) as i64),
                Order::Random => self.random.i64(-RANK_MAX..RANK_MAX),
            };
            self.threads.push(Thread { rank, ..Thread::default() });
        }
        &mut self.threads[id]
    }

    /// Returns the operation that a thread will begin as soon as it runs, if others can observe it.
    fn next_op(&self, id: usize) -> Option<Op> {
        let Pending { nth, object, effect, is_over } = pending::of(id);
        let begun = self.threads.get(id).map_or(0, |thread| thread.begun);
        (nth > begun && !is_over).then_some(Op { object, effect })
    }

    /// Returns whether another thread should run before this operation of the current thread.
    fn is_switch_point(&self, id: usize, op: Op) -> bool {
        let thread = &self.threads[id];
        let repeats = thread.ops.iter().any(|done| done.object == op.object);
        let waits_with_lock = op.effect == Effect::Lock && !thread.held.is_empty();
        repeats || waits_with_lock || (0..self.threads.len()).any(|other| other != id && self.disturbs(other, id))
    }

    /// Returns whether the next operation of a thread conflicts with what another one has done.
    fn disturbs(&self, other: usize, id: usize) -> bool {
        let next = self.next_op(other);
        next.is_some_and(|next| self.threads[id].ops.iter().any(|done| done.conflicts(next)))
    }

    /// Returns whether a thread is about to release a lock that another one tries to take next: that fails only before.
    fn is_tried(&self, id: usize) -> bool {
        let tries = |object, other| self.next_op(other) == Some(Op { object, effect: Effect::TryLock });
        let is_tried = |object| (0..self.threads.len()).any(|other| other != id && tries(object, other));
        self.unlocks(id).is_some_and(is_tried)
    }

    /// Returns whether a thread has come to its switch, which is before it releases a lock.
    fn is_at_switch(&self, id: usize) -> bool {
        let ops = self.threads.get(id).map_or(0, |thread| thread.ops.len());
        let is_at = |switch: Switch| switch.thread == id && ops >= switch.after && self.unlocks(id).is_some();
        matches!(self.mode, Mode::Single(switch, Phase::Before) if is_at(switch))
    }

    /// Returns the lock that a thread is about to release.
    fn unlocks(&self, id: usize) -> Option<usize> {
        let Pending { nth, object, effect, .. } = pending::of(id);
        let begun = self.threads.get(id).map_or(0, |thread| thread.begun);
        (nth > begun && effect == Effect::Unlock).then_some(object)
    }

    /// The thread begins its next operation.
    fn begin(&mut self, id: usize) {
        let Pending { nth, object, effect, is_over } = pending::of(id);
        let is_private = self.is_private(id);
        let thread = self.thread(id);
        if nth == thread.begun {
            return;
        }
        thread.begun = nth;
        match effect {
            Effect::Lock if !is_private => thread.held.push(object),
            Effect::Lock => {}
            Effect::Unlock => thread.held.retain(|held| *held != object),
            Effect::Claim => thread.claimed.push(object),
            Effect::Write | Effect::TryLock => thread.claimed.retain(|claimed| *claimed != object),
            Effect::Read => {}
        }
        if thread.ops.len() < OPS_MAX && (!is_over || effect == Effect::Unlock) {
            thread.ops.push(Op { object, effect });
        }
    }

    /// Returns whether the next operation of a thread uses what no other thread used in the previous execution.
    fn is_private(&self, id: usize) -> bool {
        let nth = self.threads.get(id).map_or(0, |thread| thread.ops.len());
        let Some(op) = self.learned.get(id).and_then(|ops| ops.get(nth)) else { return false };
        let others = self.learned.iter().enumerate().filter(|(other, _)| *other != id);
        !others.flat_map(|(_, ops)| ops).any(|other| other.object == op.object)
    }

    /// Chooses by rank; a thread whose next operation conflicts with what `disturbed` has done comes first, and then one
    /// that has done nothing.
    fn by_rank(&self, runnable: &[usize], disturbed: Option<usize>) -> usize {
        let rank = |id: &usize| {
            let thread = &self.threads[*id];
            let comes_late = disturbed.map(|disturbed| (!self.disturbs(*id, disturbed), !thread.ops.is_empty()));
            (comes_late, thread.rank)
        };
        runnable.iter().copied().min_by_key(rank).expect("shuttle asks only if a thread can run")
    }

    /// Chooses when the thread that ran before cannot go on.
    fn choose_next(&self, runnable: &[usize], before: Option<usize>, by: Random) -> usize {
        let is_blocked = before.is_some_and(|before| self.next_op(before).is_some());
        let others: Vec<usize> = runnable.iter().copied().filter(|id| !self.threads[*id].is_preempted).collect();
        // What blocks it may need more threads.
        self.by_rank(if by.resumes && is_blocked && !others.is_empty() { &others } else { runnable }, None)
    }

    fn choose_random(&mut self, runnable: &[usize], current: usize, by: Random) -> usize {
        if self.is_tried(current) {
            let untried = |id: &&usize| **id != current && !(by.once && self.threads[**id].is_preempted);
            let others: Vec<usize> = runnable.iter().filter(untried).copied().collect();
            let preempts = !others.is_empty() && self.random.u8(..100) < by.percent;
            return if preempts { self.preempt(current, &others, by) } else { current };
        }
        let Some(op) = self.next_op(current) else { return current };
        // Threads that have done nothing yet run in their order.
        if self.threads[current].ops.is_empty() || by.order == Order::Spawned {
            return self.by_rank(runnable, None);
        }
        let can_run = |id: &&usize| **id != current && !(by.once && self.threads[**id].is_preempted);
        let others: Vec<usize> = runnable.iter().filter(can_run).copied().collect();
        let is_locked = !by.with_locks && !self.threads[current].held.is_empty();
        if others.is_empty() || is_locked || !self.is_switch_point(current, op) || self.random.u8(..100) >= by.percent {
            return current;
        }
        if !by.with_claims && self.has_claim(current, op) {
            self.spared_claim = true;
            return current;
        }
        self.preempt(current, &others, by)
    }

    /// Preempts a thread, and chooses one of the others.
    fn preempt(&mut self, current: usize, others: &[usize], by: Random) -> usize {
        let chosen = self.by_rank(others, Some(current));
        self.demote(current);
        if by.resumes {
            self.threads[current].rank = -self.next_rank;
        }
        self.threads[current].is_preempted = true;
        chosen
    }

    /// Returns whether a thread has claimed something, and does not try to claim it again.
    fn has_claim(&self, id: usize, next: Op) -> bool {
        let claimed = &self.threads[id].claimed;
        let is_retry = next.effect == Effect::Claim && claimed.contains(&next.object);
        !claimed.is_empty() && !is_retry
    }

    /// All other threads run first.
    fn demote(&mut self, id: usize) {
        self.next_rank += 1;
        self.threads[id].rank = self.next_rank;
    }

    fn choose_single(&mut self, runnable: &[usize], current: Option<usize>, switch: Switch, phase: Phase) -> usize {
        let ops = |this: &Directed, id: usize| this.threads.get(id).map_or(0, |thread| thread.ops.len());
        let mut phase = phase;
        if phase == Phase::Before && ops(self, switch.thread) >= switch.after {
            phase = Phase::Other;
        }
        if phase == Phase::Other
            && (!runnable.contains(&switch.other) || switch.until.is_some_and(|until| ops(self, switch.other) >= until))
        {
            phase = Phase::After;
        }
        self.mode = Mode::Single(switch, phase);
        let preferred = if phase == Phase::Other { switch.other } else { switch.thread };
        if runnable.contains(&preferred) {
            return preferred;
        }
        if let Some(current) = current {
            return current;
        }
        let others: Vec<usize> = runnable.iter().copied().filter(|id| *id != switch.other).collect();
        if others.is_empty() { self.by_rank(runnable, None) } else { self.by_rank(&others, None) }
    }
}

impl Scheduler for Directed {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.left = self.left.checked_sub(1)?;
        self.learned = self.threads.drain(..).map(|thread| thread.ops).collect();
        self.switches.learn(self.learned.clone());
        // The first choice comes before the execution, which resets them.
        pending::forget();
        self.next_rank = RANK_MAX;
        self.mode = self.next_mode();
        old::choose(match self.mode {
            Mode::Random(Random { order: Order::Random, .. }) if self.random.bool() => {
                Reads::Random(self.random.fork())
            }
            Mode::Random(Random { order: Order::Random, .. }) => Reads::Newest,
            _ => Reads::Reordered,
        });
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        let ids: Vec<usize> = runnable.iter().map(|task| task.id().into()).collect();
        ids.iter().for_each(|id| {
            self.thread(*id);
        });
        let before = current.map(usize::from);
        if let Some(before) = before.filter(|_| yields) {
            self.thread(before);
            self.demote(before);
        }
        let current = before.filter(|current| !yields && ids.contains(current));
        // What others cannot observe comes at once, so that the next operation of each thread is known.
        let is_observed =
            |current: usize| self.next_op(current).is_some() || self.is_tried(current) || self.is_at_switch(current);
        let unobserved = current.filter(|current| !is_observed(*current));
        let new = || ids.iter().copied().find(|id| !self.threads[*id].is_started);
        let chosen = match (unobserved.or_else(new), self.mode) {
            (Some(id), _) => id,
            (None, Mode::Random(by)) => match current {
                Some(current) => self.choose_random(&ids, current, by),
                None => self.choose_next(&ids, before, by),
            },
            (None, Mode::Single(switch, phase)) if !yields => self.choose_single(&ids, current, switch, phase),
            (None, Mode::Single(..)) => self.by_rank(&ids, None),
        };
        self.threads[chosen].is_started = true;
        self.begin(chosen);
        runnable.iter().map(|task| task.id()).find(|id| usize::from(*id) == chosen)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
