//! Expands a recurrence rule (RFC 5545, 3.3.10) in local time, within a span and a budget.
//!
//! A rule is a sequence of periods: years, months, weeks, days or hours. The instances of a period are a product of days and
//! times, which is never stored: the n-th instance is computed. So a rule with every second of a year takes no more
//! memory than a weekly one, and a rule that is 20 years old is expanded from where the span begins.

mod days;
mod rule;
mod set;

pub(super) use rule::{Ends, Rule};

use super::budget::{Budget, INSTANCE_STEPS, OverBudget};
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use rule::Frequency;
use set::Set;
use std::ops::RangeInclusive;

/// Calls `each` with the starts of a rule within `span`, in order.
///
/// # Errors
/// If the budget does not suffice. The starts before were reported.
pub(super) fn starts(
    rule: &Rule,
    span: RangeInclusive<NaiveDateTime>,
    budget: &mut Budget,
    mut each: impl FnMut(NaiveDateTime),
) -> Result<(), OverBudget> {
    let from = *span.start().max(&rule.start);
    let last = rule.ends.until.map_or(*span.end(), |until| until.min(*span.end()));
    let mut left = rule.ends.count.unwrap_or(u64::MAX);
    // The instances before the span count.
    let mut number = if rule.ends.count.is_some() { 0 } else { rule.number_of(from) };
    let steps = rule.steps_of_a_day();
    while let Some((begin, hour)) = rule.period(number) {
        budget.spend(steps)?;
        if begin > last || left == 0 {
            break;
        }
        if rule.frequency == Frequency::Hourly && !days::matches(rule, begin.date()) {
            number = rule.number_after(begin.date());
            continue;
        }
        let candidates = days::candidates(rule, begin.date());
        budget.spend(candidates.len() as u64 * steps)?;
        let set = Set::new(rule, candidates.into_iter().filter(|day| days::matches(rule, *day)).collect(), hour);
        let first = set.count_before(rule.start);
        let seen = set.count_before(from);
        left = left.saturating_sub(seen - first);
        for start in set.iter_from(seen) {
            if start > last || left == 0 {
                return Ok(());
            }
            budget.spend(INSTANCE_STEPS)?;
            left -= 1;
            each(start);
        }
        number += 1;
    }
    Ok(())
}

impl Rule {
    /// Returns the number of the period that includes a time, or of the last one before it.
    fn number_of(&self, time: NaiveDateTime) -> i64 {
        let (start, time) = (self.start, time.max(self.start));
        let units = match self.frequency {
            Frequency::Yearly => i64::from(time.year() - start.year()),
            Frequency::Monthly => months(time.date()) - months(start.date()),
            Frequency::Weekly => (self.week_of(time.date()) - self.week_of(start.date())).num_weeks(),
            Frequency::Daily => (time.date() - start.date()).num_days(),
            Frequency::Hourly => (hour_of(time) - hour_of(start)).num_hours(),
        };
        units / self.interval
    }

    /// Returns the number of the first hour after a day.
    fn number_after(&self, day: NaiveDate) -> i64 {
        let last = day.and_time(NaiveTime::MIN) + TimeDelta::hours(23);
        self.number_of(last) + 1
    }

    /// Returns the beginning of a period and its hour, if the period is one; `None` beyond the years of the calendar.
    fn period(&self, number: i64) -> Option<(NaiveDateTime, Option<u32>)> {
        let (start, units) = (self.start.date(), number.checked_mul(self.interval)?);
        let day = match self.frequency {
            Frequency::Yearly => NaiveDate::from_ymd_opt(start.year().checked_add(units.try_into().ok()?)?, 1, 1)?,
            Frequency::Monthly => {
                let months = months(start).checked_add(units)?;
                NaiveDate::from_ymd_opt((months.div_euclid(12)).try_into().ok()?, months.rem_euclid(12) as u32 + 1, 1)?
            }
            Frequency::Weekly => self.week_of(start).checked_add_days(Days::new(7 * units as u64))?,
            Frequency::Daily => start.checked_add_days(Days::new(units as u64))?,
            Frequency::Hourly => {
                let hour = hour_of(self.start).checked_add_signed(TimeDelta::try_hours(units)?)?;
                return Some((hour, Some(hour.hour())));
            }
        };
        Some((day.and_time(NaiveTime::MIN), None))
    }

    /// Returns the first day of a day's week.
    fn week_of(&self, day: NaiveDate) -> NaiveDate {
        day.week(self.week_start).checked_first_day().unwrap_or(day)
    }
}

/// Returns the number of months since year 0.
fn months(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

fn hour_of(time: NaiveDateTime) -> NaiveDateTime {
    time - TimeDelta::minutes(time.minute().into()) - TimeDelta::seconds(time.second().into())
}
