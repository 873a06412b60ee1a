//! The effects on the simulated network that all kinds of faults are composed of.
//!
//! The network implements these effects once and knows no kinds of faults; each kind states which effects it has.

use crate::plan::{Direction, Link, Route};
use serde_json::Value;
use std::time::Duration;

/// An effect and where it applies. Plans refer to a host by name, the simulated network by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<Host = String, Rule = NamedRule> {
    /// On the route from one host to another.
    Route {
        /// The source of packets and streams.
        from: Host,
        /// Their destination.
        to: Host,
        /// The effect.
        effect: RouteEffect,
    },
    /// On one host.
    Host {
        /// The host.
        host: Host,
        /// The effect.
        effect: HostEffect,
    },
    /// Resets every established connection between two hosts, once.
    Reset(Host, Host),
    /// A rule written by the test decides on the route from one host to another.
    Rule {
        /// The source of packets and streams.
        from: Host,
        /// Their destination.
        to: Host,
        /// The rule.
        rule: Rule,
    },
}

/// A rule written by a test, as plans refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

/// An effect on packets and streams on the route from one host to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteEffect {
    /// No packet passes; those in flight are lost, too.
    Block,
    /// A percentage of some packets is lost.
    Lose {
        /// Which packets.
        packets: Packets,
        /// From 1 to 100.
        percent: u8,
    },
    /// A percentage of the packets is delayed.
    Delay {
        /// From 1 to 100.
        percent: u8,
        /// The added latency.
        by: Duration,
    },
    /// A percentage of the packets is duplicated.
    Duplicate {
        /// From 1 to 100.
        percent: u8,
    },
    /// A percentage of the packets is overtaken by later ones.
    Reorder {
        /// From 1 to 100.
        percent: u8,
    },
    /// Bandwidth is limited to this many bytes per second; excess packets queue.
    LimitRate {
        /// At least 1.
        bytes_per_s: u64,
    },
    /// SYNs are answered with a reset.
    RefuseSyns,
    /// A write accepts at most this many bytes.
    LimitWrites(usize),
    /// A read returns at most this many bytes; 0 blocks it.
    LimitReads(usize),
    /// The send and receive buffers hold at most this many bytes.
    LimitBuffers(u64),
}

/// Which packets an effect applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packets {
    /// Every packet.
    All,
    /// SYNs.
    Syns,
    /// Acknowledgements without payload.
    Acknowledgements,
}

/// An effect on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostEffect {
    /// Its process dies and its kernel closes the sockets. When the effect ends, a new process starts.
    Kill,
    /// It loses power: it sends nothing and forgets its connections. When the effect ends, it boots.
    Crash,
    /// Its process is stopped while its kernel continues.
    Pause,
    /// Name lookups fail.
    FailLookups,
    /// Accepting a connection fails, because no file descriptor is left.
    FailAccepts,
}

impl Effect {
    /// Returns an effect on one host.
    pub(super) fn host(host: &str, effect: HostEffect) -> Vec<Effect> {
        vec![Effect::Host { host: host.to_owned(), effect }]
    }

    /// Returns an effect on one route, or on both routes of a link.
    pub(super) fn on(direction: &Direction, effect: RouteEffect) -> Vec<Effect> {
        routes(direction).into_iter().map(|(from, to)| Effect::Route { from, to, effect }).collect()
    }

    /// Returns a rule on one route, or on both routes of a link.
    pub(super) fn rule(direction: &Direction, rule: &NamedRule) -> Vec<Effect> {
        routes(direction).into_iter().map(|(from, to)| Effect::Rule { from, to, rule: rule.clone() }).collect()
    }
}

impl<Host, Rule> Effect<Host, Rule> {
    /// Replaces the hosts and the rule.
    ///
    /// # Errors
    /// Returns the error of `host` or `rule`.
    pub fn try_map<H, R, E>(
        self,
        mut host: impl FnMut(Host) -> Result<H, E>,
        rule: impl FnOnce(Rule) -> Result<R, E>,
    ) -> Result<Effect<H, R>, E> {
        Ok(match self {
            Effect::Route { from, to, effect } => Effect::Route { from: host(from)?, to: host(to)?, effect },
            Effect::Host { host: on, effect } => Effect::Host { host: host(on)?, effect },
            Effect::Reset(a, b) => Effect::Reset(host(a)?, host(b)?),
            Effect::Rule { from, to, rule: named } => {
                Effect::Rule { from: host(from)?, to: host(to)?, rule: rule(named)? }
            }
        })
    }
}

impl<Host: Copy, Rule> Effect<Host, Rule> {
    /// Returns the two hosts between which it applies; the same one twice if it applies to one host.
    pub fn hosts(&self) -> (Host, Host) {
        match *self {
            Effect::Route { from, to, .. } | Effect::Rule { from, to, .. } => (from, to),
            Effect::Host { host, .. } => (host, host),
            Effect::Reset(a, b) => (a, b),
        }
    }
}

impl HostEffect {
    /// Returns whether it requires a process of the service, which the test itself is not.
    pub fn needs_process(self) -> bool {
        matches!(self, HostEffect::Kill | HostEffect::Crash | HostEffect::Pause)
    }
}

/// Returns the routes of a direction as pairs of source and destination.
fn routes(direction: &Direction) -> Vec<(String, String)> {
    match direction {
        Direction::Both(Link(a, b)) if a != b => vec![(a.clone(), b.clone()), (b.clone(), a.clone())],
        Direction::Both(Link(a, b)) => vec![(a.clone(), b.clone())],
        Direction::One(Route { from, to }) => vec![(from.clone(), to.clone())],
    }
}
