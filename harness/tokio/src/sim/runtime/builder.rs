//! tokio's `Builder`: it builds a runtime within a simulation, and refuses outside of one.

use super::{LocalRuntime, Runtime, alone};
use crate::sim::kernel;
use real::runtime::LocalOptions;
use std::{io, time::Duration};

/// Builds a runtime. Threads and their settings mean nothing here: one thread runs all.
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

    /// A runtime of the current task's host. Outside of a simulation, a test gets one of its own; a program says that it is a simulated one
    /// and ends, with exit code 3.
    pub fn build(&mut self) -> io::Result<Runtime> {
        match () {
            () if kernel::is_running() => Ok(Runtime::begin()),
            () if alone::is_test() => Ok(Runtime::alone()),
            () => refuse(),
        }
    }

    /// The same, whose tasks need not be `Send`.
    pub fn build_local(&mut self, _: LocalOptions) -> io::Result<LocalRuntime> {
        self.build().map(LocalRuntime::of)
    }
}

/// Settings that change nothing here.
macro_rules! settings {
    ($($name:ident($($type:ty)?);)*) => {
        impl Builder {$(
            /// As tokio's; it changes nothing here.
            pub fn $name(&mut self $(, _: $type)?) -> &mut Builder {
                self
            }
        )*}
    };
}

settings! {
    enable_all();
    enable_io();
    enable_time();
    event_interval(u32);
    global_queue_interval(u32);
    max_blocking_threads(usize);
    max_io_events_per_tick(usize);
    start_paused(bool);
    on_thread_park(impl Fn() + Send + Sync + 'static);
    on_thread_start(impl Fn() + Send + Sync + 'static);
    on_thread_stop(impl Fn() + Send + Sync + 'static);
    on_thread_unpark(impl Fn() + Send + Sync + 'static);
    thread_keep_alive(Duration);
    thread_name(impl Into<String>);
    thread_name_fn(impl Fn() -> String + Send + Sync + 'static);
    thread_stack_size(usize);
    worker_threads(usize);
}

fn refuse() -> ! {
    eprintln!(
        "this program was built with refrain's simulated tokio, so it cannot serve: it has no real clock and no real \
         network.\nBuild it without the harness among the selected packages: `cargo build`, or `cargo build --package \
         NAME`, not `cargo build --workspace` and not from a test build."
    );
    std::process::exit(3)
}
