//! How long the current poll of a run has taken: the processor time that it used, and the time in which it slept.
//!
//! Wall time alone would be wrong. On a loaded machine a sound service waits for a processor most of the time, and that
//! is no fault of the service.

use std::time::Duration;

/// How often a run is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What one look at a run's process shows.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// How many polls it has made.
    pub polls: u64,
    /// The processor time that the process has used so far.
    pub cpu_time: Duration,
    /// Whether one of its threads runs or waits for a processor.
    pub is_runnable: bool,
    /// The wall time since the look before.
    pub elapsed: Duration,
}

/// Measures the current poll from one look to the next.
#[derive(Debug, Default)]
pub struct PollTimer {
    polls: u64,
    cpu_time: Duration,
    computed: Duration,
    slept: Duration,
}

impl PollTimer {
    /// Counts the time since the look before, if the run is still in the same poll.
    pub fn look(&mut self, look: Look) {
        let computed = look.cpu_time.saturating_sub(self.cpu_time);
        self.cpu_time = look.cpu_time;
        if look.polls != self.polls {
            (self.polls, self.computed, self.slept) = (look.polls, Duration::ZERO, Duration::ZERO);
            return;
        }
        self.computed += computed;
        if !look.is_runnable {
            // A worker that was itself stopped or starved looks late; that time is not the run's.
            self.slept += look.elapsed.min(LOOK_EVERY).saturating_sub(computed);
        }
    }

    /// How long the current poll has taken.
    pub fn taken(&self) -> Duration {
        self.computed + self.slept
    }

    /// Whether it computed for more of that time than it slept.
    pub fn computes(&self) -> bool {
        self.computed >= self.slept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[track_caller]
    fn check(looks: &[(u64, u32, bool)], taken: Duration, computes: bool) {
        let mut timer = PollTimer::default();
        let mut cpu_time = Duration::ZERO;
        for &(polls, cpu_ms, is_runnable) in looks {
            cpu_time += cpu_ms * MS;
            timer.look(Look { polls, cpu_time, is_runnable, elapsed: LOOK_EVERY });
        }
        assert_eq!((timer.taken(), timer.computes()), (taken, computes));
    }

    #[test]
    fn a_loop_is_charged_its_processor_time() {
        check(&[(1, 500, true), (1, 500, true), (1, 400, true)], 900 * MS, true);
    }

    #[test]
    fn waiting_for_a_processor_is_free() {
        check(&[(1, 5, true), (1, 5, true), (1, 5, true), (1, 5, true)], 15 * MS, true);
    }

    #[test]
    fn sleeping_is_charged_wall_time() {
        check(&[(1, 0, false), (1, 0, false), (1, 0, false)], 2 * LOOK_EVERY, false);
    }

    #[test]
    fn naps_between_short_computations_are_charged_once() {
        check(&[(1, 80, false), (1, 80, false), (1, 80, false)], 2 * LOOK_EVERY, false);
    }

    #[test]
    fn a_new_poll_starts_from_zero() {
        check(&[(1, 500, true), (1, 500, true), (2, 500, true)], Duration::ZERO, true);
    }

    #[test]
    fn a_worker_that_was_stopped_charges_one_look() {
        let mut timer = PollTimer::default();
        let (polls, cpu_time) = (0, Duration::ZERO);
        timer.look(Look { polls, cpu_time, is_runnable: false, elapsed: Duration::from_secs(3600) });
        assert_eq!(timer.taken(), LOOK_EVERY);
    }
}
