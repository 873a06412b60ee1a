//! tokio's `watch`, with the tasks that have the ends of a channel and those that wait for it.

use super::label::{Label, Part};
use crate::sim::kernel::Role;
use error::{RecvError, SendError};
use real::sync::watch as tokio;
use refrain_core::event::{
    Operation::{Closed, Receive},
    Primitive,
};
use std::{fmt, sync::Arc};

#[doc(no_inline)]
pub use real::sync::watch::{Ref, error};

/// Sets the value. As tokio's.
pub struct Sender<T> {
    inner: tokio::Sender<T>,
    part: Part,
    label: Arc<Label>,
}

/// Sees changes of the value. As tokio's.
pub struct Receiver<T> {
    inner: tokio::Receiver<T>,
    part: Part,
    label: Arc<Label>,
}

/// Creates a channel that keeps the last value.
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::channel(init);
    let label = Arc::new(Label::new(Primitive::Watch));
    (Sender::with(sender, label.clone()), Receiver::with(receiver, label))
}

impl<T> Sender<T> {
    fn with(inner: tokio::Sender<T>, label: Arc<Label>) -> Sender<T> {
        Sender { inner, part: label.part(Role::Sender), label }
    }

    /// Creates the sender of a channel without receivers.
    #[track_caller]
    pub fn new(init: T) -> Sender<T> {
        Sender::with(tokio::Sender::new(init), Arc::new(Label::new(Primitive::Watch)))
    }

    /// Sets the value, if there is a receiver.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.part.sends();
        self.inner.send(value)
    }

    /// Modifies the value in place.
    pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {
        self.part.sends();
        self.inner.send_modify(modify);
    }

    /// Modifies the value in place; receivers are notified if `modify` returns true.
    pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        self.part.sends();
        self.inner.send_if_modified(modify)
    }

    /// Sets the value and returns the previous one.
    pub fn send_replace(&self, value: T) -> T {
        self.part.sends();
        self.inner.send_replace(value)
    }

    /// Returns the value.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.inner.borrow()
    }

    /// Returns whether all receivers were dropped.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Completes when all receivers are dropped.
    pub async fn closed(&self) {
        self.part.used();
        self.label.wait(Closed, self.inner.closed()).await;
    }

    /// Creates a receiver that has seen the current value.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::with(self.inner.subscribe(), self.label.clone())
    }

    /// Returns the number of receivers.
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// Returns the number of senders.
    pub fn sender_count(&self) -> usize {
        self.inner.sender_count()
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender::with(self.inner.clone(), self.label.clone())
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Sender<T> {
        Sender::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Receiver<T> {
    fn with(inner: tokio::Receiver<T>, label: Arc<Label>) -> Receiver<T> {
        Receiver { inner, part: label.part(Role::Receiver), label }
    }

    /// Returns the value.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.inner.borrow()
    }

    /// Returns the value and marks it as seen.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.inner.borrow_and_update()
    }

    /// Returns whether the value has changed since it was last seen.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.inner.has_changed()
    }

    /// Returns whether all senders were dropped.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Marks the value as not seen.
    pub fn mark_changed(&mut self) {
        self.inner.mark_changed();
    }

    /// Marks the value as seen.
    pub fn mark_unchanged(&mut self) {
        self.inner.mark_unchanged();
    }

    /// Waits for a value that has not been seen.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        self.part.used();
        self.label.wait(Receive, self.inner.changed()).await
    }

    /// Waits for a value for which `f` returns true.
    pub async fn wait_for(&mut self, f: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, RecvError> {
        self.part.used();
        self.label.wait(Receive, self.inner.wait_for(f)).await
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver::with(self.inner.clone(), self.label.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
