//! The days of a period on which a rule takes place.

use super::rule::{Frequency, Rule};
use chrono::{Datelike, NaiveDate, Weekday};

/// Returns the days of a period that may match, in order: few, where the rule names days of the month or of the year.
pub(super) fn candidates(rule: &Rule, begin: NaiveDate) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> = match rule.frequency {
        Frequency::Daily | Frequency::Hourly => vec![begin],
        Frequency::Weekly => begin.iter_days().take(7).collect(),
        Frequency::Monthly => in_month(rule, begin),
        Frequency::Yearly if !rule.year_days.is_empty() => {
            let year = i64::from(days_of_year(begin.year()));
            let ordinal = |day: &i64| if *day > 0 { *day } else { year + 1 + *day };
            let ordinals = rule.year_days.iter().map(ordinal).filter_map(|day| u32::try_from(day).ok());
            ordinals.filter_map(|day| NaiveDate::from_yo_opt(begin.year(), day)).collect()
        }
        Frequency::Yearly => {
            let months = (1..=12).filter(|month| rule.months.is_empty() || rule.months.contains(month));
            let begins = months.filter_map(|month| NaiveDate::from_ymd_opt(begin.year(), month, 1));
            begins.flat_map(|begin| in_month(rule, begin)).collect()
        }
    };
    days.sort_unstable();
    days.dedup();
    days
}

fn in_month(rule: &Rule, begin: NaiveDate) -> Vec<NaiveDate> {
    let length = i64::from(begin.num_days_in_month());
    let all = || (1..=length).collect::<Vec<i64>>();
    let named = || rule.month_days.iter().map(|day| if *day > 0 { *day } else { length + 1 + *day }).collect();
    let days = if rule.month_days.is_empty() { all() } else { named() };
    days.into_iter().filter_map(|day| begin.with_day(u32::try_from(day).ok()?)).collect()
}

/// Returns whether every part of the rule allows this day.
pub(super) fn matches(rule: &Rule, day: NaiveDate) -> bool {
    let from_end = |day: u32, length: u32| i64::from(day) - i64::from(length) - 1;
    let named = |list: &[i64], at: u32, length: u32| {
        list.is_empty() || has(list, i64::from(at)) || has(list, from_end(at, length))
    };
    (rule.months.is_empty() || rule.months.contains(&day.month()))
        && named(&rule.month_days, day.day(), day.num_days_in_month().into())
        && named(&rule.year_days, day.ordinal(), days_of_year(day.year()))
        && (rule.weeks.is_empty() || in_weeks(rule, day))
        && (rule.weekdays.is_empty() || rule.weekdays.iter().any(|(nth, weekday)| is_nth(rule, day, *nth, *weekday)))
}

/// Returns whether a day is in one of the weeks. The first week of a year has at least four days in it.
fn in_weeks(rule: &Rule, day: NaiveDate) -> bool {
    let first_week = |year| Some(rule.week_of(NaiveDate::from_ymd_opt(year, 1, 4)?));
    let of_year = |year| Some((first_week(year)?, first_week(year + 1)?));
    let found =
        (day.year() - 1..=day.year() + 1).filter_map(of_year).find(|(first, next)| (*first..*next).contains(&day));
    found.is_some_and(|(first, next)| {
        let (week, weeks) = ((day - first).num_weeks() + 1, (next - first).num_weeks());
        has(&rule.weeks, week) || has(&rule.weeks, week - weeks - 1)
    })
}

/// Returns whether a day is this weekday, and the n-th one of its month or year, as the rule counts them.
fn is_nth(rule: &Rule, day: NaiveDate, nth: Option<i64>, weekday: Weekday) -> bool {
    let Some(nth) = nth else { return day.weekday() == weekday };
    let of_month = rule.frequency == Frequency::Monthly || !rule.months.is_empty();
    let (at, length) = match of_month {
        true => (day.day(), day.num_days_in_month().into()),
        false => (day.ordinal(), days_of_year(day.year())),
    };
    let (before, after) = (i64::from(at - 1) / 7, i64::from(length - at) / 7);
    day.weekday() == weekday && (nth == before + 1 || nth == -(after + 1))
}

fn days_of_year(year: i32) -> u32 {
    NaiveDate::from_ymd_opt(year, 12, 31).map_or(365, |day| day.ordinal())
}

/// Returns whether a sorted list has a number: a list may have hundreds, and be asked a million times.
fn has(list: &[i64], number: i64) -> bool {
    list.binary_search(&number).is_ok()
}
