//! tokio's `oneshot`, with the tasks that have the ends of a channel and those that wait for it.

use super::label::{Label, Part};
use crate::sim::kernel::Role;
use error::{RecvError, TryRecvError};
use real::sync::oneshot as tokio;
use refrain_core::event::{
    Operation::{Closed, Receive},
    Primitive,
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

#[doc(no_inline)]
pub use real::sync::oneshot::error;

/// Sends one value. As tokio's.
pub struct Sender<T> {
    inner: tokio::Sender<T>,
    part: Part,
    label: Arc<Label>,
}

/// Receives one value. As tokio's.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Receiver<T> {
    inner: tokio::Receiver<T>,
    part: Part,
    label: Arc<Label>,
}

/// Creates a channel for one value.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::channel();
    let label = Arc::new(Label::new(Primitive::Oneshot));
    let [sends, receives] = [Role::Sender, Role::Receiver].map(|role| label.part(role));
    (Sender { inner: sender, part: sends, label: label.clone() }, Receiver { inner: receiver, part: receives, label })
}

impl<T> Sender<T> {
    /// Sends the value.
    pub fn send(self, value: T) -> Result<(), T> {
        self.part.sends();
        self.inner.send(value)
    }

    /// Completes when the receiver is dropped or closed.
    pub async fn closed(&mut self) {
        self.part.used();
        self.label.wait(Closed, self.inner.closed()).await;
    }

    /// Returns whether the receiver was dropped or closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Polls whether the receiver was dropped or closed.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.part.used();
        let polled = self.inner.poll_closed(cx);
        self.label.polled(Closed, polled)
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Receiver<T> {
    /// Closes the channel for senders.
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// Returns whether it has returned its value or error.
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Returns whether the channel has no values.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Returns the value, if it was sent.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.inner.try_recv()
    }

    /// Blocking version of `.await`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        self.inner.blocking_recv()
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.part.used();
        let polled = Pin::new(&mut self.inner).poll(cx);
        self.label.polled(Receive, polled)
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
