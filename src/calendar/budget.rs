//! The steps that the expansion of one calendar may take, so that no calendar can occupy a processor or the memory.

/// Maximum number of steps of an expansion. A thousand daily rules over half a year are within it.
pub(super) const STEPS_MAX: u64 = 1_000_000;
/// Steps of an instance that takes place: it is converted to UTC and kept, which takes longer than looking at a day.
pub(super) const INSTANCE_STEPS: u64 = 4;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

/// The budget does not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OverBudget;

impl Default for Budget {
    fn default() -> Self {
        Self { left: STEPS_MAX }
    }
}

impl Budget {
    /// Returns what the rules of a time zone may take: a few steps for each of their years.
    pub(super) fn of_a_time_zone() -> Self {
        Self { left: STEPS_MAX / 100 }
    }

    /// Takes some steps.
    ///
    /// # Errors
    /// If fewer are left; then none are left any more.
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), OverBudget> {
        let left = self.left.checked_sub(steps);
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(OverBudget)
    }
}
