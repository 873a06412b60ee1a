//! The log of a recorded run: the calls of the service through which the machine can be read, with their answers.
//!
//! It says where a difference between two runs of one plan came from.

use super::{is_of_service, reissue::Call, watched};
use crate::sim::{section::unguarded, stack};
use refrain_core::{job::CALLS_MAX, verdict::Answer};
use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A call, what it asks about, and its answer.
#[derive(Debug)]
pub struct Called {
    /// Its number in the log, from 0.
    pub nth: usize,
    /// The system call or the instruction.
    pub call: &'static str,
    /// What it asks about, such as a path; empty if there is nothing to say.
    pub about: String,
    /// Its answer.
    pub answer: Answer,
}

/// Receives each call.
static SINK: OnceLock<fn(Called)> = OnceLock::new();
/// The number of the next call.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Logs the calls of this run from here on.
pub(super) fn begin(sink: fn(Called)) {
    let _ = SINK.set(sink);
}

/// Logs a system call that was made, and its result.
pub(super) fn made(call: &Call, result: isize) {
    log(|| watched::tells(call).then(|| watched::describe(call, result)));
}

/// Logs an instruction that was executed.
#[cfg(target_arch = "x86_64")]
pub(super) fn executed(name: &'static str, answer: i64) {
    log(|| Some((name, String::new(), Answer::Number(answer))));
}

/// Logs a call, unless the harness or madsim makes it: these run outside of polls, too.
fn log(call: impl FnOnce() -> Option<(&'static str, String, Answer)>) {
    let Some(sink) = SINK.get().filter(|_| is_of_service() && stack::depth() > 0) else { return };
    if NEXT.load(Relaxed) >= CALLS_MAX {
        return;
    }
    unguarded(|| {
        if let Some((call, about, answer)) = call() {
            sink(Called { nth: NEXT.fetch_add(1, Relaxed), call, about, answer });
        }
    });
}
