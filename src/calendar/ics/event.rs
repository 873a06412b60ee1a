//! Reads an event: its times, its recurrence, and the state that it means.

use super::values::{Place, Written};
use crate::calendar::components::Broken;
use crate::calendar::event::{Event, Instance, Length};
use crate::calendar::moment::Zone;
use crate::calendar::recurrence::{Ends, Rule};
use crate::freebusy::State;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarParameterName, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarStatus, ICalendarTransparency, ICalendarValue,
};
use chrono::{NaiveDateTime, TimeDelta};

/// The state that Exchange shows for an event: FREE, TENTATIVE, BUSY, OOF or WORKINGELSEWHERE.
const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

/// The start and end of an event.
#[derive(Default)]
struct Times {
    start: Option<Written>,
    end: Option<Written>,
    duration: Option<Length>,
    /// The rule counts from the start, which may be written after it.
    rule: Option<Box<ICalendarRecurrenceRule>>,
}

/// Reads an event.
///
/// # Errors
/// The first line with an invalid value that affects times.
pub(super) fn read(place: &Place, component: &ICalendarComponent) -> Result<Event, Broken> {
    let line = place.component.line;
    let mut times = Times::default();
    let mut event = Event {
        // Without a UID it cannot be joined to another event.
        uid: component.uid().map_or_else(|| format!("line {line}"), str::to_owned),
        sequence: 0,
        line,
        state: state(component),
        start: NaiveDateTime::MIN,
        zone: place.default.clone(),
        length: Length { days: 0, exact: TimeDelta::zero() },
        rule: None,
        also: Vec::new(),
        except: Vec::new(),
        instance: None,
    };
    for entry in &component.entries {
        property(place, entry, &mut times, &mut event)?;
    }
    let Some(start) = times.start else {
        return place.broken(&ICalendarProperty::Dtstart, "missing");
    };
    event.length = length(&start, times.end, times.duration);
    if event.length.most() < TimeDelta::zero() {
        return place.broken(&ICalendarProperty::Dtend, "before DTSTART");
    }
    if let Some(written) = &times.rule {
        match ends(written, &start.zone).and_then(|ends| Rule::new(written, start.local, ends)) {
            Ok(rule) => event.rule = Some(Box::new(rule)),
            Err(what) => return place.broken(&ICalendarProperty::Rrule, what),
        }
    }
    (event.start, event.zone) = (start.local, start.zone);
    Ok(event)
}

fn property(place: &Place, entry: &ICalendarEntry, times: &mut Times, event: &mut Event) -> Result<(), Broken> {
    match &entry.name {
        ICalendarProperty::Dtstart => times.start = Some(place.time(entry)?),
        ICalendarProperty::Dtend => times.end = Some(place.time(entry)?),
        ICalendarProperty::Duration => times.duration = Some(place.duration(entry)?),
        ICalendarProperty::Rrule => match entry.values.first() {
            Some(ICalendarValue::RecurrenceRule(rule)) => times.rule = Some(rule.clone()),
            _ => return place.broken(&entry.name, "no recurrence rule"),
        },
        ICalendarProperty::Exrule => return place.broken(&entry.name, "not supported: write EXDATE instead"),
        ICalendarProperty::Rdate => {
            for value in &entry.values {
                event.also.push(match value {
                    ICalendarValue::Period(period) => {
                        let (start, length) = place.period(entry, period)?;
                        (start.instant(), Some(length))
                    }
                    other => (place.value(entry, other)?.instant(), None),
                });
            }
        }
        ICalendarProperty::Exdate => {
            for value in &entry.values {
                event.except.push(place.value(entry, value)?.instant());
            }
        }
        ICalendarProperty::RecurrenceId => {
            let and_future = entry.has_parameter(&ICalendarParameterName::Range);
            event.instance = Some(Instance { start: place.time(entry)?.instant(), and_future });
        }
        ICalendarProperty::Sequence => {
            event.sequence = entry.values.first().and_then(ICalendarValue::as_integer).unwrap_or(0);
        }
        _ => {}
    }
    Ok(())
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
        ("WORKINGELSEWHERE", _) => Some(State::WorkingElsewhere),
        _ => Some(State::Busy),
    }
}

/// Returns where a rule ends, in the local time of a zone.
fn ends(written: &ICalendarRecurrenceRule, zone: &Zone) -> Result<Ends, String> {
    // Longer than any clock is set back by.
    const SET_BACK_MAX: TimeDelta = TimeDelta::days(1);
    let count = written.count.map(u64::from);
    let Some(until) = &written.until else { return Ok(Ends { count, ..Ends::default() }) };
    let Some(parsed) = until.to_date_time() else {
        return Err("there is no such date as UNTIL says".to_owned());
    };
    let until_instant = parsed.offset.map(|offset| (parsed.date_time - offset).and_utc());
    let until = match until_instant {
        Some(instant) => zone.local(instant) + SET_BACK_MAX,
        // A date includes its whole day.
        None if !until.has_time() => parsed.date_time + TimeDelta::days(1) - TimeDelta::seconds(1),
        None => parsed.date_time,
    };
    Ok(Ends { until: Some(until), until_instant, count })
}

/// An event without an end takes the whole day if it starts on a date, and no time if it starts at a time (RFC 5545,
/// 3.6.1). Some programs write an empty duration, or the same date again, for a whole day.
fn length(start: &Written, end: Option<Written>, duration: Option<Length>) -> Length {
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
