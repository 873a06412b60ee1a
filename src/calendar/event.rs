//! What matters of an event for free/busy, once its zones and values are settled.

use super::moment::Zone;
use crate::freebusy::State;
use calcard::icalendar::ICalendarRecurrenceRule;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// An event, or a changed instance of one.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// What joins an event and its changed instances.
    pub(super) uid: String,
    /// Version of the event; of two for one instance the higher counts.
    pub(super) sequence: i64,
    /// Line of the file where it begins.
    pub(super) line: usize,
    /// How it takes time; not at all when cancelled or transparent.
    pub(super) state: Option<State>,
    /// Start by the clock of its zone.
    pub(super) start: NaiveDateTime,
    /// The zone of that clock; recurrence follows it.
    pub(super) zone: Zone,
    /// How long it takes.
    pub(super) length: Length,
    /// How it repeats.
    pub(super) rule: Option<Box<ICalendarRecurrenceRule>>,
    /// Further starts.
    pub(super) also: Vec<(DateTime<Utc>, Option<Length>)>,
    /// Starts that do not take place.
    pub(super) except: Vec<DateTime<Utc>>,
    /// Which instance this one stands for.
    pub(super) instance: Option<Instance>,
}

/// Which instance of a recurring event a changed one stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instance {
    /// Start of the instance before the change.
    pub(super) start: DateTime<Utc>,
    /// Whether all later ones change with it.
    pub(super) and_future: bool,
}

/// How long an event takes. Days are days of the calendar, be they 23, 24 or 25 hours long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) days: i64,
    pub(super) exact: TimeDelta,
}

impl Length {
    /// The end of an event that starts at this local time.
    pub(super) fn end(self, start: NaiveDateTime, zone: Zone) -> Option<DateTime<Utc>> {
        let day = start.checked_add_signed(TimeDelta::try_days(self.days)?)?;
        zone.instant(day).checked_add_signed(self.exact)
    }
}
