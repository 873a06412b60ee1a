//! What the simulated network can do wrong: the few things of which every kind of fault is made.
//!
//! The network implements these, once, and knows no kind of fault; a kind says of which of them it consists.

use crate::plan::{Direction, Link};
use std::time::Duration;

/// One thing that goes wrong at a place. In a plan a host is its name, in the simulated network its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<Host = String> {
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
}

/// What happens to packets and streams on the route from one host to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteEffect {
    /// No packet passes; those on their way are lost, too.
    Block,
    /// This percentage of the packets is lost when they are sent.
    Lose {
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
    /// Packets that would open a connection are lost.
    LoseSyns,
    /// Packets that would open a connection are answered with a reset.
    RefuseSyns,
    /// A write takes at most this many bytes.
    LimitWrites(usize),
    /// A read gives at most this many bytes; 0: it waits.
    LimitReads(usize),
    /// The buffers of the writer's and the reader's sockets hold at most this many bytes.
    LimitBuffers(u64),
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
        let route = |from: &String, to: &String| Effect::Route { from: from.clone(), to: to.clone(), effect };
        match direction {
            Direction::Both(Link(a, b)) if a != b => vec![route(a, b), route(b, a)],
            Direction::Both(Link(a, b)) => vec![route(a, b)],
            Direction::One(way) => vec![route(&way.from, &way.to)],
        }
    }
}

impl<Host> Effect<Host> {
    /// The same effect with its hosts named otherwise.
    ///
    /// # Errors
    /// What `name` says of a host.
    pub fn try_map<Other, E>(self, mut name: impl FnMut(Host) -> Result<Other, E>) -> Result<Effect<Other>, E> {
        Ok(match self {
            Effect::Route { from, to, effect } => Effect::Route { from: name(from)?, to: name(to)?, effect },
            Effect::Host { host, effect } => Effect::Host { host: name(host)?, effect },
            Effect::Reset(a, b) => Effect::Reset(name(a)?, name(b)?),
        })
    }
}

impl<Host: Copy> Effect<Host> {
    /// The two hosts between which it is; the same one twice if it is on one host.
    pub fn hosts(&self) -> (Host, Host) {
        match *self {
            Effect::Route { from, to, .. } => (from, to),
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
