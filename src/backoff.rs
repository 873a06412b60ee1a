//! Retry delays: exponential back-off up to a limit, with jitter.

use std::time::Duration;

/// The minimum delay.
pub(crate) const WAIT_MIN: Duration = Duration::from_millis(250);
/// The maximum delay.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(8);

/// The back-off since the last success.
#[derive(Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    wait_max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(WAIT_MAX)
    }
}

impl Backoff {
    /// Starts with the minimum, and grows to this delay.
    pub(crate) fn up_to(wait_max: Duration) -> Self {
        Self { ceiling: WAIT_MIN, wait_max }
    }

    /// Returns the next delay. Jitter of up to half of it keeps two peers from retrying in lockstep.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let ceiling_ms = self.ceiling.as_millis() as u64;
        self.ceiling = (self.ceiling * 2).min(self.wait_max);
        Duration::from_millis(fastrand::u64(ceiling_ms / 2..=ceiling_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_limit_and_no_further() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..20).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= WAIT_MIN);
        assert!(waits.iter().all(|wait| *wait >= WAIT_MIN / 2 && *wait <= WAIT_MAX));
        assert!(waits[10..].iter().all(|wait| *wait >= WAIT_MAX / 2));
    }
}
