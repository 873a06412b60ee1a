//! tokio's `broadcast`, with the tasks that have the ends of a channel and those that wait for it.

use super::label::{Label, Part};
use crate::sim::kernel::Role;
use error::{RecvError, SendError, TryRecvError};
use real::sync::broadcast as tokio;
use refrain_core::event::{
    Operation::{Closed, Receive},
    Primitive,
};
use std::{fmt, sync::Arc};

#[doc(no_inline)]
pub use real::sync::broadcast::error;

/// Sends values to all receivers. As tokio's.
pub struct Sender<T> {
    inner: tokio::Sender<T>,
    part: Part,
    label: Arc<Label>,
}

/// A [`Sender`] that does not keep the channel open. As tokio's.
pub struct WeakSender<T> {
    inner: tokio::WeakSender<T>,
    label: Arc<Label>,
}

/// Receives all values. As tokio's.
pub struct Receiver<T> {
    inner: tokio::Receiver<T>,
    part: Part,
    label: Arc<Label>,
}

/// Creates a channel that keeps `capacity` values.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::channel(capacity);
    let label = Arc::new(Label::new(Primitive::Broadcast));
    (Sender::with(sender, label.clone()), Receiver::with(receiver, label))
}

impl<T> Sender<T> {
    fn with(inner: tokio::Sender<T>, label: Arc<Label>) -> Sender<T> {
        Sender { inner, part: label.part(Role::Sender), label }
    }

    /// Creates the sender of a channel without receivers.
    #[track_caller]
    pub fn new(capacity: usize) -> Sender<T> {
        Sender::with(tokio::Sender::new(capacity), Arc::new(Label::new(Primitive::Broadcast)))
    }

    /// Sends a value and returns the number of receivers.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.part.sends();
        self.inner.send(value)
    }

    /// Creates a receiver for the values sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::with(self.inner.subscribe(), self.label.clone())
    }

    /// Makes a sender that does not keep the channel open.
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), label: self.label.clone() }
    }

    /// Returns the number of values in the channel.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns whether the channel has no values.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns the number of receivers.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Completes when all receivers are dropped.
    pub async fn closed(&self) {
        self.part.used();
        self.label.wait(Closed, self.inner.closed()).await;
    }

    /// Returns the number of senders.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// Returns the number of weak senders.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender::with(self.inner.clone(), self.label.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> WeakSender<T> {
    /// Makes a sender, if the channel is still open.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.inner.upgrade().map(|inner| Sender::with(inner, self.label.clone()))
    }

    /// Returns the number of senders.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// Returns the number of weak senders.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.clone(), label: self.label.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Receiver<T> {
    fn with(inner: tokio::Receiver<T>, label: Arc<Label>) -> Receiver<T> {
        Receiver { inner, part: label.part(Role::Receiver), label }
    }

    /// Returns the number of values that were sent and not yet received.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Returns whether all values were received.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Returns the number of senders.
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// Returns the number of weak senders.
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// Returns whether all senders were dropped.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Creates a receiver for the values sent from now on.
    pub fn resubscribe(&self) -> Receiver<T> {
        Receiver::with(self.inner.resubscribe(), self.label.clone())
    }

    /// Receives the next value.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        self.part.used();
        self.label.wait(Receive, self.inner.recv()).await
    }

    /// Receives the next value, if there is one.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.part.used();
        self.inner.try_recv()
    }

    /// Blocking version of `recv`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        self.inner.blocking_recv()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
