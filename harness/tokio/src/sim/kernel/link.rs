//! What lies between two hosts: latency, and whether packets pass.

use super::{HostId, Kernel};

/// The least time that a packet takes between hosts.
const LATENCY_MIN_NS: u64 = 200_000;
/// How much longer it takes at most.
const LATENCY_SPREAD_NS: u64 = 4_800_000;
/// The same within one host.
const LOOPBACK_MIN_NS: u64 = 10_000;
const LOOPBACK_SPREAD_NS: u64 = 50_000;

/// One way from host to host, where a fault has touched it.
#[derive(Debug, Default, Clone)]
pub(crate) struct LinkState {
    /// How many faults cut it now.
    pub cuts: u32,
    /// How much longer each packet takes now, in nanoseconds, by each fault that slows it.
    pub slow_by: Vec<u64>,
}

impl LinkState {
    /// One fault less slows it.
    pub fn slow_no_more(&mut self, by: u64) {
        if let Some(at) = self.slow_by.iter().position(|other| *other == by) {
            self.slow_by.remove(at);
        }
    }

    fn slower_ns(&self) -> u64 {
        self.slow_by.iter().fold(0, |sum: u64, by| sum.saturating_add(*by))
    }
}

impl Kernel {
    /// Whether a packet sent now from one host reaches another that is up.
    pub fn passes(&self, from: HostId, to: HostId) -> bool {
        self.links.is_empty() || self.links.get(&(from, to)).is_none_or(|link| link.cuts == 0)
    }

    /// How long the nth packet of a stream takes. A stream of its own: never the schedule's.
    pub fn latency(&self, from: HostId, to: HostId, stream: u64, n: u64) -> u64 {
        let chance = self.chance(stream, n);
        if from == to {
            return LOOPBACK_MIN_NS + chance % LOOPBACK_SPREAD_NS;
        }
        let slower =
            if self.links.is_empty() { 0 } else { self.links.get(&(from, to)).map_or(0, LinkState::slower_ns) };
        LATENCY_MIN_NS + chance % LATENCY_SPREAD_NS + slower.min(super::FAR_NS)
    }

    /// Changes the way from host to host.
    pub fn link(&mut self, from: HostId, to: HostId) -> &mut LinkState {
        self.links.entry((from, to)).or_default()
    }
}
