//! A recurrence rule as the expansion needs it: checked, complete, each list sorted and free of duplicates.

use calcard::common::CalendarScale;
use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule, ICalendarSkip};
use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc, Weekday};
use std::fmt::Display;
use std::mem::size_of;
use std::ops::RangeInclusive;

/// How much of a list is gone through in the time of one step.
const LIST_PER_STEP: u64 = 8;

/// A rule and the start that it counts from, in local time.
#[derive(Debug, Clone)]
pub(in crate::calendar) struct Rule {
    pub(super) start: NaiveDateTime,
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) ends: Ends,
    pub(super) months: Vec<u32>,
    pub(super) weeks: Vec<i64>,
    pub(super) year_days: Vec<i64>,
    pub(super) month_days: Vec<i64>,
    /// Weekdays, and which one of the month or of the year.
    pub(super) weekdays: Vec<(Option<i64>, Weekday)>,
    /// Of an hourly rule: the hours that are allowed, or none for all.
    pub(super) hours: Vec<u32>,
    pub(super) minutes: Vec<u32>,
    pub(super) seconds: Vec<u32>,
    pub(super) positions: Vec<i64>,
    pub(super) week_start: Weekday,
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
}

/// The end of a rule: whichever comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::calendar) struct Ends {
    /// Its last start, in local time; of one that is written in UTC, or a bit more.
    pub(in crate::calendar) until: Option<NaiveDateTime>,
    /// Its last start, if it is written in UTC: where a clock is set back, a later start has an earlier local time.
    pub(in crate::calendar) until_instant: Option<DateTime<Utc>>,
    /// The number of its starts.
    pub(in crate::calendar) count: Option<u64>,
}

impl Rule {
    /// Returns whether a start is not after the end.
    pub(in crate::calendar) fn reaches(&self, start: DateTime<Utc>) -> bool {
        self.ends.until_instant.is_none_or(|until| start <= until)
    }

    /// Checks a rule, and adds what it leaves to its start.
    ///
    /// # Errors
    /// What RFC 5545 does not allow, or is not supported.
    pub(in crate::calendar) fn new(
        written: &ICalendarRecurrenceRule,
        start: NaiveDateTime,
        ends: Ends,
    ) -> Result<Self, String> {
        let mut rule = Self {
            start,
            frequency: frequency(written.freq)?,
            interval: written.interval.unwrap_or(1).max(1).into(),
            ends,
            months: list("BYMONTH", written.bymonth.iter().map(|month| month.month()), 1..=12)?,
            weeks: signed("BYWEEKNO", written.byweekno.iter().copied(), 53)?,
            year_days: signed("BYYEARDAY", written.byyearday.iter().copied(), 366)?,
            month_days: signed("BYMONTHDAY", written.bymonthday.iter().copied(), 31)?,
            weekdays: Vec::new(),
            hours: list("BYHOUR", written.byhour.iter().copied(), 0..=23)?,
            minutes: list("BYMINUTE", written.byminute.iter().copied(), 0..=59)?,
            // A leap second counts as the second before it.
            seconds: list("BYSECOND", written.bysecond.iter().map(|at| if *at == 60 { 59 } else { *at }), 0..=59)?,
            positions: signed("BYSETPOS", written.bysetpos.iter().copied(), 366)?,
            week_start: written.wkst.map_or(Weekday::Mon, Into::into),
        };
        signed("BYDAY", written.byday.iter().filter_map(|day| day.ordwk), 53)?;
        let counts = matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly);
        // Weeks and days have one of each weekday: RFC 5545 allows no number there, and some programs write one.
        let weekday =
            |day: &calcard::icalendar::ICalendarDay| (day.ordwk.filter(|_| counts).map(i64::from), day.weekday.into());
        rule.weekdays = written.byday.iter().map(weekday).collect();
        rule.weekdays.sort_unstable_by_key(|(nth, weekday)| (*nth, weekday.num_days_from_monday()));
        rule.weekdays.dedup();
        rule.check(written)?;
        rule.complete();
        Ok(rule)
    }

    /// Returns about how much memory it occupies.
    pub(in crate::calendar) fn bytes(&self) -> usize {
        let days = [&self.weeks, &self.year_days, &self.month_days, &self.positions];
        let times = [&self.months, &self.hours, &self.minutes, &self.seconds];
        let numbers: usize = days.map(Vec::capacity).iter().sum::<usize>() * size_of::<i64>();
        let numbers = numbers + times.map(Vec::capacity).iter().sum::<usize>() * size_of::<u32>();
        size_of::<Rule>() + numbers + self.weekdays.capacity() * size_of::<(Option<i64>, Weekday)>()
    }

    /// Returns the steps that looking at one day takes: more than one if the rule has lists that are gone through.
    pub(super) fn steps_of_a_day(&self) -> u64 {
        1 + (self.weekdays.len() + self.positions.len()) as u64 / LIST_PER_STEP
    }

    fn check(&self, written: &ICalendarRecurrenceRule) -> Result<(), String> {
        if written.rscale.as_ref().is_some_and(|scale| *scale != CalendarScale::Gregorian) {
            return Err("RSCALE: only GREGORIAN is supported".to_owned());
        }
        if written.skip.as_ref().is_some_and(|skip| *skip != ICalendarSkip::Omit) {
            return Err("SKIP: only OMIT is supported".to_owned());
        }
        if written.bymonth.iter().any(|month| month.is_leap()) {
            return Err("BYMONTH: leap months are not supported".to_owned());
        }
        let only = |name: &str, used: bool, allowed: &[Frequency]| match used && !allowed.contains(&self.frequency) {
            true => Err(format!("{name} is not allowed with this FREQ")),
            false => Ok(()),
        };
        only("BYWEEKNO", !self.weeks.is_empty(), &[Frequency::Yearly])?;
        only("BYYEARDAY", !self.year_days.is_empty(), &[Frequency::Yearly, Frequency::Hourly])?;
        let no_week = [Frequency::Yearly, Frequency::Monthly, Frequency::Daily, Frequency::Hourly];
        only("BYMONTHDAY", !self.month_days.is_empty(), &no_week)
    }

    /// Adds what the start says: the day, the hour, the minute and the second, unless the rule has its own.
    fn complete(&mut self) {
        let no_days = self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty();
        match self.frequency {
            Frequency::Yearly if no_days => {
                if self.months.is_empty() {
                    self.months = vec![self.start.month()];
                }
                self.month_days = vec![self.start.day().into()];
            }
            Frequency::Monthly if no_days => self.month_days = vec![self.start.day().into()],
            Frequency::Weekly if no_days => self.weekdays = vec![(None, self.start.weekday())],
            _ => {}
        }
        let or_start = |list: &mut Vec<u32>, start: u32| {
            if list.is_empty() {
                list.push(start);
            }
        };
        if self.frequency != Frequency::Hourly {
            or_start(&mut self.hours, self.start.hour());
        }
        or_start(&mut self.minutes, self.start.minute());
        or_start(&mut self.seconds, self.start.second());
    }
}

fn frequency(written: ICalendarFrequency) -> Result<Frequency, String> {
    match written {
        ICalendarFrequency::Yearly => Ok(Frequency::Yearly),
        ICalendarFrequency::Monthly => Ok(Frequency::Monthly),
        ICalendarFrequency::Weekly => Ok(Frequency::Weekly),
        ICalendarFrequency::Daily => Ok(Frequency::Daily),
        ICalendarFrequency::Hourly => Ok(Frequency::Hourly),
        ICalendarFrequency::Minutely | ICalendarFrequency::Secondly => {
            Err("FREQ below HOURLY is not supported".to_owned())
        }
    }
}

fn list<N: Into<T>, T: Ord + Display>(
    name: &str,
    values: impl Iterator<Item = N>,
    range: RangeInclusive<T>,
) -> Result<Vec<T>, String> {
    let mut values: Vec<T> = values.map(Into::into).collect();
    if let Some(value) = values.iter().find(|value| !range.contains(value)) {
        return Err(format!("{name}: {value} is not between {} and {}", range.start(), range.end()));
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

/// Like [`list`], for numbers that may count from the end: any but 0.
fn signed<N: Into<i64>>(name: &str, values: impl Iterator<Item = N>, most: i64) -> Result<Vec<i64>, String> {
    let values = list(name, values, -most..=most)?;
    if values.contains(&0) {
        return Err(format!("{name}: there is no 0th"));
    }
    Ok(values)
}
