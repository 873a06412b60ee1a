//! Parses .ics files into events. Rejects what would make free/busy wrong, and nothing else.

mod event;
mod periods;
mod values;
mod zones;

use super::components::{self, Broken, Component, Kind};
use super::event::Event;
use super::moment::Zone;
use crate::freebusy::Window;
use calcard::icalendar::{ICalendar, ICalendarComponent};
use calcard::{Entry, Parser};
use values::Place;
use zones::Zones;

/// Maximum number of events, of changed instances and of periods in a calendar.
pub(super) const EVENTS_MAX: usize = 100_000;

/// A calendar file.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Its events.
    pub(super) events: Vec<Event>,
    /// The windows of published free/busy time in it.
    pub(super) published: Vec<Window>,
    /// What looks wrong, and may be.
    pub(super) doubts: Vec<Broken>,
}

/// Parses all events of a file. Times without a time zone are in `default`.
///
/// # Errors
/// The first line where the structure is broken, or else the first with an invalid value that affects times.
pub(super) fn read(text: &str, default: &Zone) -> Result<Parsed, Broken> {
    let (mut zones, mut events, mut published) = (Zones::default(), Vec::new(), Vec::new());
    // A time zone may be defined after the events that are in it.
    components::each(text, &[Kind::TimeZone], |component| zones.define(&component, &parse(&component)?))?;
    components::each(text, &[Kind::Event, Kind::FreeBusy], |component| {
        let parsed = parse(&component)?;
        let place = Place { component: &component, zones: &zones, default };
        match component.kind {
            Kind::Event => events.push(event::read(&place, outermost(&parsed))?),
            _ => published.push(periods::read(&place, outermost(&parsed), &mut events)?),
        }
        if events.len() > EVENTS_MAX {
            let what = format!("the calendar has more than {EVENTS_MAX} events");
            return Err(Broken { line: component.line, what });
        }
        Ok(())
    })?;
    Ok(Parsed { events, published, doubts: zones.doubts })
}

/// Parses one component; in the result it is the first one.
fn parse(component: &Component) -> Result<ICalendar, Broken> {
    let name = match component.kind {
        Kind::Event => "VEVENT",
        Kind::FreeBusy => "VFREEBUSY",
        _ => "VTIMEZONE",
    };
    match Parser::new(&format!("BEGIN:{name}\n{}END:{name}\n", component.text)).entry() {
        Entry::ICalendar(calendar) if !calendar.components.is_empty() => Ok(calendar),
        other => Err(Broken { line: component.line, what: format!("{other:?}") }),
    }
}

fn outermost(calendar: &ICalendar) -> &ICalendarComponent {
    &calendar.components[0]
}

#[cfg(test)]
#[path = "ics/tests.rs"]
mod tests;
