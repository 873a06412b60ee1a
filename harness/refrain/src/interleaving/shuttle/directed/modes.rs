//! What the directed scheduler does in one execution: a planned switch, or switches at random.

use super::switches::Switch;
use fastrand::Rng;

/// The first execution: every thread is preempted for the next one that has not run. Their usual order would be tried
/// without Refrain, too.
pub(super) const FIRST: Random =
    Random { order: Order::LastLast, percent: 100, once: true, with_locks: true, with_claims: false, resumes: false };
/// The second one is as different as possible.
pub(super) const SECOND: Random =
    Random { order: Order::Longest, percent: 100, once: true, with_locks: false, with_claims: true, resumes: true };

/// The first one of a later turn: what the threads tell each other arrives, and what is not ordered may arrive before.
pub(super) const LATER: Random =
    Random { order: Order::Spawned, percent: 0, once: true, with_locks: true, with_claims: true, resumes: false };

/// What is done in one execution.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Single(Switch, Phase),
    Random(Random),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Phase {
    /// The first thread runs up to the switch.
    Before,
    /// The other thread runs.
    Other,
    /// The first thread goes on.
    After,
}

/// How threads are preempted at random.
#[derive(Debug, Clone, Copy)]
pub(super) struct Random {
    pub order: Order,
    /// How often a thread is preempted where it can be.
    pub percent: u8,
    /// Whether no thread runs in the place of another after it was preempted itself.
    pub once: bool,
    /// Whether threads that hold a lock are preempted.
    pub with_locks: bool,
    /// Whether those are that may hold a lock of the service's own: others then give up, or try for ever.
    pub with_claims: bool,
    /// Whether a preempted thread goes on as soon as the one that ran in its place has ended; otherwise it comes last.
    pub resumes: bool,
}

impl Random {
    /// Draws one.
    pub fn drawn(random: &mut Rng) -> Random {
        Random {
            order: Order::Random,
            percent: [100, 50, 25, 12][random.usize(..4)],
            once: random.bool(),
            with_locks: random.bool(),
            with_claims: true,
            resumes: random.bool(),
        }
    }
}

/// The order in which threads run that can.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// As they were spawned, the main thread last.
    Spawned,
    /// In reverse, except that the thread that was spawned last remains the last: it is often the one that checks.
    LastLast,
    /// The thread that had the most operations comes first: it has the most to lose when it is preempted.
    Longest,
    Random,
}
