//! What the simulated network can do wrong: the few things of which every kind of fault is made.
//!
//! The network implements these, once, and knows no kind of fault; a kind says of which of them it consists.

use crate::plan::{Direction, Link, Route};
use serde_json::Value;
use std::time::Duration;

/// One thing that goes wrong at a place. In a plan a host is its name, in the simulated network its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<Host = String, Rule = NamedRule> {
    /// On the route from one host to another.
    Route {
        /// Where packets and streams come from.
        from: Host,
        /// Where they go to.
        to: Host,
        /// What happens to them.
        effect: RouteEffect,
    },
    /// On one host.
    Host {
        /// The host.
        host: Host,
        /// What happens to it.
        effect: HostEffect,
    },
    /// Every established connection between two hosts is reset, once.
    Reset(Host, Host),
    /// A rule that the test has written decides on the route from one host to another.
    Rule {
        /// Where packets and streams come from.
        from: Host,
        /// Where they go to.
        to: Host,
        /// The rule.
        rule: Rule,
    },
}

/// A rule that a test has written, as plans know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// Its name.
    pub name: String,
    /// What it is made from.
    pub arguments: Value,
}

/// What happens to packets and streams on the route from one host to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteEffect {
    /// No packet passes; those on their way are lost, too.
    Block,
    /// This percentage of some packets is lost when they are sent.
    Lose {
        /// Which packets.
        packets: Packets,
        /// From 1 to 100.
        percent: u8,
    },
    /// This percentage of the packets takes this much longer.
    Delay {
        /// From 1 to 100.
        percent: u8,
        /// How much longer.
        by: Duration,
    },
    /// This percentage of the packets arrives twice.
    Duplicate {
        /// From 1 to 100.
        percent: u8,
    },
    /// This percentage of the packets is overtaken by those sent after them.
    Reorder {
        /// From 1 to 100.
        percent: u8,
    },
    /// This many bytes pass a second; the others wait for their turn.
    LimitRate {
        /// At least 1.
        bytes_per_s: u64,
    },
    /// Packets that would open a connection are answered with a reset.
    RefuseSyns,
    /// A write takes at most this many bytes.
    LimitWrites(usize),
    /// A read gives at most this many bytes; 0: it waits.
    LimitReads(usize),
    /// The buffers of the writer's and the reader's sockets hold at most this many bytes.
    LimitBuffers(u64),
}

/// Which packets an effect is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packets {
    /// Every packet.
    All,
    /// Those that would open a connection.
    Syns,
    /// Those that acknowledge what has arrived and carry nothing themselves.
    Acknowledgements,
}

/// What happens to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostEffect {
    /// Its process dies and its kernel closes the sockets. When the effect is over a new process starts.
    Kill,
    /// It loses power: nothing is sent, nothing is remembered. When the effect is over it boots.
    Crash,
    /// Its process stands still while its kernel goes on.
    Pause,
    /// Look-ups of names fail.
    FailLookups,
    /// Accepting a connection fails: no file descriptor is left.
    FailAccepts,
}

impl Effect {
    /// An effect on one host.
    pub(super) fn host(host: &str, effect: HostEffect) -> Vec<Effect> {
        vec![Effect::Host { host: host.to_owned(), effect }]
    }

    /// An effect on one route, or on both routes of a link.
    pub(super) fn on(direction: &Direction, effect: RouteEffect) -> Vec<Effect> {
        routes(direction).into_iter().map(|(from, to)| Effect::Route { from, to, effect }).collect()
    }

    /// A rule on one route, or on both routes of a link.
    pub(super) fn rule(direction: &Direction, rule: &NamedRule) -> Vec<Effect> {
        routes(direction).into_iter().map(|(from, to)| Effect::Rule { from, to, rule: rule.clone() }).collect()
    }
}

impl<Host, Rule> Effect<Host, Rule> {
    /// The same effect with other names for its hosts and its rule.
    ///
    /// # Errors
    /// What `host` says of a host, or `rule` of a rule.
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
    /// The two hosts between which it is; the same one twice if it is on one host.
    pub fn hosts(&self) -> (Host, Host) {
        match *self {
            Effect::Route { from, to, .. } | Effect::Rule { from, to, .. } => (from, to),
            Effect::Host { host, .. } => (host, host),
            Effect::Reset(a, b) => (a, b),
        }
    }
}

impl HostEffect {
    /// Whether it happens to a process of the service. The test itself is no such process.
    pub fn needs_process(self) -> bool {
        matches!(self, HostEffect::Kill | HostEffect::Crash | HostEffect::Pause)
    }
}

/// The routes of a direction: from whom to whom.
fn routes(direction: &Direction) -> Vec<(String, String)> {
    match direction {
        Direction::Both(Link(a, b)) if a != b => vec![(a.clone(), b.clone()), (b.clone(), a.clone())],
        Direction::Both(Link(a, b)) => vec![(a.clone(), b.clone())],
        Direction::One(Route { from, to }) => vec![(from.clone(), to.clone())],
    }
}
