//! Parses .ics files into events. Rejects what would make free/busy wrong, and nothing else.

use super::event::{Event, Instance, Length};
use super::moment::Zone;
use super::outline::{Broken, Outline};
use crate::freebusy::State;
use calcard::common::PartialDateTime;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarFrequency, ICalendarParameterName,
    ICalendarPeriod, ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// Parses all events of a file. Times without a time zone are in `default`.
///
/// # Errors
/// The first line with an invalid value that affects times.
pub(super) fn read(text: &str, default: Zone) -> Result<Vec<Event>, Broken> {
    let outline = Outline::read(text)?;
    let mut parser = Parser::new(text);
    let mut events = Vec::new();
    // The parser numbers the components of each calendar from 0, the outline those of the whole file.
    let mut components_before = 0;
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => {
                let source = Source { text, outline: &outline, components_before, default };
                source.read(&calendar, &mut events)?;
                components_before += calendar.components.len();
            }
            Entry::Eof => return Ok(events),
            // Content outside calendars does not affect times.
            Entry::InvalidLine(_) | Entry::VCard(_) => {}
            other => return Err(Broken { line: 1, what: format!("{other:?}") }),
        }
    }
}

/// A calendar's position in its file.
struct Source<'a> {
    text: &'a str,
    outline: &'a Outline,
    components_before: usize,
    default: Zone,
}

impl Source<'_> {
    fn read(&self, calendar: &ICalendar, events: &mut Vec<Event>) -> Result<(), Broken> {
        let zones = calendar.build_tz_resolver();
        for (index, component) in calendar.components.iter().enumerate() {
            if component.component_type.is_event() {
                let place = Place { source: self, component: self.components_before + index, zones: &zones };
                events.push(place.event(component)?);
            }
        }
        Ok(())
    }
}

/// An event's position in its file.
struct Place<'a> {
    source: &'a Source<'a>,
    component: usize,
    zones: &'a TzResolver<&'a str>,
}

/// The start and end of an event.
#[derive(Default)]
struct Times {
    start: Option<Written>,
    end: Option<Written>,
    duration: Option<Length>,
}

/// A time as written: local time and time zone.
#[derive(Clone, Copy)]
struct Written {
    local: NaiveDateTime,
    zone: Zone,
    has_time: bool,
}

impl Written {
    fn instant(self) -> DateTime<Utc> {
        self.zone.instant(self.local)
    }
}

impl Place<'_> {
    fn broken<T>(&self, property: &ICalendarProperty, what: impl Into<String>) -> Result<T, Broken> {
        let name = property.as_str();
        let line = self.source.outline.line_of(self.source.text, self.component, name);
        Err(Broken { line, what: format!("{name}: {}", what.into()) })
    }

    fn event(&self, component: &ICalendarComponent) -> Result<Event, Broken> {
        let line = self.source.outline.line(self.component);
        let mut times = Times::default();
        let mut event = Event {
            // Without a UID it cannot be joined to another event.
            uid: component.uid().map_or_else(|| format!("line {line}"), str::to_owned),
            sequence: 0,
            line,
            state: state(component),
            start: NaiveDateTime::MIN,
            zone: self.source.default,
            length: Length { days: 0, exact: TimeDelta::zero() },
            rule: None,
            also: Vec::new(),
            except: Vec::new(),
            instance: None,
        };
        for entry in &component.entries {
            self.property(entry, &mut times, &mut event)?;
        }
        let Some(start) = times.start else {
            return self.broken(&ICalendarProperty::Dtstart, "missing");
        };
        event.start = start.local;
        event.zone = start.zone;
        event.length = length(start, times.end, times.duration);
        Ok(event)
    }

    fn property(&self, entry: &ICalendarEntry, times: &mut Times, event: &mut Event) -> Result<(), Broken> {
        match &entry.name {
            ICalendarProperty::Dtstart => times.start = Some(self.time(entry)?),
            ICalendarProperty::Dtend => times.end = Some(self.time(entry)?),
            ICalendarProperty::Duration => times.duration = Some(self.duration(entry)?),
            ICalendarProperty::Rrule => event.rule = Some(self.rule(entry)?),
            ICalendarProperty::Exrule => return self.broken(&entry.name, "not supported: write EXDATE instead"),
            ICalendarProperty::Rdate => self.also(entry, &mut event.also)?,
            ICalendarProperty::Exdate => {
                for value in &entry.values {
                    event.except.push(self.value(entry, value)?.instant());
                }
            }
            ICalendarProperty::RecurrenceId => {
                let and_future = entry.has_parameter(&ICalendarParameterName::Range);
                event.instance = Some(Instance { start: self.time(entry)?.instant(), and_future });
            }
            ICalendarProperty::Sequence => {
                event.sequence = entry.values.first().and_then(ICalendarValue::as_integer).unwrap_or(0);
            }
            _ => {}
        }
        Ok(())
    }

    fn time(&self, entry: &ICalendarEntry) -> Result<Written, Broken> {
        match entry.values.first() {
            Some(value) => self.value(entry, value),
            None => self.broken(&entry.name, "no value"),
        }
    }

    fn value(&self, entry: &ICalendarEntry, value: &ICalendarValue) -> Result<Written, Broken> {
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
            (Some(explicit), _) => Zone::of(explicit, self.source.default),
            (None, None) => self.source.default,
            (None, Some(name)) => match self.zones.resolve(name) {
                Some(zone) => Zone::of(zone, self.source.default),
                // A guessed time zone would make every meeting's time wrong (Q271614).
                None => return self.broken(&entry.name, format!("unknown time zone {name:?}")),
            },
        };
        Ok(Written { local: parsed.date_time, zone, has_time: time.has_time() })
    }

    fn duration(&self, entry: &ICalendarEntry) -> Result<Length, Broken> {
        match entry.values.first() {
            Some(ICalendarValue::Duration(duration)) => match whole(duration) {
                Some(length) => Ok(length),
                None => self.broken(&entry.name, "too long, or negative"),
            },
            _ => self.broken(&entry.name, "no duration such as PT1H"),
        }
    }

    fn rule(&self, entry: &ICalendarEntry) -> Result<Box<calcard::icalendar::ICalendarRecurrenceRule>, Broken> {
        let Some(ICalendarValue::RecurrenceRule(rule)) = entry.values.first() else {
            return self.broken(&entry.name, "no recurrence rule");
        };
        match rule.freq {
            // The parser's expansion silently gives up in a long gap: refusing is better than a wrong answer.
            ICalendarFrequency::Secondly | ICalendarFrequency::Minutely => {
                self.broken(&entry.name, "FREQ below HOURLY is not supported")
            }
            _ => Ok(rule.clone()),
        }
    }

    fn also(&self, entry: &ICalendarEntry, also: &mut Vec<(DateTime<Utc>, Option<Length>)>) -> Result<(), Broken> {
        for value in &entry.values {
            also.push(match value {
                ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                    let (start, end) = (self.written(entry, start)?.instant(), self.written(entry, end)?.instant());
                    (start, Some(Length { days: 0, exact: end - start }))
                }
                ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                    let Some(length) = whole(duration) else {
                        return self.broken(&entry.name, "too long, or negative");
                    };
                    (self.written(entry, start)?.instant(), Some(length))
                }
                other => (self.value(entry, other)?.instant(), None),
            });
        }
        Ok(())
    }
}

/// Cancelled and transparent events take no time; unconfirmed ones are tentative, never free (Q199643).
fn state(component: &ICalendarComponent) -> Option<State> {
    match (component.status(), component.transparency()) {
        (Some(ICalendarStatus::Cancelled), _) | (_, Some(ICalendarTransparency::Transparent)) => None,
        (Some(ICalendarStatus::Tentative), _) => Some(State::Tentative),
        _ => Some(State::Busy),
    }
}

/// An event without an end takes the whole day if it starts on a date, and no time if it starts at a time (RFC 5545,
/// 3.6.1).
fn length(start: Written, end: Option<Written>, duration: Option<Length>) -> Length {
    let none = TimeDelta::zero();
    match (end, duration) {
        (Some(end), _) if !start.has_time && !end.has_time => {
            Length { days: (end.local - start.local).num_days(), exact: none }
        }
        (Some(end), _) => Length { days: 0, exact: end.instant() - start.instant() },
        (None, Some(duration)) => duration,
        (None, None) => Length { days: if start.has_time { 0 } else { 1 }, exact: none },
    }
}

fn whole(duration: &ICalendarDuration) -> Option<Length> {
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let secs = i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    TimeDelta::try_days(days)?;
    let length = Length { days, exact: TimeDelta::try_seconds(secs)? };
    (!duration.neg).then_some(length)
}

#[cfg(test)]
#[path = "ics/tests.rs"]
mod tests;
