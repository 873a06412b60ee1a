//! Reads published free/busy time (VFREEBUSY): periods in any order, which may overlap, each as an event without a rule.

use super::EVENTS_MAX;
use super::values::{Place, Written};
use crate::calendar::components::Broken;
use crate::calendar::event::{Event, Length};
use crate::calendar::moment::Zone;
use crate::freebusy::{State, Window};
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarFreeBusyType, ICalendarParameterName, ICalendarParameterValue,
    ICalendarProperty, ICalendarValue,
};
use chrono::{DateTime, NaiveTime, Utc};

/// Adds the periods of a component that take time; returns the window that it tells about.
///
/// # Errors
/// The first line with a value that is no period.
pub(super) fn read(place: &Place, component: &ICalendarComponent, events: &mut Vec<Event>) -> Result<Window, Broken> {
    for entry in component.entries.iter().filter(|entry| entry.name == ICalendarProperty::Freebusy) {
        // Some servers list cancelled events as free periods.
        let Some(state) = state(entry) else { continue };
        for value in &entry.values {
            let ICalendarValue::Period(period) = value else {
                let written = value.as_text().unwrap_or_default();
                return place.broken(&entry.name, format!("{written:?} is no period"));
            };
            let (start, length) = place.period(entry, period)?;
            let (start, length) = whole_day(start, length, place.default);
            let line = place.component.line;
            events.push(Event {
                uid: format!("line {line}, period {}", events.len()),
                sequence: 0,
                line,
                state: Some(state),
                start: start.local,
                zone: start.zone,
                length,
                rule: None,
                also: Vec::new(),
                except: Vec::new(),
                instance: None,
            });
            if events.len() > EVENTS_MAX {
                return place.broken(&entry.name, format!("more than {EVENTS_MAX} periods"));
            }
        }
    }
    window(place, component)
}

/// Returns what a component tells about: without a start or an end, all time before or after.
fn window(place: &Place, component: &ICalendarComponent) -> Result<Window, Broken> {
    let time = |property| component.property(&property).map(|entry| place.time(entry)).transpose();
    let from = time(ICalendarProperty::Dtstart)?.map_or(DateTime::<Utc>::MIN_UTC, |written| written.instant());
    let to = time(ICalendarProperty::Dtend)?.map_or(DateTime::<Utc>::MAX_UTC, |written| written.instant());
    Ok(Window::new(from, to))
}

/// Returns a period that is a day, if it stands for a date: Xandikos writes `P0D` for an event that has a date and no end. An event
/// that has a time and no end takes no time, and is written so, too: a date is what begins at midnight.
fn whole_day(start: Written, length: Length, default: &Zone) -> (Written, Length) {
    if length != Length::default() {
        return (start, length);
    }
    let instant = start.instant();
    let of_zone = |zone: &Zone| (zone.local(instant).time() == NaiveTime::MIN).then(|| zone.clone());
    match of_zone(default).or_else(|| of_zone(&Zone::UTC)) {
        Some(zone) => {
            let length = Length { days: 1, ..length };
            (Written { local: zone.local(instant), zone, ..start }, length)
        }
        None => (start, length),
    }
}

/// Returns what FBTYPE means: busy without one, and for types that this build does not know (RFC 5545, 3.2.9).
fn state(entry: &ICalendarEntry) -> Option<State> {
    match entry.parameters(&ICalendarParameterName::Fbtype).next() {
        Some(ICalendarParameterValue::Fbtype(ICalendarFreeBusyType::Free)) => None,
        Some(ICalendarParameterValue::Fbtype(ICalendarFreeBusyType::BusyTentative)) => Some(State::Tentative),
        Some(ICalendarParameterValue::Fbtype(ICalendarFreeBusyType::BusyUnavailable)) => Some(State::OutOfOffice),
        _ => Some(State::Busy),
    }
}
