//! tokio's `Notify`, with the tasks that wait for it and those that have notified.

use super::label::{Label, Waits};
use pin_project_lite::pin_project;
use real::sync as tokio;
use refrain_core::event::{Operation, Primitive};
use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomPinned,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

/// Notifies tasks. As tokio's.
pub struct Notify {
    label: Label,
    inner: tokio::Notify,
}

pin_project! {
    /// Waits for a notification. As tokio's.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Notified<'a> {
        #[pin]
        inner: Waits<tokio::futures::Notified<'a>>,
    }
}

pin_project! {
    /// Waits for a notification and owns its [`Notify`]. As tokio's.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct OwnedNotified {
        asked: Arc<AtomicU8>,
        inner: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
        // `!Unpin` as in tokio, although it could be moved.
        #[pin]
        _pinned: PhantomPinned,
    }
}

/// What a poll of the future in [`OwnedNotified`] has to do: begin, enable or wait; and its answer if `enable` found a notification.
const BEGIN: u8 = 0;
const ENABLE: u8 = 1;
const WAIT: u8 = 2;
const NOTIFIED: u8 = 3;

impl Notify {
    /// Creates one without a notification.
    #[track_caller]
    pub fn new() -> Notify {
        Notify { label: Label::new(Primitive::Notify), inner: tokio::Notify::new() }
    }

    /// Creates it in a constant context.
    #[track_caller]
    pub const fn const_new() -> Notify {
        Notify { label: Label::new(Primitive::Notify), inner: tokio::Notify::const_new() }
    }

    /// Waits for a notification.
    pub fn notified(&self) -> Notified<'_> {
        Notified { inner: self.label.wait(Operation::Notified, self.inner.notified()) }
    }

    /// Waits for a notification; the future owns an `Arc` of it.
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let asked = Arc::new(AtomicU8::new(BEGIN));
        let asks = asked.clone();
        let mut inner: Pin<Box<dyn Future<Output = ()> + Send + Sync>> = Box::pin(async move {
            let mut notified = pin!(self.notified());
            poll_fn(|cx| match asks.load(Relaxed) {
                ENABLE => {
                    asks.store(if notified.as_mut().enable() { NOTIFIED } else { WAIT }, Relaxed);
                    Poll::Pending
                }
                BEGIN => Poll::Pending,
                _ => notified.as_mut().poll(cx),
            })
            .await;
        });
        // tokio's future receives `notify_waiters` from its creation on, so the inner one must exist now.
        let _ = inner.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        asked.store(WAIT, Relaxed);
        OwnedNotified { asked, inner, _pinned: PhantomPinned }
    }

    /// Notifies the task that has waited longest, or the next one that waits.
    pub fn notify_one(&self) {
        self.label.notifies();
        self.inner.notify_one();
    }

    /// Notifies the task that started to wait last, or the next one that waits.
    pub fn notify_last(&self) {
        self.label.notifies();
        self.inner.notify_last();
    }

    /// Notifies all waiting tasks.
    pub fn notify_waiters(&self) {
        self.label.notifies();
        self.inner.notify_waiters();
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Notified<'_> {
    /// Starts to wait without a poll; returns whether a notification was available.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().inner.inner().enable()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").finish_non_exhaustive()
    }
}

impl OwnedNotified {
    /// Starts to wait without a poll; returns whether a notification was available.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        this.asked.store(ENABLE, Relaxed);
        let _ = this.inner.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        this.asked.load(Relaxed) == NOTIFIED
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.as_mut().poll(cx)
    }
}

impl fmt::Debug for OwnedNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedNotified").finish_non_exhaustive()
    }
}
