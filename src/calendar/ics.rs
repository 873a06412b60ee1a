//! Parses .ics files into events. Rejects what would make free/busy wrong, and nothing else.

use super::event::{Event, Instance, Length};
use super::moment::Zone;
use super::outline::{Broken, Outline};
use super::recurrence::{Ends, Rule};
use crate::freebusy::State;
use calcard::common::PartialDateTime;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod,
    ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The state that Exchange shows for an event: FREE, TENTATIVE, BUSY, OOF or WORKINGELSEWHERE.
const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

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
    /// The rule counts from the start, which may be written after it.
    rule: Option<Box<ICalendarRecurrenceRule>>,
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
        if event.length.most() < TimeDelta::zero() {
            return self.broken(&ICalendarProperty::Dtend, "before DTSTART");
        }
        if let Some(written) = &times.rule {
            let rule = ends(written, start.zone).and_then(|ends| Rule::new(written, start.local, ends));
            match rule {
                Ok(rule) => event.rule = Some(Box::new(rule)),
                Err(what) => return self.broken(&ICalendarProperty::Rrule, what),
            }
        }
        Ok(event)
    }

    fn property(&self, entry: &ICalendarEntry, times: &mut Times, event: &mut Event) -> Result<(), Broken> {
        match &entry.name {
            ICalendarProperty::Dtstart => times.start = Some(self.time(entry)?),
            ICalendarProperty::Dtend => times.end = Some(self.time(entry)?),
            ICalendarProperty::Duration => times.duration = Some(self.duration(entry)?),
            ICalendarProperty::Rrule => times.rule = Some(self.rule(entry)?),
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

    fn rule(&self, entry: &ICalendarEntry) -> Result<Box<ICalendarRecurrenceRule>, Broken> {
        match entry.values.first() {
            Some(ICalendarValue::RecurrenceRule(rule)) => Ok(rule.clone()),
            _ => self.broken(&entry.name, "no recurrence rule"),
        }
    }

    fn also(&self, entry: &ICalendarEntry, also: &mut Vec<(DateTime<Utc>, Option<Length>)>) -> Result<(), Broken> {
        for value in &entry.values {
            also.push(match value {
                ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                    let (start, end) = (self.written(entry, start)?.instant(), self.written(entry, end)?.instant());
                    if end < start {
                        return self.broken(&entry.name, "a period that ends before it starts");
                    }
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

/// Cancelled and transparent events take no time; unconfirmed ones are tentative, never free (Q199643). What iCalendar
/// cannot express, Exchange writes into a property of its own.
fn state(component: &ICalendarComponent) -> Option<State> {
    match (component.status(), component.transparency()) {
        (Some(ICalendarStatus::Cancelled), _) | (_, Some(ICalendarTransparency::Transparent)) => return None,
        _ => {}
    }
    let of_exchange = component.entries.iter().find(|entry| entry.name.as_str().eq_ignore_ascii_case(BUSY_STATUS));
    let written = of_exchange.and_then(|entry| entry.values.first()?.as_text()).unwrap_or_default();
    match (written.to_ascii_uppercase().as_str(), component.status()) {
        ("FREE", _) => None,
        ("OOF", _) => Some(State::OutOfOffice),
        ("TENTATIVE", _) | (_, Some(ICalendarStatus::Tentative)) => Some(State::Tentative),
        _ => Some(State::Busy),
    }
}

/// Returns where a rule ends, in the local time of a zone.
fn ends(written: &ICalendarRecurrenceRule, zone: Zone) -> Result<Ends, String> {
    let count = written.count.map(u64::from);
    let Some(until) = &written.until else { return Ok(Ends { until: None, count }) };
    let Some(parsed) = until.to_date_time() else {
        return Err("there is no such date as UNTIL says".to_owned());
    };
    let until = match parsed.offset {
        Some(offset) => zone.local(DateTime::from_naive_utc_and_offset(parsed.date_time - offset, Utc)),
        // A date includes its whole day.
        None if !until.has_time() => parsed.date_time + TimeDelta::days(1) - TimeDelta::seconds(1),
        None => parsed.date_time,
    };
    Ok(Ends { until: Some(until), count })
}

/// An event without an end takes the whole day if it starts on a date, and no time if it starts at a time (RFC 5545,
/// 3.6.1). Some programs write an empty duration, or the same date again, for a whole day.
fn length(start: Written, end: Option<Written>, duration: Option<Length>) -> Length {
    const NONE: Length = Length { days: 0, exact: TimeDelta::zero() };
    let length = match (end, duration) {
        (Some(end), _) if !start.has_time && !end.has_time => {
            Length { days: (end.local - start.local).num_days(), ..NONE }
        }
        (Some(end), _) => Length { exact: end.instant() - start.instant(), ..NONE },
        (None, duration) => duration.unwrap_or(NONE),
    };
    if length == NONE && !start.has_time { Length { days: 1, ..NONE } } else { length }
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
