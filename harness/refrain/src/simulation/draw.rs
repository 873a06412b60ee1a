//! Draws faults from a seed: which kinds (swarm), how many, where, when and for how long.

use crate::{
    faults::{FaultKind, Faults},
    plan::{Fault, Impairment, Link, Route, Trigger, Way, What, When},
};
use std::time::Duration;

/// The faults' stream of chance: never the schedule's.
const FAULT_STREAM: u64 = 0x6661_756c_7473;
/// Times are drawn from 1 ms, each doubling as likely as the next, to this many doublings: 33 s.
const TIME_DOUBLINGS: u32 = 15;
/// What packets are late by, likewise: to 4 s.
const DELAY_DOUBLINGS: u32 = 12;

/// The faults of one run.
pub(crate) fn draw(faults: &Faults, services: &[String], seed: u64) -> Vec<Fault> {
    let mut rng = fastrand::Rng::with_seed(seed ^ FAULT_STREAM);
    // Swarm: a run in which few kinds happen often meets other states than one in which all happen sometimes.
    let kinds: Vec<_> = faults.kinds.iter().copied().filter(|_| rng.bool()).collect();
    if kinds.is_empty() || faults.hosts.is_empty() {
        return vec![];
    }
    let count = rng.usize(0..=faults.at_most);
    (0..count).filter_map(|_| one(faults, services, kinds[rng.usize(..kinds.len())], &mut rng)).collect()
}

fn one(faults: &Faults, services: &[String], kind: FaultKind, rng: &mut fastrand::Rng) -> Option<Fault> {
    let mut hosts = faults.hosts.clone();
    rng.shuffle(&mut hosts);
    let pair = hosts.get(1).map(|other| (hosts[0].clone(), other.clone()));
    // A client is the test itself: what is between it and a host may break, it may not.
    let host = || hosts.iter().find(|host| services.contains(host)).cloned();
    let link = || pair.clone().map(|(a, b)| Link(a.clone().min(b.clone()), a.max(b)));
    let route = || pair.clone().map(|(from, to)| Route { from, to });
    let what = match kind {
        FaultKind::Reset => What::Reset(link()?),
        FaultKind::Kill => What::Kill(host()?),
        FaultKind::Crash => What::Crash(host()?),
        FaultKind::Pause => What::Pause(host()?),
        FaultKind::FailLookups => What::FailLookups(hosts[0].clone()),
        FaultKind::FailAccepts => What::FailAccepts(host()?),
        FaultKind::CutOneWay => What::Impair(Way::One(route()?), Impairment::Cut),
        kind => What::Impair(Way::Both(link()?), impairment(kind, rng)),
    };
    let when = match rng.bool() {
        true => When::At(long(rng, TIME_DOUBLINGS)),
        false => {
            // A host that fails does so at something that it does itself, or at something that another does.
            if rng.u8(..4) == 0 {
                rng.shuffle(&mut hosts);
            }
            When::On { trigger: trigger(&hosts, rng), nth: 1 + small(rng) }
        }
    };
    let for_good = rng.u8(..8) == 0;
    let lasts = (kind != FaultKind::Reset && !for_good).then(|| long(rng, TIME_DOUBLINGS));
    Some(Fault { what, when, lasts })
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
fn trigger(hosts: &[String], rng: &mut fastrand::Rng) -> Trigger {
    let host = hosts[0].clone();
    let Some(other) = hosts.get(1).cloned() else { return Trigger::Accepts(host) };
    match rng.u8(..8) {
        0 | 1 => Trigger::Connects(Route { from: host, to: other }),
        2 => Trigger::Accepts(host),
        3 | 4 => Trigger::Writes(Route { from: host, to: other }),
        5 | 6 => Trigger::Reads(Route { from: other, to: host }),
        _ => Trigger::Closes(Route { from: host, to: other }),
    }
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
