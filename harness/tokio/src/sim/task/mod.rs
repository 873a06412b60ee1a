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

pub mod join_set;
mod local;

pub use join_set::JoinSet;
pub use local::{LocalEnterGuard, LocalSet, spawn_local};
#[doc(no_inline)]
pub use real::task::{LocalKey, Unconstrained, consume_budget, coop, futures, unconstrained, yield_now};

/// Spawns a task on the host of the current one. As tokio's; a panic of the task ends the run with a verdict.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let id = new_task();
    JoinHandle { inner: Inner::Spawned(madsim::task::spawn(Gate::new(id, future))), id }
}

/// A task of the current one's host.
#[track_caller]
fn new_task() -> TaskId {
    let place = Location::caller();
    kernel::with(|k| k.new_task(k.tasks[kernel::current_task()].host, place, false))
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

/// Runs a closure at once. As tokio's; nothing else runs meanwhile, on the simulation's one thread.
pub fn block_in_place<F: FnOnce() -> R, R>(f: F) -> R {
    f()
}

/// The number of the task that runs.
///
/// # Panics
/// Outside of a task.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The number of the task that runs, if one does.
pub fn try_id() -> Option<Id> {
    kernel::is_running().then(|| Id(kernel::current_task()))
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
    inner: Inner<T>,
    id: TaskId,
}

/// Who runs the task.
#[derive(Debug)]
enum Inner<T> {
    Spawned(madsim::task::JoinHandle<T>),
    Local(real::task::JoinHandle<T>),
}

impl<T> JoinHandle<T> {
    fn local(inner: real::task::JoinHandle<T>, id: TaskId) -> JoinHandle<T> {
        JoinHandle { inner: Inner::Local(inner), id }
    }

    /// Cancels the task.
    pub fn abort(&self) {
        match &self.inner {
            Inner::Spawned(task) => task.abort(),
            Inner::Local(task) => task.abort(),
        }
    }

    /// A handle that only cancels.
    pub fn abort_handle(&self) -> AbortHandle {
        let inner = match &self.inner {
            Inner::Spawned(task) => InnerAbort::Spawned(task.abort_handle()),
            Inner::Local(task) => InnerAbort::Local(task.abort_handle()),
        };
        AbortHandle { inner, id: self.id }
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
        let polled = match &mut self.inner {
            Inner::Spawned(task) => Pin::new(task).poll(cx).map(Result::ok),
            Inner::Local(task) => Pin::new(task).poll(cx).map(Result::ok),
        };
        match polled {
            Poll::Ready(done) => Poll::Ready(done.ok_or(JoinError(Id(id)))),
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
    inner: InnerAbort,
    id: TaskId,
}

#[derive(Debug, Clone)]
enum InnerAbort {
    Spawned(madsim::task::AbortHandle),
    Local(real::task::AbortHandle),
}

impl AbortHandle {
    /// Cancels the task.
    pub fn abort(&self) {
        match &self.inner {
            InnerAbort::Spawned(task) => task.abort(),
            InnerAbort::Local(task) => task.abort(),
        }
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
