//! The parts of an event that matter for free/busy, with resolved time zones and values.

use super::moment::Zone;
use super::recurrence::Rule;
use crate::freebusy::State;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::mem::size_of;

/// An event, or a changed instance of one.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Joins an event and its changed instances.
    pub(super) uid: String,
    /// Version of the event; of two for the same instance the higher one counts.
    pub(super) sequence: i64,
    /// The line of the file where it begins.
    pub(super) line: usize,
    /// Its state; `None` if it is cancelled or transparent.
    pub(super) state: Option<State>,
    /// Start in local time.
    pub(super) start: NaiveDateTime,
    /// The time zone of the start; recurrence follows it.
    pub(super) zone: Zone,
    /// Its duration.
    pub(super) length: Length,
    /// Its recurrence rule.
    pub(super) rule: Option<Box<Rule>>,
    /// Further starts.
    pub(super) also: Vec<(DateTime<Utc>, Option<Length>)>,
    /// Excluded starts.
    pub(super) except: Vec<DateTime<Utc>>,
    /// The instance that it replaces.
    pub(super) instance: Option<Instance>,
}

/// The instance of a recurring event that a changed one replaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance {
    /// The instance's start before the change.
    pub(super) start: DateTime<Utc>,
    /// Whether all later instances change with it.
    pub(super) and_future: bool,
}

impl Event {
    /// Returns the event as one of a text: an event of another text is not joined to it.
    pub(super) fn within(mut self, name: &str) -> Self {
        self.uid.insert(0, ' ');
        self.uid.insert_str(0, name);
        self
    }

    /// Returns about how much memory it occupies.
    pub(super) fn bytes(&self) -> usize {
        let also = self.also.capacity() * size_of::<(DateTime<Utc>, Option<Length>)>();
        let except = self.except.capacity() * size_of::<DateTime<Utc>>();
        let rule = self.rule.as_ref().map_or(0, |rule| rule.bytes());
        size_of::<Event>() + self.uid.capacity() + also + except + rule
    }
}

/// The duration of an event. Days are calendar days, whether they have 23, 24 or 25 hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) days: i64,
    pub(super) exact: TimeDelta,
}

impl Length {
    /// Returns the end of an event that starts at this time; `None` beyond the years of the calendar.
    pub(super) fn end(self, start: NaiveDateTime, instant: DateTime<Utc>, zone: &Zone) -> Option<DateTime<Utc>> {
        if self.days == 0 {
            return instant.checked_add_signed(self.exact);
        }
        let day = start.checked_add_signed(TimeDelta::try_days(self.days)?)?;
        zone.instant(day).checked_add_signed(self.exact)
    }

    /// Returns the longest that it takes: a day may have 25 hours.
    pub(super) fn most(self) -> TimeDelta {
        let days = TimeDelta::try_hours(self.days.saturating_mul(25)).unwrap_or(TimeDelta::MAX);
        days.checked_add(&self.exact).unwrap_or(TimeDelta::MAX)
    }
}
