//! tokio's `runtime`, as far as a simulated program reaches it: it cannot be built, only refused.

use std::{future::Future, io};

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
}

fn refuse() -> ! {
    eprintln!(
        "this program was built with refrain's simulated tokio, so it cannot serve: it has no real clock and no real \
         network.\nBuild it without the harness among the selected packages: `cargo build`, or `cargo build --package \
         NAME`, not `cargo build --workspace` and not from a test build."
    );
    std::process::exit(3)
}
