//! The shared state of a channel: a queue under a lock, and condition variables.

use super::super::{Condvar, Mutex, MutexGuard, mutex::unpoisoned};
use crate::{
    event::step::{self, Operation},
    interleaving::log::{self, Number, log_effect},
};
use std::{collections::VecDeque, panic::Location, sync::Arc};

/// Shared by both ends.
pub(super) struct Channel<T> {
    number: Number,
    pub state: Mutex<State<T>>,
    /// Signalled when a message was sent, or all senders are gone.
    pub sent: Condvar,
    /// Signalled when a message was received, or the receiver is gone.
    pub received: Condvar,
}

/// The messages, and the ends that still exist.
pub(super) struct State<T> {
    pub queue: VecDeque<T>,
    pub senders: usize,
    pub has_receiver: bool,
    /// Whether the receiver is waiting for a message.
    pub is_awaited: bool,
    /// Number of messages sent.
    pub sent: u64,
    /// Number of messages received.
    pub received: u64,
    /// Maximum number of queued messages; `None` for any number; with 0 a sender waits until its message is received.
    pub bound: Option<usize>,
}

impl<T> Channel<T> {
    #[track_caller]
    pub fn new(bound: Option<usize>) -> Arc<Channel<T>> {
        let queue = VecDeque::new();
        let state = State { queue, senders: 1, has_receiver: true, is_awaited: false, sent: 0, received: 0, bound };
        let number = log::number("channel");
        log_effect(Location::caller(), || Operation::Channel { id: number, what: step::Channel::New });
        Arc::new(Channel { number, state: Mutex::new(state), sent: Condvar::new(), received: Condvar::new() })
    }

    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, State<T>> {
        unpoisoned(self.state.lock())
    }

    #[track_caller]
    pub fn wait<'a>(condvar: &Condvar, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        unpoisoned(condvar.wait(state))
    }

    #[track_caller]
    pub fn push(&self, state: &mut State<T>, value: T) {
        state.queue.push_back(value);
        state.sent += 1;
        let what = step::Channel::Send { message: state.sent };
        log_effect(Location::caller(), || Operation::Channel { id: self.number, what });
        self.sent.notify_one();
    }

    /// Takes the oldest message, and notifies waiting senders.
    #[track_caller]
    pub fn take(&self, state: &mut State<T>) -> Option<T> {
        let value = state.queue.pop_front()?;
        state.received += 1;
        let what = step::Channel::Receive { message: state.received };
        log_effect(Location::caller(), || Operation::Channel { id: self.number, what });
        match state.bound {
            None => {}
            // Either a sender that waits for room, or the one that waits until its message is received.
            Some(0) => self.received.notify_all(),
            Some(_) => self.received.notify_one(),
        }
        Some(value)
    }

    #[track_caller]
    pub fn sender_dropped(&self) {
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.sent.notify_all();
        }
    }
}

impl<T> State<T> {
    /// Returns whether a sender has to wait.
    pub fn is_full(&self) -> bool {
        self.bound.is_some_and(|bound| self.queue.len() >= bound.max(1))
    }
}
