//! The queue for a slot: first come, first woken; whoever leaves it passes the wake on.

use super::sync::{Mutex, PoisonError};
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// Those who wait, in the order in which they came.
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
    /// Nobody waits.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Line::default()))
    }

    /// Wakes who waits longest.
    pub(super) fn wake_one(&self) {
        let first = self.with(|line| line.waiting.pop_front());
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Line) -> T) -> T {
        // A panic under this lock is one of a waker's clone or drop; the line is whole nevertheless.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a, F: Fn() -> bool> Waiting<'a, F> {
    pub(super) fn new(queue: &'a Queue, has_free_slot: F) -> Self {
        Self { queue, has_free_slot, number: None }
    }

    /// Attempts what needs a slot. If it fails, the task is woken when there may be a free one.
    pub fn poll<T>(&mut self, context: &Context<'_>, attempt: impl FnOnce() -> Option<T>) -> Poll<T> {
        // First in line, then the attempt: a slot that is freed in between wakes us.
        self.enter(context.waker());
        attempt().map_or(Poll::Pending, Poll::Ready)
    }

    /// Takes our place, or takes it again after we were woken for nothing, before those who came later.
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
        // The slot that we were woken for may still be free, and its next sleeper sleeps.
        if was_woken && (self.has_free_slot)() {
            self.queue.wake_one();
        }
    }
}
