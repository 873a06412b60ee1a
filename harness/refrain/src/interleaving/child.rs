//! How an execution begins, and how it ends its process with a verdict.
//!
//! The first panic ends the process, from the panic hook: nothing unwinds, so no destructor of the model can panic a
//! second time and no failing execution can disturb another.

use super::{
    clocks, foreign, log, memory, old,
    outlet::{refuse, send},
    pending, quarantine, seq_cst, spare, spin, stuck, threads, tickets, verdict,
};
use crate::{
    engine::{
        Heartbeat, exit,
        overflow::{self, Otherwise},
    },
    job::{Ended, RunMessage},
    place::Place,
    plan::{Nearest, NotTriggered, Part},
    verdict::{Cause, Class, Detail, Failure, Property, Verdict},
};
use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// What the worker watches.
static HEARTBEAT: OnceLock<&Heartbeat> = OnceLock::new();
/// Whether the execution follows the choices of a plan.
static FOLLOWS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Number of executions that have begun in this process.
    static EXECUTIONS: Cell<u64> = const { Cell::new(0) };
}

/// Returns the number of the current execution in this process.
pub(crate) fn execution() -> u64 {
    EXECUTIONS.get()
}

/// Decides whether the execution that comes follows the choices of a plan.
pub(super) fn follow(follows: bool) {
    FOLLOWS.store(follows, Relaxed);
}

/// Whether the execution follows the choices of a plan.
pub(super) fn follows() -> bool {
    FOLLOWS.load(Relaxed)
}

/// That the execution did not come to the last choices of its plan.
pub(super) fn not_followed() -> NotTriggered {
    NotTriggered { part: Part::Choices, nearest: Nearest::Nothing }
}

/// The code of the running thread has ended. If it is the last one and choices are left, loom takes the next one for that of
/// a thread that goes on, and never ends.
pub(crate) fn thread_ends() {
    // One that is only repeated comes before the recorded one in this process, whose limit it must not shorten.
    if threads::ends() && follows() && log::records() {
        send(&RunMessage::Over(not_followed()));
        HEARTBEAT.get().inspect(|heartbeat| heartbeat.end());
    }
}

/// How far from the stack pointer a stack that overflows is accessed: large frames are probed page by page.
const OVERFLOW_BYTES: usize = 64 << 10;

/// An execution begins.
pub(crate) fn execution_begins(heartbeat: &'static Heartbeat) {
    // Here, because an engine installs a handler of its own when it begins, which prints.
    overflow::watch(|address, stack| address.abs_diff(stack) < OVERFLOW_BYTES, Otherwise::Kernel)
        .unwrap_or_else(|error| refuse(&format!("cannot watch for stack overflows: {error}")));
    HEARTBEAT.get_or_init(|| heartbeat).tick(None);
    EXECUTIONS.set(EXECUTIONS.get() + 1);
    memory::forget();
    quarantine::forget();
    threads::forget();
    log::forget();
    spin::forget();
    stuck::forget();
    clocks::forget();
    old::forget();
    seq_cst::forget();
    foreign::forget();
    pending::forget();
    tickets::forget();
    spare::begin();
    refrain_std::thread::begin();
    refrain_std::model::enter(true);
}

/// Runs the model's main thread.
pub(crate) fn run_main(body: fn()) {
    body();
    refrain_std::thread::end();
}

/// An execution ended, and nothing failed in it.
pub(crate) fn execution_ended() {
    refrain_std::model::enter(false);
    if !seq_cst::is_left()
        && let Some((what, place)) = memory::first_live()
    {
        fail(verdict::leak(what, log::shown(place)))
    }
}

/// Ends the process: the model is wrong.
pub(crate) fn fail(mut failure: Failure) -> ! {
    failure.causes.extend(log::old().map(|read| Cause::StaleRead(Box::new(read))));
    end(Verdict::Failed(failure))
}

/// Ends the process: the model is wrong in this way.
pub(crate) fn fail_with(class: Class, property: Property, place: Option<Place>, detail: Detail) -> ! {
    fail(Failure { class, property, place, detail, causes: vec![] })
}

pub(super) fn end(verdict: Verdict) -> ! {
    end_with(verdict, vec![])
}

pub(super) fn end_with(verdict: Verdict, not_triggered: Vec<NotTriggered>) -> ! {
    let digest = log::end(&verdict);
    send(&RunMessage::Ended(Box::new(Ended {
        not_triggered,
        locate: quarantine::wanted(),
        ..Ended::at(verdict, digest)
    })));
    exit(0)
}
