//! The time zones of a file. A name that is known means that zone, whatever the file defines for it: definitions are often those of
//! one year. A name that is not known means what the file defines.

use crate::calendar::budget::Budget;
use crate::calendar::components::{Broken, Component};
use crate::calendar::definition::{CHANGES_MAX, Change, Definition};
use crate::calendar::moment::Zone;
use crate::calendar::recurrence::{Ends, Rule, starts};
use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use std::collections::BTreeMap;

/// The years in which a definition's rules are followed: before, and after, the offset is that of their first and of their last change.
const YEARS: (i32, i32) = (1970, 2150);
/// The last year in which a definition is compared with its name.
const COMPARED_YEAR_MAX: i32 = 2037;
/// Maximum number of definitions in a file.
const DEFINITIONS_MAX: usize = 1000;

/// The zones that the calendars of a file define, by calendar and name.
#[derive(Debug, Default)]
pub(super) struct Zones {
    known: BTreeMap<(usize, String), Zone>,
    /// Definitions that contradict their name.
    pub(super) doubts: Vec<Broken>,
}

impl Zones {
    /// Adds a definition.
    ///
    /// # Errors
    /// If there are too many. A definition that cannot be used is no error as long as nothing is in that zone.
    pub(super) fn define(&mut self, component: &Component, calendar: &ICalendar) -> Result<(), Broken> {
        let line = component.line;
        let Some(zone) = calendar.components.first() else { return Ok(()) };
        let Some(name) = zone.property(&ICalendarProperty::Tzid).and_then(|entry| entry.values.first()?.as_text())
        else {
            return Ok(());
        };
        let definition = definition(calendar);
        let known = name.parse().ok().or_else(|| zone.timezone().map(|(_, known)| Zone::of(known, &Zone::UTC)));
        let is_guess = name.trim_start().starts_with('(') && name.parse::<Zone>().is_err();
        let zone = match (known, definition) {
            (Some(known), Some(definition)) if !is_guess => {
                if contradicts(&definition, &known) {
                    let what =
                        format!("the VTIMEZONE of {name:?} has other offsets than that zone has, and is ignored");
                    self.doubts.push(Broken { line, what });
                }
                known
            }
            (_, Some(definition)) => Zone::defined(definition),
            (Some(known), None) if !is_guess => known,
            _ => return Ok(()),
        };
        self.known.insert((component.calendar, name.to_owned()), zone);
        if self.known.len() > DEFINITIONS_MAX {
            return Err(Broken { line, what: format!("the file defines more than {DEFINITIONS_MAX} time zones") });
        }
        Ok(())
    }

    /// Returns the zone that a name means in a calendar of the file.
    pub(super) fn resolve(&self, calendar: usize, name: &str) -> Option<Zone> {
        self.known.get(&(calendar, name.to_owned())).cloned().or_else(|| name.parse().ok())
    }
}

/// Returns whether a zone has another offset after one of the last changes of a definition.
fn contradicts(definition: &Definition, zone: &Zone) -> bool {
    // Not all that a rule says of centuries to come: the known zones end at some year.
    let changes = definition.changes().iter().rev().skip_while(|change| change.at.year() > COMPARED_YEAR_MAX);
    changes.take(2).any(|change| {
        let later = change.at + TimeDelta::days(1);
        zone.local(later) != later.naive_utc() + change.after
    })
}

/// Returns what a VTIMEZONE defines; `None` if it defines nothing, or more than is reasonable.
fn definition(calendar: &ICalendar) -> Option<Definition> {
    let mut changes = Vec::new();
    let is_observance = |kind: &ICalendarComponentType| {
        matches!(kind, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
    };
    for observance in calendar.components.iter().filter(|component| is_observance(&component.component_type)) {
        add_changes(observance, &mut changes)?;
    }
    Definition::new(changes)
}

/// Adds the changes of an observance: at its start, by its rule, and on further dates.
fn add_changes(observance: &ICalendarComponent, changes: &mut Vec<Change>) -> Option<()> {
    let (before, after) =
        (offset(observance, &ICalendarProperty::Tzoffsetfrom)?, offset(observance, &ICalendarProperty::Tzoffsetto)?);
    let start = local(first(observance, &ICalendarProperty::Dtstart)?)?;
    let mut onsets = vec![start];
    if let Some(ICalendarValue::RecurrenceRule(written)) = first(observance, &ICalendarProperty::Rrule) {
        let until = written.until.as_ref().and_then(|until| {
            let parsed = until.to_date_time()?;
            // In UTC, if anything: then it is compared with local times before the change.
            Some(if parsed.offset.is_some() { parsed.date_time + before } else { parsed.date_time })
        });
        let rule =
            Rule::new(written, start, Ends { until, until_instant: None, count: written.count.map(u64::from) }).ok()?;
        let [from, to] =
            [YEARS.0, YEARS.1].map(|year| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| day.and_time(NaiveTime::MIN)));
        let mut budget = Budget::of_a_time_zone();
        starts(&rule, from?..=to?, &mut budget, |onset| onsets.push(onset)).ok()?;
    }
    let further = observance.properties(&ICalendarProperty::Rdate).flat_map(|entry| &entry.values);
    onsets.extend(further.filter_map(local));
    let change = |onset: NaiveDateTime| Some(Change { at: onset.checked_sub_signed(before)?.and_utc(), before, after });
    changes.extend(onsets.into_iter().filter_map(change));
    (changes.len() <= CHANGES_MAX).then_some(())
}

fn first<'a>(component: &'a ICalendarComponent, name: &ICalendarProperty) -> Option<&'a ICalendarValue> {
    component.entries.iter().find(|entry| entry.name == *name)?.values.first()
}

fn local(value: &ICalendarValue) -> Option<NaiveDateTime> {
    match value {
        ICalendarValue::PartialDateTime(time) => Some(time.to_date_time()?.date_time),
        _ => None,
    }
}

/// Returns an offset of up to a day, east of UTC.
fn offset(observance: &ICalendarComponent, name: &ICalendarProperty) -> Option<TimeDelta> {
    let ICalendarValue::PartialDateTime(offset) = first(observance, name)? else { return None };
    let minutes = i64::from(offset.tz_hour?) * 60 + i64::from(offset.tz_minute.unwrap_or(0));
    let east = if offset.tz_minus { -minutes } else { minutes };
    (minutes < 24 * 60).then(|| TimeDelta::minutes(east))
}
