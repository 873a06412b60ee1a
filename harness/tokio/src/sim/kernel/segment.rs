//! How segments travel: windows, loss, acknowledgement, retransmission with back-off, probes of a closed window.
//!
//! An acknowledgement that passes takes no time. One that is lost is what an application can see: its peer has the
//! bytes, and yet the connection times out. A lost segment is sent again when its timer is over, or before, when what
//! came behind it shows that it is missing.

use super::{
    Action, Conn, ConnId, HostId, Kernel, Kind, Packet, PacketKind, Side, Tcp, What,
    conn::{Fin, Handshake, Pipe, Segment},
    link::PacketFate,
};
use std::io;

/// The first wait before a segment is sent again; doubled each time. Linux's smallest, `TCP_RTO_MIN`.
const RETRANSMIT_WAIT_NS: u64 = 200_000_000;
/// The longest such wait: Linux's `TCP_RTO_MAX`.
const RETRANSMIT_WAIT_MAX_NS: u64 = 120_000_000_000;
/// The most bytes that one segment carries, as with segmentation offload.
const SEGMENT_BYTES_MAX: usize = 64 << 10;

/// After this many duplicate acknowledgements a segment is sent again (Linux: `tcp_reordering`).
const DUPLICATES: usize = 3;
/// The random stream of acknowledgements.
const ACKNOWLEDGEMENT_STREAM: u64 = 0x6163_6b20;

/// What an Ethernet frame carries of a stream. A write that fits comes in one piece, unless a fault stretches it.
const FRAME_BYTES: usize = 1448;
/// One in this many longer pieces is cut.
const CUT_ONE_IN: u64 = 4;
/// The stream of chance for that.
const CUT_STREAM: u64 = 0x6375_7420;

/// How long the first wait lasts after this many in a row.
fn backoff(tries: u32) -> u64 {
    (RETRANSMIT_WAIT_NS << tries.min(32)).min(RETRANSMIT_WAIT_MAX_NS)
}

impl Pipe {
    /// Whether the peer has not acknowledged what was sent, for longer than usual.
    pub fn is_unacknowledged(&self) -> bool {
        self.timer || self.tries > 0
    }

    /// Marks what is due as lost.
    fn lose_due(&mut self, now: u64) {
        let due = self.flight.iter_mut().filter(|segment| segment.due <= now && !segment.arrived);
        due.for_each(|segment| segment.lost = true);
    }

    /// The first segment that the peer does not have, if it is lost and was due.
    fn hole(&self, now: u64) -> Option<usize> {
        let first = self.flight.iter().position(|segment| !segment.arrived)?;
        (self.flight[first].lost && self.flight[first].due <= now).then_some(first)
    }
}

impl Kernel {
    /// Sends what the peer's window admits.
    pub(super) fn send_queued(&mut self, conn: ConnId, side: Side) {
        if !self.knows(conn, side) {
            return;
        }
        loop {
            let (from, to) = self.way(conn, side);
            let window = self.buffer(from, to, self.conns[conn].ends[1 - side].options.receive_buffer as usize);
            let pipe = &mut self.conns[conn].pipes[side];
            let fin = pipe.queued.is_empty() && pipe.fin == Fin::Queued;
            let room = window.saturating_sub(pipe.arrived.len() + pipe.flight_bytes);
            if pipe.tries > 0 || !(fin || room > 0 && !pipe.queued.is_empty()) {
                break;
            }
            let (first, nth) = (pipe.queued.first_len().min(room).min(SEGMENT_BYTES_MAX), pipe.packets);
            let most = self.cut_by_chance(conn, side, first, nth);
            let pipe = &mut self.conns[conn].pipes[side];
            let bytes = if fin { vec![] } else { pipe.queued.take(most) };
            if fin {
                pipe.fin = Fin::Sent;
            }
            pipe.probes = 0;
            self.send_segment(conn, side, bytes, fin);
        }
        let pipe = &mut self.conns[conn].pipes[side];
        if !pipe.queued.is_empty() && pipe.flight.is_empty() && !std::mem::replace(&mut pipe.persist, true) {
            let due = self.now + backoff(pipe.probes);
            pipe.timer_at = due;
            self.later(due, Action::Persist(conn, side));
        }
    }

    /// How much of `len` bytes the nth packet carries: what is longer than a frame may come in parts, wherever it is cut.
    fn cut_by_chance(&self, conn: ConnId, side: Side, len: usize, nth: u64) -> usize {
        let (from, to) = self.way(conn, side);
        if len <= FRAME_BYTES || from == to {
            return len;
        }
        let chance = self.chance(self.conns[conn].stream ^ CUT_STREAM ^ side as u64, nth);
        if chance.is_multiple_of(CUT_ONE_IN) { 1 + ((chance >> 32) as usize) % (len - 1) } else { len }
    }

    fn send_segment(&mut self, conn: ConnId, side: Side, bytes: Vec<u8>, fin: bool) {
        let (route, chance) = self.next_packet(conn, side);
        let kind = match bytes.is_empty() {
            false => PacketKind::Data,
            true if fin => PacketKind::Fin,
            true => PacketKind::Probe,
        };
        let PacketFate { due, lost, .. } = self.send_packet(route, chance, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        // What comes out of order waits for what was sent before it.
        let due = due.max(pipe.last_due);
        pipe.last_due = due;
        pipe.flight_bytes += bytes.len();
        pipe.flight.push_back(Segment { due, len: bytes.len(), bytes, fin, lost, arrived: false, sent_again: false });
        let round = pipe.round;
        self.later(due, Action::Deliver(conn, side, round));
    }

    /// The window is still closed, for all that this side knows: it asks.
    pub(super) fn persist(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.persist = false;
        if !pipe.queued.is_empty() && pipe.flight.is_empty() && self.knows(conn, side) {
            self.conns[conn].pipes[side].probes += 1;
            self.send_segment(conn, side, vec![], false);
        }
    }

    /// Segments from this side arrive, in order, or are lost.
    pub(super) fn deliver(&mut self, conn: ConnId, side: Side, round: u32) {
        let peer = 1 - side;
        let pipe = &self.conns[conn].pipes[side];
        if pipe.round != round || pipe.flight.front().is_none_or(|first| first.due > self.now) {
            return;
        }
        if !self.reaches(conn, peer) {
            self.conns[conn].pipes[side].lose_due(self.now);
            return self.start_timer(conn, side);
        }
        if let Some(hole) = pipe.hole(self.now) {
            return self.miss(conn, side, hole);
        }
        if side == 0 {
            self.finish_handshake(conn);
        }
        let c = &self.conns[conn];
        let answered = matches!(c.handshake, Handshake::SynReceived | Handshake::Cookie(_));
        if side == 0 && answered && self.knows(conn, peer) {
            // The listener's queue is full.
            return self.lose(conn, side);
        }
        let unknown = side == 0 && c.handshake == Handshake::SynSent;
        // What it has had before, and whose acknowledgement was lost, is no news to a side that has closed.
        let news = c.pipes[side].flight.iter().any(|segment| !segment.fin && !segment.arrived);
        let unread = c.ends[peer].closed && news;
        if unknown || unread || !self.knows(conn, peer) {
            // The peer may have rebooted, or nobody will read: only a reset tells. If it is lost, the next try asks again.
            self.send_rst(conn, peer);
            return self.lose(conn, side);
        }
        let (from, to) = self.way(conn, side);
        let most = self.bytes_until_fault(from, to).unwrap_or(usize::MAX);
        let bytes = self.arrive(conn, side, most);
        self.bytes_arrive(from, to, bytes);
        if bytes == most {
            // What came with the last byte finds the world as the fault has left it.
            self.later(self.now, Action::Deliver(conn, side, round));
        }
        // Whatever comes says how far the other direction is, too.
        self.acknowledge(conn, peer);
        match self.acknowledgement_passes(conn, side) {
            true => self.acknowledge(conn, side),
            // It has arrived, and its sender does not know.
            false => self.start_timer(conn, side),
        }
        // What was lost behind it, the peer has asked for already.
        if let Some(hole) = self.conns[conn].pipes[side].hole(self.now) {
            self.miss(conn, side, hole);
        }
    }

    /// Whether the acknowledgement of what this side has sent comes back.
    fn acknowledgement_passes(&mut self, conn: ConnId, side: Side) -> bool {
        let (from, to) = self.way(conn, 1 - side);
        let c = &mut self.conns[conn];
        c.pipes[side].acknowledgements += 1;
        let (stream, nth) = (c.stream ^ ACKNOWLEDGEMENT_STREAM ^ side as u64, c.pipes[side].acknowledgements);
        let chance = self.chance(stream, nth);
        self.passes(from, to) && !self.loses((from, to), chance, &Packet { kind: PacketKind::Ack, bytes: &[] })
    }

    /// A segment does not arrive. What comes behind it, the peer acknowledges as if nothing had come: after the third such
    /// acknowledgement the segment is sent again at once (RFC 5681, 3.2), else when the timer is over.
    fn miss(&mut self, conn: ConnId, side: Side, hole: usize) {
        self.start_timer(conn, side);
        let pipe = &self.conns[conn].pipes[side];
        let duplicates =
            pipe.flight.iter().skip(hole).filter(|segment| !segment.lost && segment.due <= self.now).count();
        let again = duplicates >= DUPLICATES && !pipe.flight[hole].sent_again && pipe.tries == 0;
        let answers = self.conns[conn].handshake == Handshake::Established && self.knows(conn, 1 - side);
        if !again || !answers || !self.knows(conn, side) || !self.acknowledgement_passes(conn, side) {
            return;
        }
        let (route, chance) = self.next_packet(conn, side);
        let bytes = std::mem::take(&mut self.conns[conn].pipes[side].flight[hole].bytes);
        let kind = if bytes.is_empty() { PacketKind::Fin } else { PacketKind::Data };
        let PacketFate { due, lost, .. } = self.send_packet(route, chance, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        let (segment, round) = (&mut pipe.flight[hole], pipe.round);
        (segment.bytes, segment.due, segment.lost, segment.sent_again) = (bytes, due, lost, true);
        self.later(due, Action::Deliver(conn, side, round));
    }

    /// The way of this side's next packet, and its random number.
    fn next_packet(&mut self, conn: ConnId, side: Side) -> ((HostId, HostId), u64) {
        let route = self.way(conn, side);
        let c = &mut self.conns[conn];
        let (stream, nth) = (c.stream ^ side as u64, c.pipes[side].packets);
        c.pipes[side].packets += 1;
        (route, self.chance(stream, nth))
    }

    /// What is due is the reader's, up to `most` bytes.
    fn arrive(&mut self, conn: ConnId, side: Side, most: usize) -> usize {
        let (now, peer) = (self.now, 1 - side);
        let Conn { ends, pipes, .. } = &mut self.conns[conn];
        (ends[peer].heard, ends[peer].unanswered) = (now, 0);
        let open = pipes[side].fin < Fin::Arrived;
        let bytes = pipes[side].arrive(now, most);
        let ended = open && pipes[side].fin == Fin::Arrived && ends[peer].closed_first;
        let readers = pipes[side].readers.take();
        self.wake(readers);
        if ended {
            self.begin_time_wait(conn, peer);
        }
        bytes
    }

    /// This side learns what of its own has arrived.
    fn acknowledge(&mut self, conn: ConnId, side: Side) {
        let c = &mut self.conns[conn];
        let pipe = &mut c.pipes[side];
        if pipe.flight.front().is_none_or(|first| !first.arrived) {
            return;
        }
        while let Some(segment) = pipe.flight.pop_front_if(|first| first.arrived) {
            pipe.flight_bytes -= segment.len;
        }
        pipe.tries = 0;
        // A timer that runs is of what was acknowledged: what is still on its way has one of its own.
        let unacknowledged = std::mem::take(&mut pipe.timer) && !pipe.flight.is_empty();
        (c.ends[side].heard, c.ends[side].unanswered) = (self.now, 0);
        let writers = pipe.writers.take();
        let more = !pipe.queued.is_empty() || pipe.fin == Fin::Queued;
        self.wake(writers);
        if unacknowledged {
            self.start_timer(conn, side);
        }
        if more {
            self.send_queued(conn, side);
        }
    }

    /// Starts the timer of retransmission, if it does not run.
    fn start_timer(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        if std::mem::replace(&mut pipe.timer, true) {
            return;
        }
        pipe.timer_round += 1;
        let (due, round) = (self.now + backoff(pipe.tries), pipe.timer_round);
        pipe.timer_at = due;
        self.later(due, Action::Retransmit(conn, side, round));
    }

    /// The peer throws it away, and with it what was sent behind it.
    fn lose(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.lose_due(self.now);
        pipe.round += 1;
        self.start_timer(conn, side);
    }

    /// Sends everything that is not acknowledged once more, or gives up after the last wait.
    pub(super) fn retransmit(&mut self, conn: ConnId, side: Side, round: u32) {
        let pipe = &self.conns[conn].pipes[side];
        if !pipe.timer || pipe.timer_round != round || !self.knows(conn, side) {
            return;
        }
        let from = self.way(conn, side).0;
        let sysctl = &self.hosts[from].sysctl;
        let orphan = self.conns[conn].ends[side].closed;
        let tries_max = if orphan { sysctl.tcp_orphan_retries } else { sysctl.tcp_retries2 };
        if self.conns[conn].pipes[side].tries >= tries_max {
            return self.time_out(conn, side);
        }
        let (route, chance) = self.next_packet(conn, side);
        let flight = &self.conns[conn].pipes[side].flight;
        let bytes: Vec<u8> = flight.iter().flat_map(|segment| &segment.bytes).copied().collect();
        let kind = if bytes.is_empty() { PacketKind::Fin } else { PacketKind::Data };
        let PacketFate { due, lost, .. } = self.send_packet(route, chance, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.tries += 1;
        pipe.round += 1;
        pipe.timer = false;
        pipe.last_due = due;
        for segment in &mut pipe.flight {
            (segment.due, segment.lost) = (due, lost);
        }
        let round = pipe.round;
        self.later(due, Action::Deliver(conn, side, round));
    }

    /// The peer has not answered for too long.
    pub(super) fn time_out(&mut self, conn: ConnId, side: Side) {
        self.conns[conn].ends[side].error = Some(io::ErrorKind::TimedOut);
        self.end_is_gone(conn, side);
        let host = self.conns[conn].ends[side].host;
        self.event_on(Kind::Reset, host, conn, |k| What::Tcp { conn: k.connection(conn, side), what: Tcp::TimedOut });
        self.wake_side(conn, side);
    }
}
