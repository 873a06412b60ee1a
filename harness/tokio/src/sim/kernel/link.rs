//! Routes between hosts: latency, loss, and the effects of active faults.

use super::{
    HostId, Kernel,
    rule::{Decision, Packet, PacketKind},
};
use refrain_core::plan::fault::{Packets, RouteEffect};
use std::time::Duration;

/// The minimum latency between hosts.
const LATENCY_MIN_NS: u64 = 200_000;
/// The maximum added to it at random.
const LATENCY_SPREAD_NS: u64 = 4_800_000;
/// The same for loopback.
const LOOPBACK_MIN_NS: u64 = 10_000;
const LOOPBACK_SPREAD_NS: u64 = 50_000;
/// The extra latency of a packet that is reordered: more than that of any packet sent right after it.
const OVERTAKEN_NS: u64 = 2 * LATENCY_SPREAD_NS;
/// IP and TCP header bytes per packet, counted when the bandwidth is limited.
const HEADER_BYTES: u64 = 40;

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketFate {
    /// Its arrival time, unless it is lost.
    pub due: u64,
    /// Whether it is lost on the way. A packet that is not lost may still arrive at a host without power.
    pub lost: bool,
    /// Whether later packets may overtake it. A TCP stream waits for it.
    pub overtaken: bool,
    /// The arrival time of a duplicate. TCP discards duplicates.
    pub copy_due: Option<u64>,
}

/// The random decisions about a packet; each has its own random bits.
#[derive(Clone, Copy)]
enum RandomDraw {
    Lost = 1,
    Copied,
    Overtaken,
    Delayed,
}

impl Kernel {
    /// Returns whether a packet from one host can reach the other now, apart from random loss.
    pub fn passes(&self, from: HostId, to: HostId) -> bool {
        !self.is_impaired(from, to, RouteEffect::Block)
    }

    /// Returns whether exactly this effect is active on a route.
    pub fn is_impaired(&self, from: HostId, to: HostId, effect: RouteEffect) -> bool {
        self.effects_on(from, to).any(|other| other == effect)
    }

    /// Returns the maximum number of bytes per write on a route.
    pub fn write_max(&self, from: HostId, to: HostId) -> usize {
        self.effects_on(from, to).fold(usize::MAX, |max, effect| match effect {
            RouteEffect::LimitWrites(bytes) => max.min(bytes),
            _ => max,
        })
    }

    /// Returns the maximum number of bytes per read on a route; 0 blocks reads.
    pub fn read_max(&self, from: HostId, to: HostId) -> usize {
        self.effects_on(from, to).fold(usize::MAX, |max, effect| match effect {
            RouteEffect::LimitReads(bytes) => max.min(bytes),
            _ => max,
        })
    }

    /// Returns the effective size of a buffer of `size` bytes for data from one host to another.
    pub fn buffer(&self, from: HostId, to: HostId, size: usize) -> usize {
        self.effects_on(from, to).fold(size, |size, effect| match effect {
            RouteEffect::LimitBuffers(bytes) => size.min(usize::try_from(bytes).unwrap_or(usize::MAX)),
            _ => size,
        })
    }

    /// Sends a packet. `random` is the packet's own random number and does not depend on the schedule.
    pub fn send_packet(&mut self, route: (HostId, HostId), random: u64, packet: &Packet<'_>) -> PacketFate {
        let latency = match route.0 == route.1 {
            true => LOOPBACK_MIN_NS + random % LOOPBACK_SPREAD_NS,
            false => LATENCY_MIN_NS + random % LATENCY_SPREAD_NS,
        };
        let mut fate = PacketFate { due: self.now + latency, lost: false, overtaken: false, copy_due: None };
        if self.impaired.is_empty() && self.rules.is_empty() {
            return fate;
        }
        let drawn = |draw: RandomDraw, percent: u8| draws(random, draw, percent);
        let (mut longer, mut rate, mut copied) = (0u64, u64::MAX, false);
        for effect in self.effects_on(route.0, route.1) {
            match effect {
                RouteEffect::Block => fate.lost = true,
                RouteEffect::Delay { percent, by } if drawn(RandomDraw::Delayed, percent) => {
                    longer = longer.saturating_add(nanoseconds(by));
                }
                RouteEffect::Lose { packets, percent } if is_one_of(packet.kind, packets) => {
                    fate.lost |= drawn(RandomDraw::Lost, percent);
                }
                RouteEffect::Duplicate { percent } => copied |= drawn(RandomDraw::Copied, percent),
                RouteEffect::Reorder { percent } => fate.overtaken |= drawn(RandomDraw::Overtaken, percent),
                RouteEffect::LimitRate { bytes_per_s } => rate = rate.min(bytes_per_s),
                _ => {}
            }
        }
        for decision in self.rules.packet(route, packet) {
            match decision {
                Decision::Pass => {}
                Decision::Lose => fate.lost = true,
                Decision::Delay(by) => longer = longer.saturating_add(nanoseconds(by)),
            }
        }
        let overtaken = if fate.overtaken { OVERTAKEN_NS } else { 0 };
        let waits = self.wait_for_turn(route, rate, packet.bytes.len());
        let later = longer.saturating_add(overtaken).saturating_add(waits).min(super::FAR_NS);
        fate.due = fate.due.saturating_add(later);
        fate.copy_due = copied.then(|| fate.due + latency);
        fate
    }

    /// Returns whether an acknowledgement is lost. Acknowledgements take no time and use no bandwidth.
    pub fn loses(&mut self, route: (HostId, HostId), random: u64, packet: &Packet<'_>) -> bool {
        let lost = self.effects_on(route.0, route.1).any(|effect| match effect {
            RouteEffect::Lose { packets, percent } => {
                is_one_of(packet.kind, packets) && draws(random, RandomDraw::Lost, percent)
            }
            _ => false,
        });
        self.rules.packet(route, packet).contains(&Decision::Lose) || lost
    }

    /// Returns how long a packet takes to pass a limited link, including the packets queued before it.
    fn wait_for_turn(&mut self, route: (HostId, HostId), rate: u64, bytes: usize) -> u64 {
        if rate == u64::MAX {
            return 0;
        }
        let takes = (u128::from(bytes as u64 + HEADER_BYTES) * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        let free_at = self.busy_until.entry(route).or_default();
        *free_at = (*free_at).max(self.now).saturating_add(u64::try_from(takes).unwrap_or(u64::MAX));
        *free_at - self.now
    }

    fn effects_on(&self, from: HostId, to: HostId) -> impl Iterator<Item = RouteEffect> {
        self.impaired.iter().filter(move |(route, _)| *route == (from, to)).map(|(_, effect)| *effect)
    }

    /// Activates an effect on a route.
    pub(super) fn impair(&mut self, from: HostId, to: HostId, effect: RouteEffect) {
        self.impaired.push(((from, to), effect));
    }

    /// Deactivates an effect on a route and wakes the tasks that it blocked.
    pub(super) fn repair(&mut self, from: HostId, to: HostId, effect: RouteEffect) {
        if let Some(at) = self.impaired.iter().position(|other| *other == ((from, to), effect)) {
            self.impaired.remove(at);
        }
        if matches!(effect, RouteEffect::LimitRate { .. }) {
            // Packets already sent keep their arrival times; new ones do not queue behind them.
            self.busy_until.remove(&(from, to));
        }
        if matches!(effect, RouteEffect::LimitReads(0) | RouteEffect::LimitBuffers(_)) {
            for conn in self.conns_between(from, to) {
                for side in [0, 1] {
                    self.send_queued(conn, side);
                    self.wake_side(conn, side);
                }
            }
        }
    }

    /// Returns the connections between two hosts that applications hold, in creation order.
    pub(super) fn conns_between(&self, a: HostId, b: HostId) -> Vec<super::ConnId> {
        let between = |conn: &super::ConnId| {
            let [x, y] = [self.conns[*conn].ends[0].host, self.conns[*conn].ends[1].host];
            (x, y) == (a, b) || (x, y) == (b, a)
        };
        let held = self.hosts[a].conns.iter().chain(&self.hosts[b].conns).map(|(conn, _)| *conn);
        let mut conns: Vec<_> = held.filter(between).collect();
        conns.sort_unstable();
        conns.dedup();
        conns
    }
}

/// Returns true for the given percentage of packets.
fn draws(random: u64, draw: RandomDraw, percent: u8) -> bool {
    super::record::mix(random, draw as u64) % 100 < u64::from(percent)
}

/// Returns whether a packet is of the kind that an effect applies to.
fn is_one_of(kind: PacketKind, packets: Packets) -> bool {
    match packets {
        Packets::All => true,
        Packets::Syns => kind == PacketKind::Syn,
        Packets::Acknowledgements => kind == PacketKind::Ack,
    }
}

/// Converts a duration to nanoseconds, saturating beyond the range of the simulated clock.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
