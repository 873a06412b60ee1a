//! tokio's `LocalRuntime`: a runtime and a set of tasks that stay on their thread.

use super::{EnterGuard, Handle, Runtime};
use crate::sim::task::{JoinHandle, LocalSet};
use std::{future::Future, io, time::Duration};

/// A runtime whose tasks need not be `Send`. As tokio's.
#[derive(Debug)]
pub struct LocalRuntime {
    // Dropped first: its tasks are those of the runtime.
    tasks: LocalSet,
    runtime: Runtime,
}

impl LocalRuntime {
    pub(super) fn of(runtime: Runtime) -> LocalRuntime {
        LocalRuntime { tasks: LocalSet::new(), runtime }
    }

    /// A runtime of the current task's host.
    pub fn new() -> io::Result<LocalRuntime> {
        Runtime::new().map(LocalRuntime::of)
    }

    /// Runs a future to its end with the tasks of the runtime, and blocks meanwhile; other tasks go on.
    ///
    /// # Panics
    /// As tokio's, where a task must not block: anywhere but in `spawn_blocking` and `block_in_place`.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(self.tasks.run_until(future))
    }

    /// A handle to it.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Makes it the current runtime.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Spawns a task that runs while the runtime blocks on something.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.tasks.spawn_local(future)
    }

    /// Runs a closure as a task.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(func)
    }

    /// Ends its tasks.
    pub fn shutdown_timeout(self, _: Duration) {
        drop(self);
    }

    /// Ends its tasks. Unlike a drop it may be called where a task must not block.
    pub fn shutdown_background(self) {
        let LocalRuntime { tasks, runtime } = self;
        drop(tasks);
        runtime.shutdown_background();
    }
}
