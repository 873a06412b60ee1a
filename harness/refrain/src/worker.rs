//! A worker: a process that makes runs, each in a process of its own, and answers over its standard input.
//!
//! A seed alone does not make two runs the same: statics, task numbers and the addresses of the heap go on from run to
//! run in one process. So every run is forked from a worker that never changes.

mod collector;
mod descendants;
mod guard;
mod lines;
mod orphans;
mod output;
mod poll_timer;
mod pool;
mod process;
mod rewind;
mod serve;
pub(crate) mod temporary;
mod verdict;
mod watch;

pub(crate) use pool::{Pool, WORKER, WORKER_WITH_BACKTRACES, default_jobs};
pub(crate) use serve::serve;
