//! Prints plans and their parts as sentences.

use crate::plan::{
    Argument, Direction, DisplayDuration, Fault, Hold, HoldUntil, Link, Ordinal, Plan, Route, Trigger, TriggerEvent,
};
use std::fmt;

impl Plan {
    /// Returns its sentences, in the order of its fields.
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
