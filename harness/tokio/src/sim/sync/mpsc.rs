//! tokio's `mpsc`, with the tasks that have the ends of a channel and those that wait for it.

use super::label::{Label, Part};
use crate::sim::{kernel::Role, time};
use error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use real::sync::mpsc as tokio;
use refrain_core::event::{
    Operation::{Closed, Receive, Send},
    Primitive,
};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

#[doc(no_inline)]
pub use real::sync::mpsc::{Permit, PermitIterator, error};

/// Sends values. As tokio's.
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

/// Capacity for one value. As tokio's.
#[must_use]
pub struct OwnedPermit<T> {
    inner: tokio::OwnedPermit<T>,
    part: Part,
    label: Arc<Label>,
}

/// Receives values. As tokio's.
pub struct Receiver<T> {
    inner: tokio::Receiver<T>,
    part: Part,
    label: Arc<Label>,
}

/// Sends values without a capacity limit. As tokio's.
pub struct UnboundedSender<T> {
    inner: tokio::UnboundedSender<T>,
    part: Part,
    label: Arc<Label>,
}

/// An [`UnboundedSender`] that does not keep the channel open. As tokio's.
pub struct WeakUnboundedSender<T> {
    inner: tokio::WeakUnboundedSender<T>,
    label: Arc<Label>,
}

/// Receives values of a channel without a capacity limit. As tokio's.
pub struct UnboundedReceiver<T> {
    inner: tokio::UnboundedReceiver<T>,
    part: Part,
    label: Arc<Label>,
}

/// Creates a channel with a capacity of `buffer` values.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::channel(buffer);
    let label = Arc::new(Label::new(Primitive::Mpsc));
    let part = label.part(Role::Receiver);
    (Sender::new(sender, label.clone()), Receiver { inner: receiver, part, label })
}

/// Creates a channel without a capacity limit.
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = tokio::unbounded_channel();
    let label = Arc::new(Label::new(Primitive::Mpsc));
    let part = label.part(Role::Receiver);
    (UnboundedSender::new(sender, label.clone()), UnboundedReceiver { inner: receiver, part, label })
}

macro_rules! receiver {
    ($name:ident) => {
        impl<T> $name<T> {
            /// Receives the next value; `None` when the channel is closed and empty.
            pub async fn recv(&mut self) -> Option<T> {
                self.part.used();
                self.label.wait(Receive, self.inner.recv()).await
            }

            /// Receives up to `limit` values and returns their number.
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                self.part.used();
                self.label.wait(Receive, self.inner.recv_many(buffer, limit)).await
            }

            /// Receives the next value, if there is one.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.part.used();
                self.inner.try_recv()
            }

            /// Blocking version of `recv`, outside asynchronous contexts.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                self.inner.blocking_recv()
            }

            /// Blocking version of `recv_many`, outside asynchronous contexts.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                self.inner.blocking_recv_many(buffer, limit)
            }

            /// Closes the channel for senders.
            pub fn close(&mut self) {
                self.part.used();
                self.inner.close();
            }

            /// Returns whether it was closed or all senders were dropped.
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// Returns whether the channel has no values.
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            /// Returns the number of values in the channel.
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            /// Polls for the next value.
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.part.used();
                let polled = self.inner.poll_recv(cx);
                self.label.polled(Receive, polled)
            }

            /// Polls for the next values.
            pub fn poll_recv_many(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<T>, limit: usize) -> Poll<usize> {
                self.part.used();
                let polled = self.inner.poll_recv_many(cx, buffer, limit);
                self.label.polled(Receive, polled)
            }

            /// Returns the number of senders.
            pub fn sender_strong_count(&self) -> usize {
                self.inner.sender_strong_count()
            }

            /// Returns the number of weak senders.
            pub fn sender_weak_count(&self) -> usize {
                self.inner.sender_weak_count()
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

receiver!(Receiver);
receiver!(UnboundedReceiver);

impl<T> Receiver<T> {
    /// Returns the current capacity of the channel.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Returns the capacity of the channel when it is empty.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

macro_rules! sender {
    ($name:ident, $weak:ident, $inner:ident) => {
        impl<T> $name<T> {
            fn new(inner: tokio::$inner<T>, label: Arc<Label>) -> $name<T> {
                $name { inner, part: label.part(Role::Sender), label }
            }

            /// Completes when the receiver is dropped or closed.
            pub async fn closed(&self) {
                self.part.used();
                self.label.wait(Closed, self.inner.closed()).await;
            }

            /// Returns whether the receiver was dropped or closed.
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// Returns whether both belong to the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                self.inner.same_channel(&other.inner)
            }

            /// Makes a sender that does not keep the channel open.
            #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
            pub fn downgrade(&self) -> $weak<T> {
                $weak { inner: self.inner.downgrade(), label: self.label.clone() }
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

        impl<T> Clone for $name<T> {
            fn clone(&self) -> $name<T> {
                $name::new(self.inner.clone(), self.label.clone())
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T> $weak<T> {
            /// Makes a sender, if the channel is still open.
            pub fn upgrade(&self) -> Option<$name<T>> {
                self.inner.upgrade().map(|inner| $name::new(inner, self.label.clone()))
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

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> $weak<T> {
                $weak { inner: self.inner.clone(), label: self.label.clone() }
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

sender!(Sender, WeakSender, Sender);
sender!(UnboundedSender, WeakUnboundedSender, UnboundedSender);

impl<T> UnboundedSender<T> {
    /// Sends a value.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.part.sends();
        self.inner.send(message)
    }
}

impl<T> Sender<T> {
    /// Sends a value, waiting for capacity.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.part.sends();
        self.label.wait(Send, self.inner.send(value)).await
    }

    /// Sends a value, if there is capacity.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.part.sends();
        self.inner.try_send(message)
    }

    /// Sends a value, waiting for capacity up to a time limit.
    pub async fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match time::timeout(timeout, self.reserve()).await {
            Err(_) => Err(SendTimeoutError::Timeout(value)),
            Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
            Ok(Ok(permit)) => {
                permit.send(value);
                Ok(())
            }
        }
    }

    /// Blocking version of `send`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        self.inner.blocking_send(value)
    }

    /// Waits for capacity for one value.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.part.sends();
        self.label.wait(Send, self.inner.reserve()).await
    }

    /// Waits for capacity for `n` values.
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        self.part.sends();
        self.label.wait(Send, self.inner.reserve_many(n)).await
    }

    /// Waits for capacity for one value; the permit owns the sender.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        let Sender { inner, part, label } = self;
        part.sends();
        let inner = label.wait(Send, inner.reserve_owned()).await?;
        Ok(OwnedPermit { inner, part, label })
    }

    /// Reserves capacity for one value, if there is any.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.part.sends();
        self.inner.try_reserve()
    }

    /// Reserves capacity for `n` values, if there is enough.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        self.part.sends();
        self.inner.try_reserve_many(n)
    }

    /// Reserves capacity for one value, if there is any; the permit owns the sender.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let Sender { inner, part, label } = self;
        part.sends();
        match inner.try_reserve_owned() {
            Ok(inner) => Ok(OwnedPermit { inner, part, label }),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Sender { inner, part, label })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Sender { inner, part, label })),
        }
    }

    /// Returns the current capacity of the channel.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Returns the capacity of the channel when it is empty.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

impl<T> OwnedPermit<T> {
    /// Sends a value.
    pub fn send(self, value: T) -> Sender<T> {
        self.part.sends();
        Sender { inner: self.inner.send(value), part: self.part, label: self.label }
    }

    /// Releases the capacity and returns the sender.
    pub fn release(self) -> Sender<T> {
        Sender { inner: self.inner.release(), part: self.part, label: self.label }
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Returns whether both belong to the same channel.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(&sender.inner)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
