//! Where a run leaves its plan.

use super::{Holds, hold_plan};
use crate::sim::kernel::{Fault, with};
use refrain_core::plan;

/// How many of madsim's random numbers are skipped at most.
const SKIPS_MAX: u64 = 4_096;

/// Draws the schedule, latencies, chance and holds in another way from now on. The schedule is one of 4,096: madsim cannot be given another
/// seed, so it skips some of its random numbers.
pub fn branch(seed: u64, holds: Holds) {
    let skipped = 1 + seed % SKIPS_MAX;
    let mut random = madsim::rand::thread_rng();
    for _ in 0..skipped {
        madsim::rand::RngCore::next_u64(&mut random);
    }
    with(|k| {
        k.seed = seed;
        k.holds = hold_plan(holds);
        k.hold_from_now_on();
    });
}

/// Passes no more events on.
pub fn stop_recording() {
    with(|k| k.record.sink = None);
}

/// Cancels the faults that have not started and that are to be.
pub fn cancel_faults(is_to_be: impl Fn(&plan::Fault) -> bool) {
    with(|k| k.faults.iter_mut().filter(|fault| is_to_be(&fault.plan)).for_each(Fault::cancel));
}
