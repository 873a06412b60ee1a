//! What each primitive has in addition to tokio's own: its place of creation, its waiters and its holders.

use crate::sim::kernel::{self, PartId, Role, SharedId, Wait};
use pin_project_lite::pin_project;
use refrain_core::event::{Operation, Primitive};
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
};

/// The kind of a primitive and its place of creation. It may be a static, so it gets its id in the run at its first use.
pub(super) struct Label {
    primitive: Primitive,
    place: &'static Location<'static>,
    /// Its id plus one; 0 without an id.
    number: AtomicUsize,
}

impl Label {
    #[track_caller]
    pub const fn new(primitive: Primitive) -> Label {
        Label { primitive, place: Location::caller(), number: AtomicUsize::new(0) }
    }

    /// Returns its id in the run; `None` outside a simulation.
    pub fn id(&self) -> Option<SharedId> {
        if let Some(id) = self.number.load(Relaxed).checked_sub(1) {
            return Some(id);
        }
        let id = kernel::try_with(|k| k.add_shared(self.primitive, self.place))?;
        self.number.store(id + 1, Relaxed);
        Some(id)
    }

    /// Wraps a future that waits for it.
    pub fn wait<F: Future>(&self, operation: Operation, inner: F) -> Waits<F> {
        Waits::new(self.id(), operation, inner)
    }

    /// Records a wait of the current task if a poll returned `Pending`.
    pub fn polled<T>(&self, operation: Operation, polled: Poll<T>) -> Poll<T> {
        if let (Poll::Pending, Some(id)) = (&polled, self.id()) {
            kernel::try_with(|k| k.wait(Wait::Shared(id, operation)));
        }
        polled
    }

    /// Records that the current task has a guard, a permit or an end of it.
    pub fn part(&self, role: Role) -> Part {
        let id = self.id().and_then(|id| kernel::try_with(|k| k.add_part(id, role)));
        Part { id, task: AtomicUsize::new(kernel::current_task() + 1) }
    }

    /// Records that the current task notifies its waiters.
    pub fn notifies(&self) {
        if let Some(id) = self.id() {
            kernel::try_with(|k| k.notifies(id));
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)
    }
}

impl Drop for Label {
    fn drop(&mut self) {
        if let Some(id) = self.number.get_mut().checked_sub(1) {
            kernel::try_with(|k| k.forget_shared(id));
        }
    }
}

/// A guard, a permit or an end of a channel. Its holder is known until it is dropped.
#[derive(Debug)]
pub(super) struct Part {
    id: Option<PartId>,
    /// The task that last used it, plus one.
    task: AtomicUsize,
}

impl Part {
    /// Records that the current task uses it.
    pub fn used(&self) {
        let task = kernel::current_task() + 1;
        if let Some(id) = self.id
            && self.task.swap(task, Relaxed) != task
        {
            kernel::try_with(|k| k.use_part(id));
        }
    }

    /// Records that the current task sends a value through it.
    pub fn sends(&self) {
        self.task.store(kernel::current_task() + 1, Relaxed);
        if let Some(id) = self.id {
            kernel::try_with(|k| k.sends(id));
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            kernel::try_with(|k| k.forget_part(id));
        }
    }
}

pin_project! {
    /// A future that waits for a primitive. While it is pending, the wait of its task is recorded.
    pub(super) struct Waits<F> {
        of: Option<SharedId>,
        operation: Operation,
        // Its wait after the last poll.
        waits: Option<Wait>,
        #[pin]
        inner: F,
    }

    impl<F> PinnedDrop for Waits<F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(wait) = this.waits {
                kernel::wait_is_over(wait);
            }
        }
    }
}

impl<F> Waits<F> {
    pub fn new(of: Option<SharedId>, operation: Operation, inner: F) -> Waits<F> {
        Waits { of, operation, waits: None, inner }
    }

    /// Returns the inner future.
    pub fn inner(self: Pin<&mut Self>) -> Pin<&mut F> {
        self.project().inner
    }
}

impl<F: Future> Future for Waits<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        let Some(of) = *this.of else { return polled };
        let wait = Wait::Shared(of, *this.operation);
        match polled {
            Poll::Pending => {
                let first = this.waits.replace(wait).is_none();
                kernel::try_with(|k| k.waits_for_shared(of, *this.operation, first));
            }
            Poll::Ready(_) if this.waits.is_some() => {
                kernel::try_with(|k| k.has_waited(of, *this.operation));
            }
            Poll::Ready(_) => {}
        }
        polled
    }
}

/// The data of a lock, with the lock's label. The label is only accessible while the lock is held; a waiting task finds it by the
/// lock's address, which cannot change meanwhile.
pub(super) struct Labelled<T: ?Sized> {
    pub label: Label,
    pub value: T,
}

impl<T> Labelled<T> {
    #[track_caller]
    pub const fn new(primitive: Primitive, value: T) -> Labelled<T> {
        Labelled { label: Label::new(primitive), value }
    }
}

impl<T: ?Sized> Labelled<T> {
    /// Records that the current task holds the lock at this address.
    pub fn held(&self, address: usize) -> Part {
        if let Some(id) = self.label.id() {
            kernel::try_with(|k| k.held_at(address, id));
        }
        self.label.part(Role::Holder)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Labelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Wraps a future that waits for the lock at this address.
pub(super) fn wait_at<F: Future>(address: usize, operation: Operation, inner: F) -> Waits<F> {
    Waits::new(kernel::try_with(|k| k.lock_at(address)).flatten(), operation, inner)
}
