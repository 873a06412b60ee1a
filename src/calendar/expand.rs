//! Expands events into intervals within a window: recurrence, exceptions and changed instances.

use super::event::{Event, Instance, Length};
use super::moment::Zone;
use super::outline::Broken;
use crate::freebusy::{Interval, Window};
use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarValue,
};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of instances of an event from its start to the end of a window: hourly for five years.
pub(super) const INSTANCES_MAX: usize = 50_000;

/// Returns the events' intervals that overlap the window, not merged.
///
/// # Errors
/// The line of an event whose rule cannot be expanded, or has too many instances.
pub(super) fn expand(events: &[Event], window: Window) -> Result<Vec<Interval>, Broken> {
    let mut by_uid: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        by_uid.entry(&event.uid).or_default().push(event);
    }
    let mut taken = Vec::new();
    for family in by_uid.values() {
        let changed = changed_instances(family);
        // If a change applies to all later instances, those are expanded with the original event.
        for (_, event) in changed.values() {
            push(&mut taken, window, event, event.start, event.length);
        }
        for event in family.iter().filter(|event| event.instance.is_none()) {
            expand_one(event, &changed, window, &mut taken)?;
        }
    }
    Ok(taken)
}

/// Returns the changed instances of an event, by their original start; of several for one start, the latest version.
fn changed_instances<'a>(family: &[&'a Event]) -> BTreeMap<DateTime<Utc>, (Instance, &'a Event)> {
    let mut changed: BTreeMap<DateTime<Utc>, (Instance, &Event)> = BTreeMap::new();
    for event in family {
        let Some(instance) = event.instance else { continue };
        let newer = changed.get(&instance.start).is_none_or(|(_, known)| known.sequence <= event.sequence);
        if newer {
            changed.insert(instance.start, (instance, event));
        }
    }
    changed
}

fn expand_one(
    event: &Event,
    changed: &BTreeMap<DateTime<Utc>, (Instance, &Event)>,
    window: Window,
    taken: &mut Vec<Interval>,
) -> Result<(), Broken> {
    let except: BTreeSet<DateTime<Utc>> = event.except.iter().copied().collect();
    let starts = match &event.rule {
        Some(rule) => recurrence(event, rule, window.to)?,
        None => vec![event.start],
    };
    for start in starts {
        let instant = event.zone.instant(start);
        if except.contains(&instant) || changed.contains_key(&instant) {
            continue;
        }
        match changed_future(changed, instant) {
            Some((from, future)) => {
                let moved = start.checked_add_signed(shift(event.zone, from, future));
                push_shifted(taken, window, event, future, moved);
            }
            None => push(taken, window, event, start, event.length),
        }
    }
    for (instant, length) in &event.also {
        if !except.contains(instant) && !changed.contains_key(instant) {
            push(taken, window, event, event.zone.local(*instant), length.unwrap_or(event.length));
        }
    }
    Ok(())
}

/// Returns the last change before `instant` that applies to all later instances.
fn changed_future<'a>(
    changed: &BTreeMap<DateTime<Utc>, (Instance, &'a Event)>,
    instant: DateTime<Utc>,
) -> Option<(DateTime<Utc>, &'a Event)> {
    let before = changed.range(..instant).rev();
    before
        .map(|(from, (instance, event))| (from, instance, event))
        .find_map(|(from, instance, event)| instance.and_future.then_some((*from, *event)))
}

/// Returns by how much a change of all later instances moves them, in local time.
fn shift(zone: Zone, from: DateTime<Utc>, future: &Event) -> TimeDelta {
    zone.local(future.zone.instant(future.start)) - zone.local(from)
}

fn push_shifted(
    taken: &mut Vec<Interval>,
    window: Window,
    event: &Event,
    future: &Event,
    start: Option<NaiveDateTime>,
) {
    if let Some(start) = start {
        let moved = Event { state: future.state, ..event.clone() };
        push(taken, window, &moved, start, future.length);
    }
}

/// Adds an instance if it overlaps the window. A start or end beyond the supported years is in no window.
fn push(taken: &mut Vec<Interval>, window: Window, event: &Event, start: NaiveDateTime, length: Length) {
    let (Some(state), Some(end)) = (event.state, length.end(start, event.zone)) else { return };
    let whole = Window::new(event.zone.instant(start), end);
    if !whole.is_empty() && !whole.intersect(&window).is_empty() {
        taken.push(Interval { window: whole, state });
    }
}

/// Returns the starts in the event's local time, up to the end of the window.
///
/// The rule is expanded without a time zone: its UNTIL is converted to local time first, because the parser's own
/// expansion compares a UTC value with local times.
fn recurrence(event: &Event, rule: &ICalendarRecurrenceRule, to: DateTime<Utc>) -> Result<Vec<NaiveDateTime>, Broken> {
    let broken = |what: String| Broken { line: event.line, what };
    let end = event.zone.local(to);
    let until = until(event, rule)?.map_or(end, |until| until.min(end));
    if until < event.start {
        return Ok(Vec::new());
    }
    let mut rule = rule.clone();
    if rule.count.is_none() {
        rule.until = Some(partial(until));
    }
    let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
    let start = ICalendarValue::PartialDateTime(Box::new(partial(event.start)));
    let entries = vec![
        entry(ICalendarProperty::Dtstart, start),
        entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule))),
    ];
    let component_type = ICalendarComponentType::VEvent;
    let calendar =
        ICalendar { components: vec![ICalendarComponent { component_type, entries, component_ids: Vec::new() }] };
    let expanded = calendar.expand_dates(Tz::Floating, INSTANCES_MAX + 1);
    if let Some(error) = expanded.errors.first() {
        return Err(broken(format!("RRULE: {}", error.error)));
    }
    if expanded.events.len() > INSTANCES_MAX {
        return Err(broken(format!("RRULE: more than {INSTANCES_MAX} instances up to {to}: give it a later DTSTART")));
    }
    Ok(expanded.events.iter().map(|event| event.start.naive_local()).filter(|start| *start <= until).collect())
}

/// Returns the rule's UNTIL in the event's local time.
fn until(event: &Event, rule: &ICalendarRecurrenceRule) -> Result<Option<NaiveDateTime>, Broken> {
    let Some(written) = &rule.until else { return Ok(None) };
    let Some(parsed) = written.to_date_time() else {
        return Err(Broken { line: event.line, what: "RRULE: there is no such date as UNTIL says".to_owned() });
    };
    Ok(Some(match parsed.offset {
        Some(offset) => event.zone.local(DateTime::from_naive_utc_and_offset(parsed.date_time - offset, Utc)),
        // A date includes its whole day.
        None if !written.has_time() => parsed.date_time + TimeDelta::days(1) - TimeDelta::seconds(1),
        None => parsed.date_time,
    }))
}

fn partial(time: NaiveDateTime) -> PartialDateTime {
    PartialDateTime {
        year: u16::try_from(time.year()).ok(),
        month: Some(time.month() as u8),
        day: Some(time.day() as u8),
        hour: Some(time.hour() as u8),
        minute: Some(time.minute() as u8),
        second: Some(time.second() as u8),
        ..PartialDateTime::default()
    }
}
