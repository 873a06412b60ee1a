//! tokio's `runtime`: a handle to the one that runs, and further ones, whose tasks end with them.
//!
//! Outside of a simulation, a test gets one of its own for each future that it blocks on; a simulated program says what it is and exits.

use super::{
    kernel, stack,
    task::{self, AbortHandle, JoinHandle, JoinSet, LocalSet, spawn_blocking_in, spawn_in},
};
use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    marker::PhantomData,
    pin::pin,
    sync::MutexGuard,
    task::{Context, Poll},
    thread,
    time::Duration,
};

mod alone;
mod builder;
mod local;

pub use builder::Builder;
pub use local::LocalRuntime;
#[doc(no_inline)]
pub use real::runtime::{LocalOptions, RuntimeFlavor};

/// A runtime of the current task's host. As tokio's.
#[derive(Debug, Clone)]
pub struct Handle {
    runtime: task::RuntimeId,
}

/// Guard returned by [`Handle::enter`]. Not `Send`, as in tokio.
#[derive(Debug)]
pub struct EnterGuard<'a> {
    outer: task::RuntimeId,
    _stays: PhantomData<(&'a Handle, MutexGuard<'a, ()>)>,
}

impl Drop for EnterGuard<'_> {
    fn drop(&mut self) {
        task::enter(self.outer);
    }
}

/// Error returned by [`Handle::try_current`] outside a simulation.
#[derive(Debug)]
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Returns `true`: there is no simulation here.
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Returns `false`.
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no reactor running on this thread: simulated tokio runs only inside #[refrain::test], and there as tokio does",
        )
    }
}

impl Error for TryCurrentError {}

impl Handle {
    /// Returns a handle to the simulation that runs on this thread.
    ///
    /// # Panics
    /// Panics outside a simulation.
    #[track_caller]
    pub fn current() -> Handle {
        Handle::try_current().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns a handle to the simulation that runs on this thread, or an error if there is none.
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        let runtime = kernel::is_running().then(task::current_runtime).filter(|runtime| *runtime != kernel::NO_RUNTIME);
        runtime.map(|runtime| Handle { runtime }).ok_or(TryCurrentError(()))
    }

    /// Makes it the current runtime.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard { outer: task::enter(self.runtime), _stays: PhantomData }
    }

    /// Runs a future to its end, and blocks meanwhile; other tasks go on.
    ///
    /// # Panics
    /// As tokio's, where a task must not block: anywhere but in `spawn_blocking` and `block_in_place`.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _entered = self.enter();
        block_on(future)
    }

    /// Spawns a task on the current host.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_in(self.runtime, future)
    }

    /// Runs a closure as a task.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking_in(self.runtime, func)
    }

    /// Returns the multi-thread flavor, as in production; the simulation runs on one thread.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        RuntimeFlavor::MultiThread
    }
}

/// Tasks that end with it. As tokio's, but for threads: here one thread runs all.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// Whether it was built outside of a simulation.
    alone: bool,
}

impl Runtime {
    /// A runtime of the current task's host.
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    fn begin() -> Runtime {
        Runtime { handle: Handle { runtime: task::new_runtime() }, alone: false }
    }

    fn alone() -> Runtime {
        Runtime { handle: Handle { runtime: 0 }, alone: true }
    }

    /// Runs a future to its end, and blocks meanwhile; other tasks go on.
    ///
    /// # Panics
    /// As tokio's, where a task must not block: anywhere but in `spawn_blocking` and `block_in_place`.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.alone { alone::run(future) } else { self.handle.block_on(future) }
    }

    /// A handle to it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes it the current runtime.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Spawns a task that ends with it.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure as a task.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Ends its tasks. Those that block are left, as tokio leaves them after the time.
    pub fn shutdown_timeout(self, _: Duration) {
        drop(self);
    }

    /// Ends its tasks. Unlike a drop it may be called where a task must not block.
    pub fn shutdown_background(self) {
        task::end_runtime(self.handle.runtime);
        std::mem::forget(self);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.alone {
            return;
        }
        if !stack::may_block() && !thread::panicking() {
            panic!(
                "Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is dropped from within an \
                 asynchronous context."
            );
        }
        task::end_runtime(self.handle.runtime);
    }
}

#[track_caller]
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = stack::waker().filter(|_| stack::may_block());
    let Some(waker) = waker else {
        panic!(
            "Cannot start a runtime from within a runtime. This happens because a function (like `block_on`) attempted to block \
             the current thread while the thread is being used to drive asynchronous tasks."
        )
    };
    let mut future = pin!(future);
    loop {
        let polled = stack::blocking(false, || future.as_mut().poll(&mut Context::from_waker(&waker)));
        match polled {
            Poll::Ready(value) => return value,
            Poll::Pending => stack::block(),
        }
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task into the set.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.add(handle.spawn(task))
    }

    /// Runs a closure as a task in the set.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.add(handle.spawn_blocking(f))
    }
}

impl LocalSet {
    /// Runs a future to its end with the tasks of the set. As tokio's.
    #[track_caller]
    pub fn block_on<F: Future>(&self, rt: &Runtime, future: F) -> F::Output {
        rt.block_on(self.run_until(future))
    }
}
