//! tokio's `task`: every poll of a task passes the gate.

use super::{
    gate::{Gate, Output},
    interpose,
    kernel::{self, Panic, TaskId, Wait},
    stack,
};
use std::{
    fmt,
    future::Future,
    io,
    marker::PhantomData,
    panic::Location,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    thread,
};

pub mod join_set;
mod local;
mod runtimes;

pub use join_set::JoinSet;
pub use local::{LocalEnterGuard, LocalSet, spawn_local};
#[doc(no_inline)]
pub use real::task::{LocalKey, Unconstrained, consume_budget, coop, futures, unconstrained, yield_now};
pub(super) use runtimes::{RuntimeId, current_runtime, end_runtime, enter, hand_on_runtimes, new_runtime};

/// Spawns a task on the current host. Unlike in tokio, a panic of the task ends the run with a verdict, unless the test
/// allows it.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let id = new_task();
    let gate = Gate::joinable(id, future);
    let task = stack::on_simulation(|| madsim::task::spawn(gate));
    runtimes::joins(id, || InnerAbort::Spawned(task.abort_handle()));
    JoinHandle { inner: Inner::Spawned(task), id, take: Output::take, as_tokios: PhantomData }
}

/// The same in a runtime.
#[track_caller]
pub(super) fn spawn_in<F>(runtime: RuntimeId, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let outer = enter(runtime);
    let spawned = spawn(future);
    enter(outer);
    spawned
}

/// Creates a task on the current host.
///
/// # Panics
/// As tokio's, on a thread that has entered no runtime.
#[track_caller]
fn new_task() -> TaskId {
    let place = Location::caller();
    kernel::check_entered();
    kernel::with(|k| k.new_task(k.tasks[kernel::current_task()].host, place, false))
}

/// Runs a closure as a task of its own, on a thread of its process. As tokio's; it runs until it is over or blocks.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let spawned = match interpose::on_a_thread(f) {
        Ok(on_a_thread) => spawn(on_a_thread),
        Err(f) => spawn(async move { stack::blocking(true, f) }),
    };
    kernel::with(|k| k.tasks[spawned.id].blocking = true);
    spawned
}

/// The same in a runtime.
#[track_caller]
pub(super) fn spawn_blocking_in<F, R>(runtime: RuntimeId, f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let outer = enter(runtime);
    let spawned = spawn_blocking(f);
    enter(outer);
    spawned
}

/// Runs a closure at once, which may block on a future. As tokio's; others go on only while it does.
pub fn block_in_place<F: FnOnce() -> R, R>(f: F) -> R {
    stack::blocking(true, f)
}

/// Returns the id of the current task.
///
/// # Panics
/// Panics outside a task.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// Returns the id of the current task, if there is one.
pub fn try_id() -> Option<Id> {
    kernel::is_running().then(|| Id(kernel::current_task()))
}

/// An id of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(TaskId);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A handle that awaits a task.
#[derive(Debug)]
pub struct JoinHandle<T> {
    inner: Inner,
    id: TaskId,
    /// Takes the value from the task's output. A pointer, since only who spawns the task knows that the type is `'static`.
    take: fn(Output) -> T,
    /// It is `Send` where tokio's is.
    as_tokios: PhantomData<real::task::JoinHandle<T>>,
}

/// What runs the task.
#[derive(Debug)]
enum Inner {
    Spawned(madsim::task::JoinHandle<thread::Result<Output>>),
    Local(real::task::JoinHandle<thread::Result<Output>>),
}

impl<T: 'static> JoinHandle<T> {
    fn local(inner: real::task::JoinHandle<thread::Result<Output>>, id: TaskId) -> JoinHandle<T> {
        JoinHandle { inner: Inner::Local(inner), id, take: Output::take, as_tokios: PhantomData }
    }
}

impl<T> JoinHandle<T> {
    /// Aborts the task.
    pub fn abort(&self) {
        self.abort_handle().abort();
    }

    /// Returns a handle that can only abort the task.
    pub fn abort_handle(&self) -> AbortHandle {
        let inner = match &self.inner {
            Inner::Spawned(task) => InnerAbort::Spawned(task.abort_handle()),
            Inner::Local(task) => InnerAbort::Local(task.abort_handle()),
        };
        AbortHandle { inner, id: self.id }
    }

    /// Returns whether the task has completed or was dropped.
    pub fn is_finished(&self) -> bool {
        kernel::with(|k| k.tasks[self.id].ended)
    }

    /// Returns the task's id.
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
            Poll::Ready(None) => Poll::Ready(Err(JoinError { id: Id(id), panic: None })),
            Poll::Ready(Some(Err(panic))) => Poll::Ready(Err(JoinError { id: Id(id), panic: Some(Mutex::new(panic)) })),
            Poll::Ready(Some(Ok(output))) => Poll::Ready(Ok((self.take)(output))),
            Poll::Pending => {
                kernel::with(|k| k.wait(Wait::Join(id)));
                Poll::Pending
            }
        }
    }
}

/// A handle that can only abort a task.
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
    /// Cancels the task. As tokio's, a closure that runs goes on.
    pub fn abort(&self) {
        if kernel::with(|k| k.tasks[self.id].blocking && k.tasks[self.id].polls > 0) {
            return;
        }
        match &self.inner {
            InnerAbort::Spawned(task) => task.abort(),
            InnerAbort::Local(task) => task.abort(),
        }
    }

    /// Returns whether the task has completed or was dropped.
    pub fn is_finished(&self) -> bool {
        kernel::with(|k| k.tasks[self.id].ended)
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        Id(self.id)
    }
}

/// The error of a task that was aborted, or that panicked where the test allows it.
pub struct JoinError {
    id: Id,
    /// In a mutex, so that the error is `Sync`.
    panic: Option<Mutex<Panic>>,
}

impl JoinError {
    /// Returns whether the task was aborted.
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Returns whether the task panicked.
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// Returns the panic payload.
    ///
    /// # Panics
    /// Panics if the task did not panic.
    #[track_caller]
    pub fn into_panic(self) -> Panic {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// Returns the panic payload, or the error if the task did not panic.
    pub fn try_into_panic(self) -> Result<Panic, JoinError> {
        match self.panic {
            Some(panic) => Ok(panic.into_inner().unwrap_or_else(PoisonError::into_inner)),
            None => Err(self),
        }
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Returns the panic message, if the payload is a string.
    fn message(&self) -> Option<String> {
        let panic = self.panic.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_panic(), self.message()) {
            (false, _) => write!(f, "JoinError::Cancelled({:?})", self.id),
            (true, Some(message)) => write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.id),
            (true, None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_panic(), self.message()) {
            (false, _) => write!(f, "task {} was cancelled", self.id),
            (true, Some(message)) => write!(f, "task {} panicked with message {message:?}", self.id),
            (true, None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.is_panic() {
            true => "task panicked",
            false => "task was cancelled",
        })
    }
}
