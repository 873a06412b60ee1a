//! Channels, made of a mutex and condition variables: loom's own do not tell that the other side is gone.

use super::{Arc, Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, SendError, TryRecvError, TrySendError};

#[derive(Debug)]
struct Channel<T> {
    state: Mutex<State<T>>,
    /// Something was sent, or nobody will.
    sent: Condvar,
    /// Something was received, or nobody will.
    received: Condvar,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
    /// The most that may wait to be received; `None`: any number.
    bound: Option<usize>,
}

impl<T> Channel<T> {
    fn new(bound: Option<usize>) -> Arc<Channel<T>> {
        let state = State { queue: VecDeque::new(), senders: 1, has_receiver: true, bound };
        Arc::new(Channel { state: Mutex::new(state), sent: Condvar::new(), received: Condvar::new() })
    }

    #[track_caller]
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        super::mutex::unpoisoned(self.state.lock())
    }

    #[track_caller]
    fn sender_gone(&self) {
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.sent.notify_all();
        }
    }
}

/// As `std::sync::mpsc::channel`.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None);
    (Sender(channel.clone()), Receiver(channel))
}

/// As `std::sync::mpsc::sync_channel`; a bound of 0 counts as 1.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(bound.max(1)));
    (SyncSender(channel.clone()), Receiver(channel))
}

/// As `std::sync::mpsc::Sender`.
#[derive(Debug)]
pub struct Sender<T>(Arc<Channel<T>>);

/// As `std::sync::mpsc::SyncSender`.
#[derive(Debug)]
pub struct SyncSender<T>(Arc<Channel<T>>);

/// As `std::sync::mpsc::Receiver`.
#[derive(Debug)]
pub struct Receiver<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// As in `std`.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        if !state.has_receiver {
            return Err(SendError(value));
        }
        state.queue.push_back(value);
        self.0.sent.notify_one();
        Ok(())
    }
}

impl<T> SyncSender<T> {
    /// As in `std`.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        loop {
            if !state.has_receiver {
                return Err(SendError(value));
            }
            if !state.is_full() {
                break;
            }
            state = super::mutex::unpoisoned(self.0.received.wait(state));
        }
        state.queue.push_back(value);
        self.0.sent.notify_one();
        Ok(())
    }

    /// As in `std`.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.lock();
        if !state.has_receiver {
            return Err(TrySendError::Disconnected(value));
        }
        if state.is_full() {
            return Err(TrySendError::Full(value));
        }
        state.queue.push_back(value);
        self.0.sent.notify_one();
        Ok(())
    }
}

impl<T> State<T> {
    fn is_full(&self) -> bool {
        self.bound.is_some_and(|bound| self.queue.len() >= bound)
    }
}

impl<T> Receiver<T> {
    /// As in `std`.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut state = self.0.lock();
        loop {
            if let Some(value) = state.queue.pop_front() {
                self.0.received.notify_one();
                return Ok(value);
            }
            if state.senders == 0 {
                return Err(RecvError);
            }
            state = super::mutex::unpoisoned(self.0.sent.wait(state));
        }
    }

    /// As in `std`.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.0.lock();
        match state.queue.pop_front() {
            Some(value) => {
                self.0.received.notify_one();
                Ok(value)
            }
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// As in `std`.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

macro_rules! sender {
    ($($name:ident)*) => {$(
        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> $name<T> {
                self.0.lock().senders += 1;
                $name(self.0.clone())
            }
        }

        impl<T> Drop for $name<T> {
            #[track_caller]
            fn drop(&mut self) {
                self.0.sender_gone();
            }
        }
    )*};
}

sender!(Sender SyncSender);

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_receiver = false;
        let left = std::mem::take(&mut state.queue);
        self.0.received.notify_all();
        drop(state);
        // Outside of the lock: a message's own drop may use the channel.
        drop(left);
    }
}
