//! tokio's `runtime`: a handle to the one that runs. One cannot be built, only refused.

use super::{
    kernel,
    task::{AbortHandle, JoinHandle, JoinSet, LocalSet, spawn, spawn_blocking},
};
use std::{error::Error, fmt, future::Future, io, marker::PhantomData, sync::MutexGuard};

#[doc(no_inline)]
pub use real::runtime::RuntimeFlavor;

/// The runtime of the current task's host. As tokio's.
#[derive(Debug, Clone)]
pub struct Handle(());

/// While it lives, the runtime is the current one. As tokio's, it stays on its thread.
#[derive(Debug)]
pub struct EnterGuard<'a>(PhantomData<(&'a Handle, MutexGuard<'a, ()>)>);

/// There is no runtime here. As tokio's.
#[derive(Debug)]
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Always true here.
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Never true here.
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
    /// The runtime that runs this.
    ///
    /// # Panics
    /// Outside of a simulation.
    #[track_caller]
    pub fn current() -> Handle {
        Handle::try_current().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The runtime that runs this, if one does.
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        if kernel::is_running() { Ok(Handle(())) } else { Err(TryCurrentError(())) }
    }

    /// Makes it the current runtime; it is already.
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

    /// What production has; here one thread runs all.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        RuntimeFlavor::MultiThread
    }
}

/// Stands where tokio's builder stands, so that `#[tokio::main]` compiles; builds nothing.
#[derive(Debug, Default)]
pub struct Builder(());

impl Builder {
    /// As tokio's.
    pub fn new_multi_thread() -> Builder {
        Builder(())
    }

    /// As tokio's.
    pub fn new_current_thread() -> Builder {
        Builder(())
    }

    /// As tokio's.
    pub fn enable_all(&mut self) -> &mut Builder {
        self
    }

    /// As tokio's.
    pub fn enable_io(&mut self) -> &mut Builder {
        self
    }

    /// As tokio's.
    pub fn enable_time(&mut self) -> &mut Builder {
        self
    }

    /// As tokio's.
    pub fn worker_threads(&mut self, _: usize) -> &mut Builder {
        self
    }

    /// As tokio's.
    pub fn max_blocking_threads(&mut self, _: usize) -> &mut Builder {
        self
    }

    /// As tokio's.
    pub fn thread_name(&mut self, _: impl Into<String>) -> &mut Builder {
        self
    }

    /// Says that this program is a simulated one and ends it, with exit code 3.
    pub fn build(&mut self) -> io::Result<Runtime> {
        refuse()
    }
}

/// Stands where tokio's runtime stands; there is none in a simulation.
#[derive(Debug)]
pub struct Runtime(std::convert::Infallible);

impl Runtime {
    /// Says that this program is a simulated one and ends it, with exit code 3.
    #[allow(clippy::new_ret_no_self)]
    pub fn new() -> io::Result<Runtime> {
        refuse()
    }

    /// As tokio's; never reached.
    pub fn block_on<F: Future>(&self, _: F) -> F::Output {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn handle(&self) -> &Handle {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn enter(&self) -> EnterGuard<'_> {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn spawn<F>(&self, _: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn spawn_blocking<F, R>(&self, _: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn shutdown_timeout(self, _: std::time::Duration) {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub fn shutdown_background(self) {
        match self.0 {}
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task into it.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.add(handle.spawn(task))
    }

    /// Runs a closure as a task in it.
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
    /// As tokio's; never reached, for there is no runtime in a simulation.
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
