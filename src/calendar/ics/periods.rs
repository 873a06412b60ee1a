//! Reads published free/busy time (VFREEBUSY): periods in any order, which may overlap, each as an event without a rule.

use super::EVENTS_MAX;
use super::values::Place;
use crate::calendar::components::Broken;
use crate::calendar::event::Event;
use crate::freebusy::State;
use calcard::icalendar::{
    ICalendarComponent, ICalendarEntry, ICalendarFreeBusyType, ICalendarParameterName, ICalendarParameterValue,
    ICalendarProperty, ICalendarValue,
};

/// Adds the periods of a component that take time.
///
/// # Errors
/// The first line with a value that is no period.
pub(super) fn read(place: &Place, component: &ICalendarComponent, events: &mut Vec<Event>) -> Result<(), Broken> {
    for entry in component.entries.iter().filter(|entry| entry.name == ICalendarProperty::Freebusy) {
        // Some servers list cancelled events as free periods.
        let Some(state) = state(entry) else { continue };
        for value in &entry.values {
            let ICalendarValue::Period(period) = value else {
                let written = value.as_text().unwrap_or_default();
                return place.broken(&entry.name, format!("{written:?} is no period"));
            };
            let (start, length) = place.period(entry, period)?;
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
    Ok(())
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
