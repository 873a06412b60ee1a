//! A time zone that a calendar defines itself, for a name that nobody else knows: the offsets of its VTIMEZONE.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// Maximum number of changes of the clock in a definition: two a year for three centuries.
pub(super) const CHANGES_MAX: usize = 600;

/// The changes of a clock, in order; at least one.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    changes: Vec<Change>,
}

/// A change of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// The offset before it, east of UTC.
    pub(super) before: TimeDelta,
    /// The offset from then on.
    pub(super) after: TimeDelta,
}

impl Definition {
    /// Creates a time zone; `None` without a change.
    pub(super) fn new(mut changes: Vec<Change>) -> Option<Self> {
        changes.sort_unstable();
        changes.dedup();
        // Each change begins with the offset of the one before it, whatever it says.
        for at in 1..changes.len() {
            changes[at].before = changes[at - 1].after;
        }
        (!changes.is_empty()).then_some(Self { changes })
    }

    /// Returns the changes, in order.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns the offset at an instant.
    pub(super) fn offset_at(&self, instant: DateTime<Utc>) -> TimeDelta {
        self.offset(self.changes.partition_point(|change| change.at <= instant))
    }

    /// Returns the offset of a local time: that before a change, if the time is repeated or skipped by it.
    pub(super) fn offset_of(&self, local: NaiveDateTime) -> TimeDelta {
        let is_over = |change: &Change| {
            let end = change.at.naive_utc().checked_add_signed(change.before.max(change.after));
            end.is_some_and(|end| end <= local)
        };
        self.offset(self.changes.partition_point(is_over))
    }

    /// Returns the offset after some of the changes.
    fn offset(&self, changes: usize) -> TimeDelta {
        match changes.checked_sub(1) {
            Some(last) => self.changes[last].after,
            None => self.changes[0].before,
        }
    }
}
