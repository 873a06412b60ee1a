//! tokio's `task`: every task passes the gate.

use super::{
    gate::Gate,
    kernel::{self, TaskId, Wait},
};
use std::{
    fmt,
    future::Future,
    io,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

mod join_set;

pub use join_set::JoinSet;
#[doc(no_inline)]
pub use real::task::{LocalKey, yield_now};

/// Spawns a task on the host of the current one. As tokio's; a panic of the task ends the run with a verdict.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let place = Location::caller();
    let id = kernel::with(|k| k.new_task(k.tasks[kernel::current_task()].host, place, false));
    JoinHandle { inner: madsim::task::spawn(Gate::new(id, future)), id }
}

/// Runs a closure as a task of its own. As tokio's; it runs without interruption, on the simulation's one thread.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    spawn(async move { f() })
}

/// A task's number. As tokio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(TaskId);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Awaits a task. As tokio's.
#[derive(Debug)]
pub struct JoinHandle<T> {
    inner: madsim::task::JoinHandle<T>,
    id: TaskId,
}

impl<T> JoinHandle<T> {
    /// Cancels the task.
    pub fn abort(&self) {
        self.inner.abort();
    }

    /// A handle that only cancels.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { inner: self.inner.abort_handle(), id: self.id }
    }

    /// Whether the task is done or was dropped.
    pub fn is_finished(&self) -> bool {
        kernel::with(|k| k.tasks[self.id].ended)
    }

    /// The task's number.
    pub fn id(&self) -> Id {
        Id(self.id)
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        match Pin::new(&mut self.inner).poll(cx) {
            Poll::Ready(done) => Poll::Ready(done.map_err(|_| JoinError(Id(id)))),
            Poll::Pending => {
                kernel::with(|k| k.wait(Wait::Join(id)));
                Poll::Pending
            }
        }
    }
}

/// Cancels a task. As tokio's.
#[derive(Debug, Clone)]
pub struct AbortHandle {
    inner: madsim::task::AbortHandle,
    id: TaskId,
}

impl AbortHandle {
    /// Cancels the task.
    pub fn abort(&self) {
        self.inner.abort();
    }

    /// Whether the task is done or was dropped.
    pub fn is_finished(&self) -> bool {
        kernel::with(|k| k.tasks[self.id].ended)
    }

    /// The task's number.
    pub fn id(&self) -> Id {
        Id(self.id)
    }
}

/// A task was cancelled. As tokio's; never a panic, for that ends the run.
#[derive(Debug)]
pub struct JoinError(Id);

impl JoinError {
    /// Always true here.
    pub fn is_cancelled(&self) -> bool {
        true
    }

    /// Never true here.
    pub fn is_panic(&self) -> bool {
        false
    }

    /// As tokio's.
    ///
    /// # Panics
    /// Always: the task did not panic.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn std::any::Any + Send> {
        panic!("`JoinError` reason is not a panic.")
    }

    /// As tokio's: gives the error back, for it is no panic.
    pub fn try_into_panic(self) -> Result<Box<dyn std::any::Any + Send>, JoinError> {
        Err(self)
    }

    /// The task's number.
    pub fn id(&self) -> Id {
        self.0
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} was cancelled", self.0)
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(error.to_string())
    }
}
