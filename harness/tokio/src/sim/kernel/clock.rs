//! Virtual time: nanoseconds since the start of the run, measured on madsim's clock.

use super::record::mix;
use crate::sim::section::unguarded;
use madsim::time::TimeHandle;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Each run starts at a random offset within this range of madsim's clock. Otherwise libraries that seed their random
/// numbers from `Instant::now()`, such as fastrand, would see the same few values in every run.
const BEGINS_WITHIN_NS: u64 = 3600 * 1_000_000_000;
/// The random stream from which the offset is drawn.
const STREAM: u64 = 0x0063_6c6f_636b;

thread_local! {
    static BEGAN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    /// madsim's clock, for threads that do not have its context.
    static TIME: Cell<Option<&'static TimeHandle>> = const { Cell::new(None) };
}

/// When virtual time started, on madsim's clock.
pub(super) type Start = (Duration, Option<Instant>, Option<&'static TimeHandle>);

/// When it started on this thread.
pub(super) fn of_this_thread() -> Start {
    (BEGAN.get(), START.get(), TIME.get())
}

/// Starts it on this thread when it started on another one.
pub(super) fn set((began, start, time): Start) {
    BEGAN.set(began);
    START.set(start);
    TIME.set(time);
}

/// Starts virtual time on this thread.
pub(crate) fn begin(time: &TimeHandle, seed: u64) {
    time.advance(Duration::from_nanos(mix(seed ^ STREAM, 0) % BEGINS_WITHIN_NS));
    BEGAN.set(time.elapsed());
    START.set(Some(time.now_instant()));
    TIME.set(Some(unguarded(|| Box::leak(Box::new(time.clone())))));
}

/// madsim's clock.
///
/// # Panics
/// Panics outside of a simulation.
pub(crate) fn handle() -> TimeHandle {
    TIME.get().expect("there is no simulation on this thread").clone()
}

/// Returns the nanoseconds since the start of the run.
pub(crate) fn now(time: &TimeHandle) -> u64 {
    (time.elapsed() - BEGAN.get()).as_nanos() as u64
}

/// Returns the nanoseconds since the start of the run at a reading of the monotonic clock.
pub(crate) fn at(monotonic: Duration) -> u64 {
    monotonic.saturating_sub(BEGAN.get()).as_nanos().min(u128::from(u64::MAX)) as u64
}

/// Returns the instant at which the run started.
///
/// # Panics
/// Panics if none has.
pub(crate) fn start() -> Instant {
    START.get().expect("virtual time has started")
}
