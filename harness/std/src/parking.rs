//! Queues of parked threads in a model, with the operations of `parking_lot_core`.
//!
//! Each key has a queue and a lock of its own, where `parking_lot_core` hashes keys to buckets: what shares a bucket by
//! chance has nothing to do with the model. Each function takes the model and where it is called. An unlock is fair only if the lock asks for it, because `parking_lot_core`
//! decides that by the time.

use crate::model::{Model, Parked, Place};

/// What an engine without time is told that the model calls.
const TIMED: &str = "a wait with a timeout, in a dependency";

/// The result of parking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was unparked, with this token.
    Unparked(usize),
    /// Its validation failed.
    Invalid,
    /// Its time was over.
    TimedOut,
}

/// The result of unparking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unparked {
    /// Number of threads that were unparked.
    pub unparked: usize,
    /// Number of threads that were moved to another queue.
    pub requeued: usize,
    /// Whether others are left in the queue.
    pub has_more: bool,
}

/// What to do with a parked thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Unpark it.
    Unpark,
    /// Leave it parked.
    Skip,
    /// Leave it and those behind it parked.
    Stop,
}

/// What to do with the threads of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Whether to unpark the first thread.
    pub unparks: bool,
    /// How many others to move to the other queue at most.
    pub requeues: usize,
}

/// Parks the running thread, unless `validate` returns false.
pub fn park(
    (model, place): (&dyn Model, Place),
    key: usize,
    validate: impl FnOnce() -> bool,
    before_sleep: impl FnOnce(),
    timed_out: impl FnOnce(usize, bool),
    token: usize,
    is_timed: bool,
) -> Outcome {
    if is_timed {
        // Before anything is queued: an engine may reject it.
        model.time(TIMED, place);
    }
    let mut ticket = None;
    with(model, key, place, |queue| {
        if validate() {
            let own = model.ticket();
            queue.push(Parked { ticket: own, token });
            ticket = Some(own);
        }
    });
    let Some(ticket) = ticket else { return Outcome::Invalid };
    before_sleep();
    if is_timed {
        model.time(TIMED, place);
        let mut is_over = false;
        with(model, key, place, |queue| {
            if let Some(at) = queue.iter().position(|parked| parked.ticket == ticket) {
                queue.remove(at);
                timed_out(key, queue.is_empty());
                is_over = true;
            }
        });
        if is_over {
            return Outcome::TimedOut;
        }
    }
    Outcome::Unparked(model.sleep(ticket, place))
}

/// Unparks the first thread of a queue.
pub fn unpark_one(
    (model, place): (&dyn Model, Place),
    key: usize,
    callback: impl FnOnce(Unparked) -> usize,
) -> Unparked {
    let mut is_first = true;
    let first = |_| match std::mem::take(&mut is_first) {
        true => Choice::Unpark,
        false => Choice::Stop,
    };
    unpark_filter((model, place), key, first, callback)
}

/// Unparks all threads of a queue, and returns their number.
pub fn unpark_all((model, place): (&dyn Model, Place), key: usize, token: usize) -> usize {
    unpark_filter((model, place), key, |_| Choice::Unpark, |_| token).unparked
}

/// Unparks those threads of a queue that `filter` chooses by their tokens. They get the token that `callback` returns.
pub fn unpark_filter(
    (model, place): (&dyn Model, Place),
    key: usize,
    mut filter: impl FnMut(usize) -> Choice,
    callback: impl FnOnce(Unparked) -> usize,
) -> Unparked {
    let (mut woken, mut token, mut result) = (vec![], 0, Unparked::default());
    with(model, key, place, |queue| {
        let mut at = 0;
        while at < queue.len() {
            match filter(queue[at].token) {
                Choice::Unpark => woken.push(queue.remove(at)),
                Choice::Skip => at += 1,
                Choice::Stop => break,
            }
        }
        result = Unparked { unparked: woken.len(), requeued: 0, has_more: !queue.is_empty() };
        token = callback(result);
    });
    woken.iter().for_each(|parked| model.wake(parked.ticket, token, place));
    result
}

/// Moves threads to another queue, and unparks one, as `validate` says.
pub fn unpark_requeue<T: Copy>(
    (model, place): (&dyn Model, Place),
    (from, to): (usize, usize),
    validate: impl FnOnce() -> (T, Option<Move>),
    callback: impl FnOnce(T, Unparked) -> usize,
) -> Unparked {
    let (mut woken, mut token, mut result) = (None, 0, Unparked::default());
    with(model, from, place, |from| {
        with(model, to, place, |to| {
            let (said, Some(moves)) = validate() else { return };
            if moves.unparks && !from.is_empty() {
                woken = Some(from.remove(0));
            }
            let moved = from.len().min(moves.requeues);
            to.extend(from.drain(..moved));
            result = Unparked { unparked: woken.iter().count(), requeued: moved, has_more: !from.is_empty() };
            token = callback(said, result);
        });
    });
    woken.iter().for_each(|parked| model.wake(parked.ticket, token, place));
    result
}

/// Locks a queue and calls `f` with it, once.
fn with(model: &dyn Model, key: usize, place: Place, f: impl FnOnce(&mut Vec<Parked>)) {
    let mut f = Some(f);
    model.queue(key, place, &mut |queue| {
        if let Some(f) = f.take() {
            f(queue);
        }
    });
}
