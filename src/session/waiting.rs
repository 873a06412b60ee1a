//! The queue for a slot: FIFO; a waiter that leaves it passes its wakeup on.

use super::sync::{Mutex, PoisonError};
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// The waiters, in the order in which they arrived.
#[derive(Debug)]
pub struct Queue(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    numbers: u64,
    waiting: VecDeque<(u64, Waker)>,
}

/// A place in the queue, from the first poll until it is dropped.
#[derive(Debug)]
pub struct Waiting<'a, F: Fn() -> bool> {
    queue: &'a Queue,
    has_free_slot: F,
    number: Option<u64>,
}

impl Queue {
    /// Creates an empty queue.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Line::default()))
    }

    /// Wakes the longest waiter.
    pub(super) fn wake_one(&self) {
        let first = self.with(|line| line.waiting.pop_front());
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Line) -> T) -> T {
        // Only a waker's clone or drop can panic under this lock, and the line is consistent then.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a, F: Fn() -> bool> Waiting<'a, F> {
    pub(super) fn new(queue: &'a Queue, has_free_slot: F) -> Self {
        Self { queue, has_free_slot, number: None }
    }

    /// Attempts what needs a slot. If it fails, the task is woken when there may be a free one.
    pub fn poll<T>(&mut self, context: &Context<'_>, attempt: impl FnOnce() -> Option<T>) -> Poll<T> {
        // Enqueue before the attempt: a slot that is freed in between wakes this task.
        self.enter(context.waker());
        attempt().map_or(Poll::Pending, Poll::Ready)
    }

    /// Takes a place, or takes it again after a wakeup without a free slot, ahead of later waiters.
    fn enter(&mut self, waker: &Waker) {
        self.queue.with(|line| {
            let number = *self.number.get_or_insert_with(|| {
                line.numbers += 1;
                line.numbers
            });
            let at = line.waiting.partition_point(|(other, _)| *other < number);
            match line.waiting.get_mut(at) {
                Some((other, old)) if *other == number => old.clone_from(waker),
                _ => line.waiting.insert(at, (number, waker.clone())),
            }
        });
    }
}

impl<F: Fn() -> bool> Drop for Waiting<'_, F> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let was_woken = self.queue.with(|line| {
            let before = line.waiting.len();
            line.waiting.retain(|(other, _)| *other != number);
            line.waiting.len() == before
        });
        // The slot of our wakeup may still be free, and the next waiter is asleep.
        if was_woken && (self.has_free_slot)() {
            self.queue.wake_one();
        }
    }
}
