//! Durations and ordinal numbers, as formatted in sentences.

use std::{fmt, time::Duration};

/// Displays a duration in the largest readable unit, exact to the nanosecond: `4.2 s`, `250 ms`, `1.5 us`, `7 ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisplayDuration(pub Duration);

/// Displays an ordinal number: `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ordinal(pub u32);

impl fmt::Display for DisplayDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = u64::from(self.0.subsec_nanos());
        match (self.0.as_secs(), nanos) {
            (secs, 0) => write!(f, "{secs} s"),
            (0, nanos @ ..1_000) => write!(f, "{nanos} ns"),
            (0, nanos @ ..1_000_000) => write!(f, "{} us", decimal(nanos / 1_000, nanos % 1_000, 3)),
            (0, nanos) => write!(f, "{} ms", decimal(nanos / 1_000_000, nanos % 1_000_000, 6)),
            (secs, nanos) => write!(f, "{} s", decimal(secs, nanos, 9)),
        }
    }
}

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match (self.0 % 10, self.0 % 100) {
            (_, 11..=13) => "th",
            (1, _) => "st",
            (2, _) => "nd",
            (3, _) => "rd",
            _ => "th",
        };
        write!(f, "{}{suffix}", self.0)
    }
}

/// Formats `whole.fraction`, with the given number of decimal places and without trailing zeros.
fn decimal(whole: u64, fraction: u64, places: usize) -> String {
    let exact = format!("{whole}.{fraction:0places$}");
    exact.trim_end_matches('0').trim_end_matches('.').to_string()
}
