//! Virtual time: nanoseconds since the world began, which is somewhere on madsim's clock.

use super::record::mix;
use madsim::time::TimeHandle;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// A world begins somewhere within an hour of madsim's clock. Libraries that seed their chance from `Instant::now()`, as
/// fastrand does, would otherwise share the few values of a clock that always begins alike.
const BEGINS_WITHIN_NS: u64 = 3600 * 1_000_000_000;
/// The stream of chance for that.
const STREAM: u64 = 0x0063_6c6f_636b;

thread_local! {
    static BEGAN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Lets virtual time begin on this thread.
pub(crate) fn begin(time: &TimeHandle, seed: u64) {
    time.advance(Duration::from_nanos(mix(seed ^ STREAM, 0) % BEGINS_WITHIN_NS));
    BEGAN.set(time.elapsed());
}

/// Nanoseconds since the world began.
pub(crate) fn now(time: &TimeHandle) -> u64 {
    (time.elapsed() - BEGAN.get()).as_nanos() as u64
}

/// When the world began.
pub(crate) fn start(time: &TimeHandle) -> Instant {
    time.now_instant() - time.elapsed() + BEGAN.get()
}
