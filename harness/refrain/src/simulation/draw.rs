//! Draws faults from a seed: which kinds (swarm), how many, where, when and for how long.

use crate::{
    faults::{FaultKind, Faults},
    plan::{Direction, Fault, Impairment, Link, Route, Trigger, TriggerEvent, What},
};
use std::time::Duration;

/// The faults' stream of chance: never the schedule's.
const FAULT_STREAM: u64 = 0x6661_756c_7473;
/// Times are drawn from 1 ms, each doubling as likely as the next, to this many doublings: 33 s.
const TIME_DOUBLINGS: u32 = 15;
/// What packets are late by, likewise: to 4 s.
const DELAY_DOUBLINGS: u32 = 12;
/// Bytes at which something happens, likewise: to the 4096th.
const BYTE_DOUBLINGS: u32 = 13;
/// A kind's rate in a run is up to this many doublings above its usual one.
const RATE_DOUBLINGS: u32 = 3;
/// One run in so many has no fault.
const CALM_ONE_IN: u32 = 8;

/// The faults of one run.
///
/// Swarm: a run in which few kinds happen often meets other states than one in which all happen sometimes. So each run
/// has some of the kinds only, each at a rate of its own.
pub(crate) fn draw(faults: &Faults, services: &[String], seed: u64) -> Vec<Fault> {
    let mut rng = fastrand::Rng::with_seed(seed ^ FAULT_STREAM);
    let kinds: Vec<(FaultKind, u32)> =
        faults.kinds.iter().filter(|_| rng.bool()).map(|kind| (*kind, usual(*kind))).collect();
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, usual)| (kind, usual << rng.u32(..RATE_DOUBLINGS))).collect();
    if kinds.is_empty() || faults.hosts.is_empty() || faults.at_most == 0 || rng.u32(..CALM_ONE_IN) == 0 {
        return vec![];
    }
    // What needs several faults in order needs many: of 12 there are 220 threes, of 6 there are 20.
    let count = if rng.bool() { faults.at_most } else { rng.usize(1..=faults.at_most) };
    (0..count).filter_map(|_| one(faults, services, chosen(&kinds, &mut rng), &mut rng)).collect()
}

/// How often a kind is chosen beside the others: what ends connections, or leaves them half-open, breaks most protocols.
fn usual(kind: FaultKind) -> u32 {
    match kind {
        FaultKind::Cut | FaultKind::CutOneWay | FaultKind::Reset | FaultKind::Kill | FaultKind::Crash => 2,
        _ => 1,
    }
}

/// One of the kinds, by their rates.
fn chosen(kinds: &[(FaultKind, u32)], rng: &mut fastrand::Rng) -> FaultKind {
    let rates: u32 = kinds.iter().map(|(_, rate)| rate).sum();
    let mut at = rng.u32(..rates);
    for (kind, rate) in kinds {
        match at.checked_sub(*rate) {
            Some(left) => at = left,
            None => return *kind,
        }
    }
    kinds[0].0
}

fn one(faults: &Faults, services: &[String], kind: FaultKind, rng: &mut fastrand::Rng) -> Option<Fault> {
    let mut hosts = faults.hosts.clone();
    rng.shuffle(&mut hosts);
    let what = what(kind, &hosts, services, rng)?;
    // What breaks a protocol lies between two of its messages: few moments of the clock do, and every event is near one.
    let when = match rng.u8(..4) {
        0 => Trigger::At(long(rng, TIME_DOUBLINGS)),
        _ => {
            // A host that fails does so at something that it does itself, or at something that another does.
            if rng.u8(..4) == 0 {
                rng.shuffle(&mut hosts);
            }
            event(&hosts, rng)
        }
    };
    let for_good = rng.u8(..8) == 0;
    let lasts = (kind != FaultKind::Reset && !for_good).then(|| long(rng, TIME_DOUBLINGS));
    Some(Fault { what, when, lasts })
}

/// What goes wrong, at the first of the hosts or between the first two; `None`: that cannot be.
fn what(kind: FaultKind, hosts: &[String], services: &[String], rng: &mut fastrand::Rng) -> Option<What> {
    let pair = hosts.get(1).map(|other| (hosts[0].clone(), other.clone()));
    // A client is the test itself: what is between it and a host may break, it may not.
    let host = || hosts.iter().find(|host| services.contains(host)).cloned();
    let link = || pair.clone().map(|(a, b)| Link(a.clone().min(b.clone()), a.max(b)));
    let route = || pair.clone().map(|(from, to)| Route { from, to });
    Some(match kind {
        FaultKind::Reset => What::Reset(link()?),
        FaultKind::Kill => What::Kill(host()?),
        FaultKind::Crash => What::Crash(host()?),
        FaultKind::Pause => What::Pause(host()?),
        FaultKind::FailLookups => What::FailLookups(hosts[0].clone()),
        FaultKind::FailAccepts => What::FailAccepts(host()?),
        FaultKind::Cut => What::Impair(Direction::Both(link()?), Impairment::Cut),
        FaultKind::CutOneWay => What::Impair(Direction::One(route()?), Impairment::Cut),
        kind if rng.u8(..4) == 0 => What::Impair(Direction::One(route()?), impairment(kind, rng)),
        kind => What::Impair(Direction::Both(link()?), impairment(kind, rng)),
    })
}

fn impairment(kind: FaultKind, rng: &mut fastrand::Rng) -> Impairment {
    let few = |rng: &mut fastrand::Rng| [1, 10, 30, 50][rng.usize(..4)];
    match kind {
        FaultKind::Slow => Impairment::Slow(long(rng, DELAY_DOUBLINGS)),
        FaultKind::Delay => Impairment::Delay(few(rng), long(rng, DELAY_DOUBLINGS)),
        FaultKind::Lose => Impairment::Lose(few(rng)),
        FaultKind::Duplicate => Impairment::Duplicate(few(rng)),
        FaultKind::Reorder => Impairment::Reorder(few(rng)),
        FaultKind::Limit => Impairment::Limit(10u64.pow(rng.u32(2..6))),
        FaultKind::DropSyns => Impairment::DropSyns,
        FaultKind::RefuseSyns => Impairment::RefuseSyns,
        FaultKind::StretchWrites => Impairment::StretchWrites,
        FaultKind::StretchReads => Impairment::StretchReads,
        FaultKind::StallReads => Impairment::StallReads,
        FaultKind::ShrinkBuffers => Impairment::ShrinkBuffers(1 << rng.u32(..10)),
        _ => Impairment::Cut,
    }
}

/// Something that the first of the hosts does.
fn event(hosts: &[String], rng: &mut fastrand::Rng) -> Trigger {
    let host = hosts[0].clone();
    let Some(other) = hosts.get(1).cloned() else {
        return Trigger::On { trigger: TriggerEvent::Accepts(host), nth: 1 + small(rng) };
    };
    let trigger = match rng.u8(..16) {
        0 | 1 => TriggerEvent::Connects(Route { from: host, to: other }),
        2 => TriggerEvent::Accepts(host),
        3..6 => TriggerEvent::Writes(Route { from: host, to: other }),
        6 => {
            let most = 1u32 << rng.u32(..BYTE_DOUBLINGS);
            let nth = 1 + rng.u32(..most);
            return Trigger::On { trigger: TriggerEvent::Receives(Route { from: other, to: host }), nth };
        }
        7 | 8 => TriggerEvent::Closes(Route { from: host, to: other }),
        // What was just read is acknowledged, and nobody has acted on it yet.
        _ => TriggerEvent::Reads(Route { from: other, to: host }),
    };
    Trigger::On { trigger, nth: 1 + small(rng) }
}

/// 0, 1, 2 ..., each half as likely as the one before.
fn small(rng: &mut fastrand::Rng) -> u32 {
    rng.u64(..).trailing_zeros().min(16)
}

/// A duration from 1 ms, with each doubling as likely as the next; whole milliseconds read well.
fn long(rng: &mut fastrand::Rng, doublings: u32) -> Duration {
    let least = 1u64 << rng.u32(..doublings);
    Duration::from_millis(least + rng.u64(..least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The faults of the runs from the first thousand seeds; "server" runs the service.
    fn drawn(faults: &Faults) -> impl Iterator<Item = Vec<Fault>> {
        (0..1_000).map(|seed| draw(faults, &["server".to_owned()], seed))
    }

    #[test]
    fn every_kind_is_drawn_and_is_a_sentence() {
        let faults = Faults::between("client", "server").all().at_most(12);
        let mut kinds = BTreeMap::<_, u32>::new();
        for fault in drawn(&faults).flatten() {
            *kinds.entry(fault.what.kind()).or_default() += 1;
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!(kinds.len(), faults.kinds.len(), "{kinds:?}");
        assert!(kinds.values().all(|count| *count > 100), "{kinds:?}");
    }

    #[test]
    fn runs_differ_in_their_kinds_and_have_no_more_faults_than_they_may() {
        let faults = Faults::between("client", "server").all().at_most(12);
        let mut swarms = BTreeSet::new();
        let mut calm = 0;
        for run in drawn(&faults) {
            assert!(run.len() <= 12);
            calm += u32::from(run.is_empty());
            swarms.insert(run.iter().map(|fault| fault.what.kind()).collect::<BTreeSet<_>>());
        }
        assert!(swarms.len() > 800 && (50..250).contains(&calm), "{} swarms, {calm} calm", swarms.len());
        assert!(drawn(&faults.at_most(0)).all(|run| run.is_empty()));
    }

    #[test]
    fn only_what_can_be_is_drawn() {
        let alone = Faults::among(["server"]).cuts().kills();
        let drawn_alone: BTreeSet<_> = drawn(&alone).flatten().map(|fault| fault.what.to_string()).collect();
        assert_eq!(drawn_alone, BTreeSet::from(["kill server".to_owned()]));
        let client = Faults::among(["client"]).kills().crashes().pauses().failed_accepts();
        assert_eq!(drawn(&client).flatten().next(), None, "the client is the test itself");
    }
}
