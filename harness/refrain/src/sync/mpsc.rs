//! Channels, built from a mutex and condition variables: loom's own do not report that the other side is gone.

mod channel;

use channel::Channel;
use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

#[doc(no_inline)]
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// Like `std::sync::mpsc::channel`.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None);
    (Sender(channel.clone()), Receiver(channel))
}

/// Like `std::sync::mpsc::sync_channel`.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(bound));
    (SyncSender(channel.clone()), Receiver(channel))
}

/// Like `std::sync::mpsc::Sender`.
pub struct Sender<T>(Arc<Channel<T>>);

/// Like `std::sync::mpsc::SyncSender`.
pub struct SyncSender<T>(Arc<Channel<T>>);

/// Like `std::sync::mpsc::Receiver`.
pub struct Receiver<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// See `std`.
    ///
    /// # Errors
    /// See `std`: the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        if !state.has_receiver {
            return Err(SendError(value));
        }
        self.0.push(&mut state, value);
        Ok(())
    }
}

impl<T> SyncSender<T> {
    /// See `std`.
    ///
    /// # Errors
    /// See `std`: the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        while state.has_receiver && state.is_full() {
            state = Channel::wait(&self.0.received, state);
        }
        if !state.has_receiver {
            return Err(SendError(value));
        }
        self.0.push(&mut state, value);
        if state.bound == Some(0) {
            let own = state.received + 1;
            while state.has_receiver && state.received < own {
                state = Channel::wait(&self.0.received, state);
            }
            if state.received < own
                && let Some(value) = state.queue.pop_front()
            {
                return Err(SendError(value));
            }
        }
        Ok(())
    }

    /// See `std`.
    ///
    /// # Errors
    /// See `std`: the channel is full, or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.lock();
        if !state.has_receiver {
            return Err(TrySendError::Disconnected(value));
        }
        if state.is_full() || state.bound == Some(0) && !state.is_awaited {
            return Err(TrySendError::Full(value));
        }
        self.0.push(&mut state, value);
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// See `std`.
    ///
    /// # Errors
    /// See `std`: the channel is empty, and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let mut state = self.0.lock();
        loop {
            if let Some(value) = self.0.take(&mut state) {
                return Ok(value);
            }
            if state.senders == 0 {
                return Err(RecvError);
            }
            state.is_awaited = true;
            state = Channel::wait(&self.0.sent, state);
            state.is_awaited = false;
        }
    }

    /// See `std`; in a model, see [`Condvar::wait_timeout`](super::Condvar::wait_timeout).
    ///
    /// # Errors
    /// See `std`: the time elapsed, or the channel is empty and all senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        let began = Instant::now();
        let mut state = self.0.lock();
        let mut is_late = false;
        loop {
            if let Some(value) = self.0.take(&mut state) {
                return Ok(value);
            }
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            if is_late {
                return Err(RecvTimeoutError::Timeout);
            }
            state.is_awaited = true;
            let left = time.saturating_sub(began.elapsed());
            let (again, result) = super::mutex::unpoisoned(self.0.sent.wait_timeout(state, left));
            (state, is_late) = (again, result.timed_out());
            state.is_awaited = false;
        }
    }

    /// See `std`.
    ///
    /// # Errors
    /// See `std`: the channel is empty, or all senders are gone, too.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.0.lock();
        match self.0.take(&mut state) {
            Some(value) => Ok(value),
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// See `std`.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// See `std`.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

macro_rules! iterator {
    ($name:ident $(<$a:lifetime>)? ($of:ty), $receive:ident) => {
        #[doc = concat!("As `std::sync::mpsc::", stringify!($name), "`.")]
        #[derive(Debug)]
        pub struct $name<$($a,)? T>($of);

        impl<$($a,)? T> Iterator for $name<$($a,)? T> {
            type Item = T;

            #[track_caller]
            fn next(&mut self) -> Option<T> {
                self.0.$receive().ok()
            }
        }
    };
}

iterator!(Iter<'a>(&'a Receiver<T>), recv);
iterator!(TryIter<'a>(&'a Receiver<T>), try_recv);
iterator!(IntoIter(Receiver<T>), recv);

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
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
                self.0.sender_dropped();
            }
        }
    )*};
}

sender!(Sender SyncSender);

macro_rules! debug {
    ($($name:ident)*) => {$(
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Sender SyncSender Receiver);

impl<T> Drop for Receiver<T> {
    #[track_caller]
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_receiver = false;
        // In a rendezvous channel, a waiting sender takes its message back.
        let left = if state.bound == Some(0) { VecDeque::new() } else { std::mem::take(&mut state.queue) };
        self.0.received.notify_all();
        drop(state);
        // Outside the lock: a message's destructor may use the channel.
        drop(left);
    }
}
