//! The instances of one period: the product of its days and times, of which the n-th is computed and none is stored.

use super::rule::{Frequency, Rule};
use chrono::{NaiveDate, NaiveDateTime};

/// The instances of a period, in order.
pub(super) struct Set<'a> {
    rule: &'a Rule,
    days: Vec<NaiveDate>,
    /// The hour of a period that is an hour.
    hour: Option<u32>,
    /// The positions that BYSETPOS selects, in order.
    positions: Option<Vec<u64>>,
}

impl<'a> Set<'a> {
    /// Creates the set of a period with these days, in order.
    pub(super) fn new(rule: &'a Rule, days: Vec<NaiveDate>, hour: Option<u32>) -> Self {
        let mut set = Self { rule, days, hour, positions: None };
        if hour.is_some_and(|hour| !rule.hours.is_empty() && !rule.hours.contains(&hour)) {
            set.days.clear();
        }
        if !rule.positions.is_empty() {
            let all = set.len() as i64;
            let from_start = |position: &i64| if *position > 0 { position - 1 } else { all + position };
            let within = rule.positions.iter().map(from_start).filter(|at| (0..all).contains(at));
            let mut positions: Vec<u64> = within.map(|at| at as u64).collect();
            positions.sort_unstable();
            positions.dedup();
            set.positions = Some(positions);
        }
        set
    }

    /// Returns how many instances are before a time.
    pub(super) fn count_before(&self, time: NaiveDateTime) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < time { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Returns the instances from the n-th on.
    pub(super) fn iter_from(&self, first: u64) -> impl Iterator<Item = NaiveDateTime> {
        (first..self.len()).map(|at| self.get(at))
    }

    fn len(&self) -> u64 {
        match &self.positions {
            Some(positions) => positions.len() as u64,
            None => self.days.len() as u64 * self.times(),
        }
    }

    fn times(&self) -> u64 {
        let hours = if self.rule.frequency == Frequency::Hourly { 1 } else { self.rule.hours.len() };
        (hours * self.rule.minutes.len() * self.rule.seconds.len()) as u64
    }

    fn get(&self, at: u64) -> NaiveDateTime {
        let at = self.positions.as_ref().map_or(at, |positions| positions[at as usize]);
        let (day, time) = (self.days[(at / self.times()) as usize], (at % self.times()) as usize);
        let (minutes, seconds) = (&self.rule.minutes, &self.rule.seconds);
        let hour = self.hour.unwrap_or_else(|| self.rule.hours[time / (minutes.len() * seconds.len())]);
        let (minute, second) = (minutes[time / seconds.len() % minutes.len()], seconds[time % seconds.len()]);
        // Each number was checked when the rule was read.
        day.and_hms_opt(hour, minute, second).expect("a time of day")
    }
}
