//! The values of a component's properties: times, durations and periods, with their time zones.

use super::zones::Zones;
use crate::calendar::components::{Broken, Component};
use crate::calendar::event::Length;
use crate::calendar::moment::Zone;
use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarDuration, ICalendarEntry, ICalendarPeriod, ICalendarProperty, ICalendarValue};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// A component's position in its file.
pub(super) struct Place<'a> {
    pub(super) component: &'a Component,
    pub(super) zones: &'a Zones,
    /// The zone of times that name none.
    pub(super) default: &'a Zone,
}

/// A time as written: local time and time zone.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) local: NaiveDateTime,
    pub(super) zone: Zone,
    pub(super) has_time: bool,
}

impl Written {
    pub(super) fn instant(&self) -> DateTime<Utc> {
        self.zone.instant(self.local)
    }
}

impl Place<'_> {
    pub(super) fn broken<T>(&self, property: &ICalendarProperty, what: impl Into<String>) -> Result<T, Broken> {
        let name = property.as_str();
        Err(Broken { line: self.component.line_of(name), what: format!("{name}: {}", what.into()) })
    }

    /// Returns the time that a property has.
    pub(super) fn time(&self, entry: &ICalendarEntry) -> Result<Written, Broken> {
        match entry.values.first() {
            Some(value) => self.value(entry, value),
            None => self.broken(&entry.name, "no value"),
        }
    }

    /// Returns the time that a value is.
    pub(super) fn value(&self, entry: &ICalendarEntry, value: &ICalendarValue) -> Result<Written, Broken> {
        match value {
            ICalendarValue::PartialDateTime(time) => self.written(entry, time),
            other => self.broken(&entry.name, format!("{:?} is no date", other.as_text().unwrap_or_default())),
        }
    }

    fn written(&self, entry: &ICalendarEntry, time: &PartialDateTime) -> Result<Written, Broken> {
        let Some(parsed) = time.to_date_time() else {
            return self.broken(&entry.name, "there is no such date");
        };
        let zone = match (parsed.tz(), entry.tz_id()) {
            (Some(explicit), _) => Zone::of(explicit, self.default),
            (None, None) => self.default.clone(),
            (None, Some(name)) => match self.zones.resolve(self.component.calendar, name) {
                Some(zone) => zone,
                // A guessed time zone would make every meeting's time wrong (Q271614).
                None => return self.broken(&entry.name, format!("unknown time zone {name:?}")),
            },
        };
        Ok(Written { local: parsed.date_time, zone, has_time: time.has_time() })
    }

    /// Returns the duration that a property has.
    pub(super) fn duration(&self, entry: &ICalendarEntry) -> Result<Length, Broken> {
        match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => self.length(entry, duration),
            _ => self.broken(&entry.name, "no duration such as PT1H"),
        }
    }

    /// Returns the start and the length of a period.
    pub(super) fn period(&self, entry: &ICalendarEntry, period: &ICalendarPeriod) -> Result<(Written, Length), Broken> {
        match period {
            ICalendarPeriod::Range { start, end } => {
                let (start, end) = (self.written(entry, start)?, self.written(entry, end)?);
                let exact = end.instant() - start.instant();
                if exact < TimeDelta::zero() {
                    return self.broken(&entry.name, "a period that ends before it starts");
                }
                Ok((start, Length { days: 0, exact }))
            }
            ICalendarPeriod::Duration { start, duration } => {
                Ok((self.written(entry, start)?, self.length(entry, duration)?))
            }
        }
    }

    fn length(&self, entry: &ICalendarEntry, duration: &ICalendarDuration) -> Result<Length, Broken> {
        match whole(duration) {
            Some(length) => Ok(length),
            None => self.broken(&entry.name, "too long, or negative"),
        }
    }
}

fn whole(duration: &ICalendarDuration) -> Option<Length> {
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let secs = i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    TimeDelta::try_days(days)?;
    let length = Length { days, exact: TimeDelta::try_seconds(secs)? };
    (!duration.neg).then_some(length)
}
