//! Draws faults from a seed: which kinds (swarm testing), how many, where, when and for how long.

use super::{Entry, Fault, Faults, Lasts};
use crate::plan::{Direction, Link, Route, Trigger, TriggerEvent};
use serde_json::Value;
use std::time::Duration;

/// The random stream of faults, independent of the schedule.
const FAULT_STREAM: u64 = 0x6661_756c_7473;
/// Times start at 1 ms and are drawn log-uniformly over this many doublings, up to 33 s.
const TIME_DOUBLINGS: u32 = 15;
/// Added latencies, likewise: up to 4 s.
const DELAY_DOUBLINGS: u32 = 12;
/// Byte counts that trigger a fault, likewise: up to the 4096th.
const BYTE_DOUBLINGS: u32 = 13;
/// A kind's weight in a run is up to this many doublings above its usual one.
const RATE_DOUBLINGS: u32 = 3;
/// One run in this many has no fault.
const FAULT_FREE_ONE_IN: u32 = 8;
/// The percentages of packets that a fault may affect.
const PERCENTS: [u8; 4] = [1, 10, 30, 50];

/// Random choices for the next fault.
pub(crate) struct Draw<'a> {
    /// The hosts that may be affected, in random order.
    hosts: Vec<String>,
    /// The hosts that run the service.
    services: &'a [String],
    /// The rules that the test has written and allowed.
    rules: &'a [String],
    arguments: &'a dyn Fn(&str, u64) -> Value,
    rng: &'a mut fastrand::Rng,
}

/// Draws the faults of one run. `arguments` draws the arguments of a named rule from a seed.
///
/// Swarm testing: runs with few kinds of faults often reach other states than runs in which every kind happens
/// sometimes. So each run uses a random subset of the kinds, each with a random weight.
pub fn draw(faults: &Faults, services: &[String], arguments: &dyn Fn(&str, u64) -> Value, seed: u64) -> Vec<Fault> {
    let mut rng = fastrand::Rng::with_seed(seed ^ FAULT_STREAM);
    let kinds: Vec<&Entry> = faults.kinds().filter(|_| rng.bool()).collect();
    let kinds: Vec<_> = kinds.into_iter().map(|kind| (kind, kind.weight << rng.u32(..RATE_DOUBLINGS))).collect();
    if kinds.is_empty() || faults.hosts().is_empty() || faults.at_most == 0 || rng.u32(..FAULT_FREE_ONE_IN) == 0 {
        return vec![];
    }
    // A failure that needs several faults in order needs many faults per run: 12 faults have 220 triples, 6 have 20.
    let count = if rng.bool() { faults.at_most } else { rng.usize(1..=faults.at_most) };
    let one = |_| {
        let kind = chosen(&kinds, &mut rng);
        let mut hosts = faults.hosts().to_vec();
        rng.shuffle(&mut hosts);
        one(kind, &mut Draw { hosts, services, rules: faults.rules(), arguments, rng: &mut rng })
    };
    (0..count).filter_map(one).collect()
}

/// Draws one of the kinds by weight.
fn chosen<'a>(kinds: &[(&'a Entry, u32)], rng: &mut fastrand::Rng) -> &'a Entry {
    let rates: u32 = kinds.iter().map(|(_, rate)| rate).sum();
    let mut at = rng.u32(..rates);
    for (kind, rate) in kinds {
        match at.checked_sub(*rate) {
            Some(left) => at = left,
            None => return kind,
        }
    }
    kinds[0].0
}

fn one(kind: &Entry, draw: &mut Draw<'_>) -> Option<Fault> {
    let kind = (kind.draw)(draw)?;
    let trigger = draw.trigger();
    let until_healed = draw.rng.u8(..8) == 0;
    let lasts = kind.lasts() != Lasts::Not && !until_healed;
    let duration = lasts.then(|| duration(draw.rng, TIME_DOUBLINGS));
    Some(Fault { kind, trigger, duration })
}

impl Draw<'_> {
    /// Returns the random number generator.
    pub(super) fn rng(&mut self) -> &mut fastrand::Rng {
        self.rng
    }

    /// Draws a host.
    pub(super) fn host(&self) -> String {
        self.hosts[0].clone()
    }

    /// Draws a host that runs the service. A client is the test itself: its connections may fail, but not its process.
    pub(super) fn service(&self) -> Option<String> {
        self.hosts.iter().find(|host| self.services.contains(host)).cloned()
    }

    /// Draws a link.
    pub(super) fn link(&self) -> Option<Link> {
        let (a, b) = (self.hosts[0].clone(), self.hosts.get(1)?.clone());
        Some(Link(a.clone().min(b.clone()), a.max(b)))
    }

    /// Draws a route.
    pub(super) fn route(&self) -> Option<Route> {
        Some(Route { from: self.hosts[0].clone(), to: self.hosts.get(1)?.clone() })
    }

    /// Draws a direction, usually both.
    pub(super) fn direction(&mut self) -> Option<Direction> {
        match self.rng.u8(..4) {
            0 => self.route().map(Direction::One),
            _ => self.link().map(Direction::Both),
        }
    }

    /// Draws a percentage of packets.
    pub(super) fn percent(&mut self) -> u8 {
        PERCENTS[self.rng.usize(..PERCENTS.len())]
    }

    /// Draws an added latency.
    pub(super) fn delay(&mut self) -> Duration {
        duration(self.rng, DELAY_DOUBLINGS)
    }

    /// Draws a rule of the test and its arguments.
    pub(super) fn rule(&mut self) -> Option<(String, Value)> {
        let name = self.rules.get(self.rng.usize(..self.rules.len().max(1)))?;
        Some((name.clone(), (self.arguments)(name, self.rng.u64(..))))
    }

    /// Draws when a fault starts. What breaks a protocol happens between two of its messages: few points in time are
    /// there, but every event is close to one.
    fn trigger(&mut self) -> Trigger {
        if self.rng.u8(..4) == 0 {
            return Trigger::At(duration(self.rng, TIME_DOUBLINGS));
        }
        // A failing host fails at its own operation, or at one of another host.
        if self.rng.u8(..4) == 0 {
            self.rng.shuffle(&mut self.hosts);
        }
        event(&self.hosts, self.rng)
    }
}

/// Draws an event of the first host.
fn event(hosts: &[String], rng: &mut fastrand::Rng) -> Trigger {
    let host = hosts[0].clone();
    let Some(other) = hosts.get(1).cloned() else {
        return Trigger::On { event: TriggerEvent::Accepts(host), nth: 1 + small(rng) };
    };
    let event = match rng.u8(..16) {
        0 | 1 => TriggerEvent::Connects(Route { from: host, to: other }),
        2 => TriggerEvent::Accepts(host),
        3..6 => TriggerEvent::Writes(Route { from: host, to: other }),
        6 => {
            let max = 1u32 << rng.u32(..BYTE_DOUBLINGS);
            let nth = 1 + rng.u32(..max);
            return Trigger::On { event: TriggerEvent::Receives(Route { from: other, to: host }), nth };
        }
        7 | 8 => TriggerEvent::Closes(Route { from: host, to: other }),
        // Data was just read and acknowledged, and nothing has acted on it yet.
        _ => TriggerEvent::Reads(Route { from: other, to: host }),
    };
    Trigger::On { event, nth: 1 + small(rng) }
}

/// Draws 0, 1, 2, ..., each half as likely as the one before.
fn small(rng: &mut fastrand::Rng) -> u32 {
    rng.u64(..).trailing_zeros().min(16)
}

/// Draws a duration from 1 ms, log-uniformly over the doublings, in whole milliseconds for readability.
fn duration(rng: &mut fastrand::Rng, doublings: u32) -> Duration {
    let least = 1u64 << rng.u32(..doublings);
    Duration::from_millis(least + rng.u64(..least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Returns the faults drawn from the first thousand seeds; "server" runs the service.
    fn drawn(faults: &Faults) -> impl Iterator<Item = Vec<Fault>> {
        (0..1_000).map(|seed| draw(faults, &["server".to_owned()], &|_, seed| Value::from(seed % 9), seed))
    }

    #[test]
    fn every_kind_is_drawn_and_is_a_sentence() {
        let faults = Faults::between("client", "server").all().rule("lose_nth").at_most(12);
        let mut kinds = BTreeMap::<_, u32>::new();
        for fault in drawn(&faults).flatten() {
            *kinds.entry(fault.kind.name()).or_default() += 1;
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!(kinds.len(), faults.kinds().count(), "{kinds:?}");
        assert!(kinds.values().all(|count| *count > 100), "{kinds:?}");
    }

    #[test]
    fn runs_differ_in_their_kinds_and_have_no_more_faults_than_they_may() {
        let faults = Faults::between("client", "server").all().at_most(12);
        let mut swarms = BTreeSet::new();
        let mut fault_free = 0;
        for run in drawn(&faults) {
            assert!(run.len() <= 12);
            fault_free += u32::from(run.is_empty());
            swarms.insert(run.iter().map(|fault| fault.kind.name()).collect::<BTreeSet<_>>());
        }
        assert!(
            swarms.len() > 800 && (50..250).contains(&fault_free),
            "{} swarms, {fault_free} fault-free",
            swarms.len()
        );
        assert!(drawn(&faults.at_most(0)).all(|run| run.is_empty()));
    }

    #[test]
    fn only_what_can_be_is_drawn() {
        let alone = Faults::among(["server"]).cuts().kills();
        let drawn_alone: BTreeSet<_> = drawn(&alone).flatten().map(|fault| fault.kind.to_string()).collect();
        assert_eq!(drawn_alone, BTreeSet::from(["kill server".to_owned()]));
        let client = Faults::among(["client"]).kills().crashes().pauses().failed_accepts();
        assert_eq!(drawn(&client).flatten().next(), None, "the client is the test itself");
    }
}
