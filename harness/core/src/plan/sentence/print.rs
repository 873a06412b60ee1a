//! Prints plans and their parts as sentences.

use crate::plan::{Argument, Direction, Fault, Hold, HoldUntil, Link, Plan, Route, Trigger, TriggerEvent};
use std::{fmt, time::Duration};

/// A duration in the largest unit that reads well, exact to the nanosecond: `4.2 s`, `250 ms`, `1.5 us`, `7 ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DisplayDuration(pub Duration);

/// An ordinal number: `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ordinal(pub u32);

impl Plan {
    /// Its sentences, in the order of its fields.
    pub fn sentences(&self) -> Vec<String> {
        if let Some(threads) = &self.threads {
            return threads.sentences();
        }
        let seed = format!("seed {}", self.seed);
        let workload = self.workload.iter().map(Argument::to_string);
        let faults = self.faults.iter().map(Fault::to_string);
        let holds = self.holds.iter().map(Hold::to_string);
        std::iter::once(seed).chain(workload).chain(faults).chain(holds).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences().join("\n"))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Direction::Both(link) => link.fmt(f),
            Direction::One(route) => route.fmt(f),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <-> {}", self.0, self.1)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (event, nth) = match self {
            Trigger::At(at) => return write!(f, "at {}", DisplayDuration(*at)),
            Trigger::On { event, nth } => (event, Ordinal(*nth)),
        };
        match event {
            TriggerEvent::Connects(route) => write!(f, "when {route} starts its {nth} connect"),
            TriggerEvent::Accepts(host) => write!(f, "when {host} accepts its {nth} connection"),
            TriggerEvent::Writes(route) => write!(f, "when {route} makes its {nth} write"),
            TriggerEvent::Reads(Route { from, to }) => write!(f, "when {to} reads from {from} the {nth} time"),
            TriggerEvent::Closes(Route { from, to }) => {
                write!(f, "when {from} closes a connection with {to} the {nth} time")
            }
            TriggerEvent::Receives(Route { from, to }) => write!(f, "when {to} receives the {nth} byte from {from}"),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hold { host, place, nth, poll, until } = self;
        write!(f, "hold the {} task spawned on {host} at {place} at its {} poll {until}", Ordinal(*nth), Ordinal(*poll))
    }
}

impl fmt::Display for HoldUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoldUntil::Idle => f.write_str("until nothing else can run"),
            HoldUntil::For(span) => write!(f, "for {}", DisplayDuration(*span)),
        }
    }
}

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

/// `whole.fraction`, where the fraction has so many places, without its last zeros.
fn decimal(whole: u64, fraction: u64, places: usize) -> String {
    let exact = format!("{whole}.{fraction:0places$}");
    exact.trim_end_matches('0').trim_end_matches('.').to_string()
}
