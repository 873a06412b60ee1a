//! What lies between two hosts: how long packets take, which of them are lost, and what else is wrong with the way now.

use super::{
    HostId, Kernel,
    rule::{Decision, Packet, PacketKind},
};
use refrain_core::plan::fault::{Packets, RouteEffect};
use std::time::Duration;

/// The least time that a packet takes between hosts.
const LATENCY_MIN_NS: u64 = 200_000;
/// How much longer it takes at most.
const LATENCY_SPREAD_NS: u64 = 4_800_000;
/// The same within one host.
const LOOPBACK_MIN_NS: u64 = 10_000;
const LOOPBACK_SPREAD_NS: u64 = 50_000;
/// How much longer a packet takes that others overtake: longer than any of them.
const OVERTAKEN_NS: u64 = 2 * LATENCY_SPREAD_NS;
/// What IP and TCP add to the bytes of a packet, where the bandwidth is limited.
const HEADER_BYTES: u64 = 40;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketFate {
    /// When it arrives, if it does.
    pub due: u64,
    /// Whether it is lost on the way; one that is not may still find the host without power.
    pub lost: bool,
    /// Whether packets that are sent after it may arrive before it. A stream waits for it.
    pub overtaken: bool,
    /// When a copy of it arrives. A stream throws that away.
    pub copy_due: Option<u64>,
}

/// What chance decides about a packet, each by bits of its own.
#[derive(Clone, Copy)]
enum RandomDraw {
    Lost = 1,
    Copied,
    Overtaken,
    Delayed,
}

impl Kernel {
    /// Whether a packet sent now from one host reaches another that is up, unless chance loses it.
    pub fn passes(&self, from: HostId, to: HostId) -> bool {
        !self.is_impaired(from, to, RouteEffect::Block)
    }

    /// Whether exactly this happens on a route now.
    pub fn is_impaired(&self, from: HostId, to: HostId, effect: RouteEffect) -> bool {
        self.effects_on(from, to).any(|other| other == effect)
    }

    /// How many bytes a write takes at most on a route now.
    pub fn write_max(&self, from: HostId, to: HostId) -> usize {
        self.effects_on(from, to).fold(usize::MAX, |most, effect| match effect {
            RouteEffect::LimitWrites(bytes) => most.min(bytes),
            _ => most,
        })
    }

    /// How many bytes a read gives at most on a route now; 0: it waits.
    pub fn read_max(&self, from: HostId, to: HostId) -> usize {
        self.effects_on(from, to).fold(usize::MAX, |most, effect| match effect {
            RouteEffect::LimitReads(bytes) => most.min(bytes),
            _ => most,
        })
    }

    /// How much a buffer of this size holds now for what goes from one host to another.
    pub fn buffer(&self, from: HostId, to: HostId, size: usize) -> usize {
        self.effects_on(from, to).fold(size, |size, effect| match effect {
            RouteEffect::LimitBuffers(bytes) => size.min(usize::try_from(bytes).unwrap_or(usize::MAX)),
            _ => size,
        })
    }

    /// Sends a packet. `chance` is a random number of its own: never the schedule's.
    pub fn send_packet(&mut self, route: (HostId, HostId), chance: u64, packet: &Packet<'_>) -> PacketFate {
        let latency = match route.0 == route.1 {
            true => LOOPBACK_MIN_NS + chance % LOOPBACK_SPREAD_NS,
            false => LATENCY_MIN_NS + chance % LATENCY_SPREAD_NS,
        };
        let mut fate = PacketFate { due: self.now + latency, lost: false, overtaken: false, copy_due: None };
        if self.impaired.is_empty() && self.rules.is_empty() {
            return fate;
        }
        let drawn = |draw: RandomDraw, percent: u8| draws(chance, draw, percent);
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

    /// Whether a packet is lost that takes no time and no turn: an acknowledgement.
    pub fn loses(&mut self, route: (HostId, HostId), chance: u64, packet: &Packet<'_>) -> bool {
        let lost = self.effects_on(route.0, route.1).any(|effect| match effect {
            RouteEffect::Lose { packets, percent } => {
                is_one_of(packet.kind, packets) && draws(chance, RandomDraw::Lost, percent)
            }
            _ => false,
        });
        self.rules.packet(route, packet).contains(&Decision::Lose) || lost
    }

    /// How long a packet waits until all those before it have passed, and passes itself.
    fn wait_for_turn(&mut self, way: (HostId, HostId), rate: u64, bytes: usize) -> u64 {
        if rate == u64::MAX {
            return 0;
        }
        let takes = (u128::from(bytes as u64 + HEADER_BYTES) * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        let free_at = self.busy_until.entry(way).or_default();
        *free_at = (*free_at).max(self.now).saturating_add(u64::try_from(takes).unwrap_or(u64::MAX));
        *free_at - self.now
    }

    fn effects_on(&self, from: HostId, to: HostId) -> impl Iterator<Item = RouteEffect> {
        self.impaired.iter().filter(move |(route, _)| *route == (from, to)).map(|(_, effect)| *effect)
    }

    /// One more effect begins on a route.
    pub(super) fn impair(&mut self, from: HostId, to: HostId, effect: RouteEffect) {
        self.impaired.push(((from, to), effect));
    }

    /// One effect on a route is over. Packets find that out by themselves, applications are told.
    pub(super) fn repair(&mut self, from: HostId, to: HostId, effect: RouteEffect) {
        if let Some(at) = self.impaired.iter().position(|other| *other == ((from, to), effect)) {
            self.impaired.remove(at);
        }
        if matches!(effect, RouteEffect::LimitRate { .. }) {
            // What was sent meanwhile arrives when it would have; what is sent from now on does not wait for it.
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

    /// The connections that applications hold between two hosts, in the order in which they were made.
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

/// What chance decides about a packet in this percentage of all packets.
fn draws(chance: u64, draw: RandomDraw, percent: u8) -> bool {
    super::record::mix(chance, draw as u64) % 100 < u64::from(percent)
}

/// Whether a packet is one of those that an effect is about.
fn is_one_of(kind: PacketKind, packets: Packets) -> bool {
    match packets {
        Packets::All => true,
        Packets::Syns => kind == PacketKind::Syn,
        Packets::Acknowledgements => kind == PacketKind::Ack,
    }
}

/// A duration on the simulated clock, which counts further than any run goes.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
