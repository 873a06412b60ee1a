//! tokio's `runtime`: a handle to the simulation. Building a runtime ends the program with an error.

use super::{
    kernel,
    task::{AbortHandle, JoinHandle, JoinSet, LocalSet, spawn, spawn_blocking},
};
use std::{error::Error, fmt, future::Future, io, marker::PhantomData, sync::MutexGuard};

#[doc(no_inline)]
pub use real::runtime::RuntimeFlavor;

/// A handle to the simulated runtime, on the current task's host. See [`real::runtime::Handle`].
#[derive(Debug, Clone)]
pub struct Handle(());

/// Guard returned by [`Handle::enter`]. Not `Send`, as in tokio.
#[derive(Debug)]
pub struct EnterGuard<'a>(PhantomData<(&'a Handle, MutexGuard<'a, ()>)>);

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
        f.write_str("there is no simulation on this thread: simulated tokio runs only inside #[refrain::test]")
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
        if kernel::is_running() { Ok(Handle(())) } else { Err(TryCurrentError(())) }
    }

    /// Enters the runtime. Without effect: the simulation is always the current one.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard(PhantomData)
    }

    /// Spawns a task on the current host.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(future)
    }

    /// Runs a closure as a task.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking(func)
    }

    /// Returns the multi-thread flavor, as in production; the simulation runs on one thread.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        RuntimeFlavor::MultiThread
    }
}

/// Stub of tokio's builder, so that `#[tokio::main]` compiles. It cannot build a runtime.
#[derive(Debug, Default)]
pub struct Builder(());

impl Builder {
    /// Creates a builder.
    pub fn new_multi_thread() -> Builder {
        Builder(())
    }

    /// Creates a builder.
    pub fn new_current_thread() -> Builder {
        Builder(())
    }

    /// Without effect.
    pub fn enable_all(&mut self) -> &mut Builder {
        self
    }

    /// Without effect.
    pub fn enable_io(&mut self) -> &mut Builder {
        self
    }

    /// Without effect.
    pub fn enable_time(&mut self) -> &mut Builder {
        self
    }

    /// Without effect.
    pub fn worker_threads(&mut self, _: usize) -> &mut Builder {
        self
    }

    /// Without effect.
    pub fn max_blocking_threads(&mut self, _: usize) -> &mut Builder {
        self
    }

    /// Without effect.
    pub fn thread_name(&mut self, _: impl Into<String>) -> &mut Builder {
        self
    }

    /// Prints that this is a simulated build and ends the program with exit code 3.
    pub fn build(&mut self) -> io::Result<Runtime> {
        refuse()
    }
}

/// Stub of tokio's runtime; it cannot be created in a simulation.
#[derive(Debug)]
pub struct Runtime(std::convert::Infallible);

impl Runtime {
    /// Prints that this is a simulated build and ends the program with exit code 3.
    #[allow(clippy::new_ret_no_self)]
    pub fn new() -> io::Result<Runtime> {
        refuse()
    }

    /// Never reached.
    pub fn block_on<F: Future>(&self, _: F) -> F::Output {
        match self.0 {}
    }

    /// Never reached.
    pub fn handle(&self) -> &Handle {
        match self.0 {}
    }

    /// Never reached.
    pub fn enter(&self) -> EnterGuard<'_> {
        match self.0 {}
    }

    /// Never reached.
    pub fn spawn<F>(&self, _: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.0 {}
    }

    /// Never reached.
    pub fn spawn_blocking<F, R>(&self, _: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match self.0 {}
    }

    /// Never reached.
    pub fn shutdown_timeout(self, _: std::time::Duration) {
        match self.0 {}
    }

    /// Never reached.
    pub fn shutdown_background(self) {
        match self.0 {}
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
    /// Never reached, since no runtime exists in a simulation.
    pub fn block_on<F: Future>(&self, rt: &Runtime, future: F) -> F::Output {
        rt.block_on(future)
    }
}

fn refuse() -> ! {
    eprintln!(
        "this program was built with refrain's simulated tokio, so it cannot serve: it has no real clock and no real \
         network.\nBuild it without the harness among the selected packages: `cargo build`, or `cargo build --package \
         NAME`, not `cargo build --workspace` and not from a test build."
    );
    std::process::exit(3)
}
