//! What the ends of a channel share: a queue under a lock, and who waits for it.

use super::super::{Condvar, Mutex, MutexGuard, mutex::unpoisoned};
use crate::{
    event::step::{self, Operation},
    interleaving::log::{self, Number, did},
};
use std::{collections::VecDeque, panic::Location, sync::Arc};

/// What both ends share.
pub(super) struct Channel<T> {
    number: Number,
    pub state: Mutex<State<T>>,
    /// Something was sent, or nobody will.
    pub sent: Condvar,
    /// Something was received, or nobody will.
    pub received: Condvar,
}

/// What is on its way, and who is there.
pub(super) struct State<T> {
    pub queue: VecDeque<T>,
    pub senders: usize,
    pub has_receiver: bool,
    /// Whether the receiver waits for a message.
    pub is_awaited: bool,
    /// How many messages were sent.
    pub sent: u64,
    /// How many messages were received.
    pub received: u64,
    /// The most that may wait to be received; `None`: any number; 0: who sends waits until it is received.
    pub bound: Option<usize>,
}

impl<T> Channel<T> {
    #[track_caller]
    pub fn new(bound: Option<usize>) -> Arc<Channel<T>> {
        let queue = VecDeque::new();
        let state = State { queue, senders: 1, has_receiver: true, is_awaited: false, sent: 0, received: 0, bound };
        let number = log::number("channel");
        did(Location::caller(), || Operation::Channel { id: number, what: step::Channel::New });
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
        did(Location::caller(), || Operation::Channel { id: self.number, what });
        self.sent.notify_one();
    }

    /// Takes the message that was sent first, and tells those who wait for that.
    #[track_caller]
    pub fn take(&self, state: &mut State<T>) -> Option<T> {
        let value = state.queue.pop_front()?;
        state.received += 1;
        let what = step::Channel::Receive { message: state.received };
        did(Location::caller(), || Operation::Channel { id: self.number, what });
        match state.bound {
            None => {}
            // Some wait until there is room, one until it is received.
            Some(0) => self.received.notify_all(),
            Some(_) => self.received.notify_one(),
        }
        Some(value)
    }

    #[track_caller]
    pub fn sender_gone(&self) {
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.sent.notify_all();
        }
    }
}

impl<T> State<T> {
    /// Whether who sends has to wait.
    pub fn is_full(&self) -> bool {
        self.bound.is_some_and(|bound| self.queue.len() >= bound.max(1))
    }
}
