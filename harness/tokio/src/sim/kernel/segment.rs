//! Segment transmission: windows, loss, acknowledgement, retransmission with back-off, window probes.
//!
//! A delivered acknowledgement takes no time. A lost one is visible to the application: its peer has the data, yet the
//! connection times out. A lost segment is retransmitted when its timer expires, or earlier (fast retransmit) when
//! later segments show that it is missing.

use super::{
    Action, Conn, ConnId, HostId, Kernel, Kind, Packet, PacketKind, Side, Tcp, What,
    conn::{Fin, Handshake, Pipe, Segment},
    link::PacketFate,
    ns,
};
use std::io;

/// The initial retransmission timeout; it doubles each time. Linux's minimum, `TCP_RTO_MIN`.
const RETRANSMIT_WAIT_NS: u64 = 200_000_000;
/// The maximum retransmission timeout: Linux's `TCP_RTO_MAX`.
const RETRANSMIT_WAIT_MAX_NS: u64 = 120_000_000_000;
/// Maximum payload of one segment, as with segmentation offload.
const SEGMENT_BYTES_MAX: usize = 64 << 10;

/// Number of duplicate acknowledgements that trigger a fast retransmit (Linux: `tcp_reordering`).
const DUPLICATES: usize = 3;
/// The random stream of acknowledgements.
const ACKNOWLEDGEMENT_STREAM: u64 = 0x6163_6b20;

/// Payload of a full Ethernet frame. A write of at most this size is delivered in one piece, unless a fault limits
/// writes or reads.
const FRAME_BYTES: usize = 1448;
/// One in this many longer segments is split.
const CUT_ONE_IN: u64 = 4;
/// The random stream for splitting.
const CUT_STREAM: u64 = 0x6375_7420;

/// Returns the retransmission timeout after this many consecutive tries.
fn backoff(tries: u32) -> u64 {
    (RETRANSMIT_WAIT_NS << tries.min(32)).min(RETRANSMIT_WAIT_MAX_NS)
}

impl Pipe {
    /// Returns whether sent data is unacknowledged and its retransmission timer has started.
    pub fn is_unacknowledged(&self) -> bool {
        self.timer || self.tries > 0
    }

    /// Marks the segments that are due as lost.
    fn mark_due_lost(&mut self, now: u64) {
        let due = self.flight.iter_mut().filter(|segment| segment.due <= now && !segment.arrived);
        due.for_each(|segment| segment.lost = true);
    }

    /// Returns the index of the first segment that the peer is missing, if it is lost and was due.
    fn hole(&self, now: u64) -> Option<usize> {
        let first = self.flight.iter().position(|segment| !segment.arrived)?;
        (self.flight[first].lost && self.flight[first].due <= now).then_some(first)
    }
}

impl Kernel {
    /// Sends as much queued data as the peer's window allows.
    pub(super) fn send_queued(&mut self, conn: ConnId, side: Side) {
        if !self.is_known(conn, side) {
            return;
        }
        loop {
            let (from, to) = self.route(conn, side);
            let window = self.buffer(from, to, self.conns[conn].ends[1 - side].options.receive_buffer as usize);
            let pipe = &mut self.conns[conn].pipes[side];
            let fin = pipe.queued.is_empty() && pipe.fin == Fin::Queued;
            let room = window.saturating_sub(pipe.arrived.len() + pipe.flight_bytes);
            if pipe.tries > 0 || !(fin || room > 0 && !pipe.queued.is_empty()) {
                break;
            }
            let (first, nth) = (pipe.queued.first_len().min(room).min(SEGMENT_BYTES_MAX), pipe.packets);
            let max = self.cut_by_chance(conn, side, first, nth);
            let pipe = &mut self.conns[conn].pipes[side];
            let bytes = if fin { vec![] } else { pipe.queued.take(max) };
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

    /// Returns the payload size of the nth packet: segments longer than a frame are split at random, at any byte.
    fn cut_by_chance(&self, conn: ConnId, side: Side, len: usize, nth: u64) -> usize {
        let (from, to) = self.route(conn, side);
        if len <= FRAME_BYTES || from == to {
            return len;
        }
        let random = self.random(self.conns[conn].stream ^ CUT_STREAM ^ side as u64, nth);
        if random.is_multiple_of(CUT_ONE_IN) { 1 + ((random >> 32) as usize) % (len - 1) } else { len }
    }

    fn send_segment(&mut self, conn: ConnId, side: Side, bytes: Vec<u8>, fin: bool) {
        let (route, random) = self.next_packet(conn, side);
        let kind = match bytes.is_empty() {
            false => PacketKind::Data,
            true if fin => PacketKind::Fin,
            true => PacketKind::Probe,
        };
        let PacketFate { due, lost, .. } = self.send_packet(route, random, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        // Delivery is in order: a segment waits for those sent before it.
        let due = due.max(pipe.last_due);
        pipe.last_due = due;
        pipe.flight_bytes += bytes.len();
        pipe.flight.push_back(Segment { due, len: bytes.len(), bytes, fin, lost, arrived: false, sent_again: false });
        let round = pipe.round;
        self.later(due, Action::Deliver(conn, side, round));
    }

    /// Sends a window probe if the window is still closed.
    pub(super) fn persist(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.persist = false;
        if !pipe.queued.is_empty() && pipe.flight.is_empty() && self.is_known(conn, side) {
            self.conns[conn].pipes[side].probes += 1;
            self.send_segment(conn, side, vec![], false);
        }
    }

    /// Delivers this side's segments that are due, in order, or marks them as lost.
    pub(super) fn deliver(&mut self, conn: ConnId, side: Side, round: u32) {
        let peer = 1 - side;
        let pipe = &self.conns[conn].pipes[side];
        if pipe.round != round || pipe.flight.front().is_none_or(|first| first.due > self.now) {
            return;
        }
        if !self.reaches(conn, peer) {
            self.conns[conn].pipes[side].mark_due_lost(self.now);
            return self.start_timer(conn, side);
        }
        if let Some(hole) = pipe.hole(self.now) {
            return self.handle_hole(conn, side, hole);
        }
        if side == 0 {
            self.finish_handshake(conn);
        }
        let c = &self.conns[conn];
        let answered = matches!(c.handshake, Handshake::SynReceived | Handshake::Cookie(_));
        if side == 0 && answered && self.is_known(conn, peer) {
            // The accept queue is full, so the listener drops the segment.
            return self.lose(conn, side);
        }
        let unknown = side == 0 && c.handshake == Handshake::SynSent;
        // Data that the peer received before it closed, and whose acknowledgement was lost, does not count as new.
        let news = c.pipes[side].flight.iter().any(|segment| !segment.fin && !segment.arrived);
        let unread = c.ends[peer].closed && news;
        if unknown || unread || !self.is_known(conn, peer) {
            // The peer may have rebooted, or nobody will read the data: it answers with a reset. If that is lost, the
            // next retransmission triggers another.
            self.send_rst(conn, peer);
            return self.lose(conn, side);
        }
        let (from, to) = self.route(conn, side);
        let max = self.bytes_until_fault(from, to).unwrap_or(usize::MAX);
        let bytes = self.arrive(conn, side, max);
        self.bytes_arrive(from, to, bytes);
        if bytes == max {
            // The fault that the last byte triggered applies to the rest.
            self.later(self.now, Action::Deliver(conn, side, round));
        }
        // Every segment also acknowledges the other direction.
        self.acknowledge(conn, peer);
        match self.acknowledgement_passes(conn, side) {
            true => self.acknowledge(conn, side),
            // Delivered, but the sender does not learn of it.
            false => self.start_timer(conn, side),
        }
        // A hole behind the delivered data has already caused duplicate acknowledgements.
        if let Some(hole) = self.conns[conn].pipes[side].hole(self.now) {
            self.handle_hole(conn, side, hole);
        }
    }

    /// Returns whether the acknowledgement of this side's data is delivered.
    fn acknowledgement_passes(&mut self, conn: ConnId, side: Side) -> bool {
        let (from, to) = self.route(conn, 1 - side);
        let c = &mut self.conns[conn];
        c.pipes[side].acknowledgements += 1;
        let (stream, nth) = (c.stream ^ ACKNOWLEDGEMENT_STREAM ^ side as u64, c.pipes[side].acknowledgements);
        let random = self.random(stream, nth);
        self.passes(from, to) && !self.loses((from, to), random, &Packet { kind: PacketKind::Ack, bytes: &[] })
    }

    /// Handles a missing segment: later ones cause duplicate acknowledgements. After the third the segment is
    /// retransmitted at once (fast retransmit, RFC 5681, 3.2), otherwise when its timer expires.
    fn handle_hole(&mut self, conn: ConnId, side: Side, hole: usize) {
        self.start_timer(conn, side);
        let pipe = &self.conns[conn].pipes[side];
        let duplicates =
            pipe.flight.iter().skip(hole).filter(|segment| !segment.lost && segment.due <= self.now).count();
        let again = duplicates >= DUPLICATES && !pipe.flight[hole].sent_again && pipe.tries == 0;
        let answers = self.conns[conn].handshake == Handshake::Established && self.is_known(conn, 1 - side);
        if !again || !answers || !self.is_known(conn, side) || !self.acknowledgement_passes(conn, side) {
            return;
        }
        let (route, random) = self.next_packet(conn, side);
        let bytes = std::mem::take(&mut self.conns[conn].pipes[side].flight[hole].bytes);
        let kind = if bytes.is_empty() { PacketKind::Fin } else { PacketKind::Data };
        let PacketFate { due, lost, .. } = self.send_packet(route, random, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        let (segment, round) = (&mut pipe.flight[hole], pipe.round);
        (segment.bytes, segment.due, segment.lost, segment.sent_again) = (bytes, due, lost, true);
        self.later(due, Action::Deliver(conn, side, round));
    }

    /// Returns the route and the random number of this side's next packet.
    fn next_packet(&mut self, conn: ConnId, side: Side) -> ((HostId, HostId), u64) {
        let route = self.route(conn, side);
        let c = &mut self.conns[conn];
        let (stream, nth) = (c.stream ^ side as u64, c.pipes[side].packets);
        c.pipes[side].packets += 1;
        (route, self.random(stream, nth))
    }

    /// Makes up to `max` due bytes available to the reader, and returns how many.
    fn arrive(&mut self, conn: ConnId, side: Side, max: usize) -> usize {
        let (now, peer) = (self.now, 1 - side);
        let Conn { ends, pipes, .. } = &mut self.conns[conn];
        (ends[peer].last_received, ends[peer].unanswered) = (now, 0);
        let open = pipes[side].fin < Fin::Arrived;
        let bytes = pipes[side].arrive(now, max);
        let ended = open && pipes[side].fin == Fin::Arrived && ends[peer].closed_first;
        pipes[side].readers.wake(&mut self.wakes);
        if ended {
            self.begin_time_wait(conn, peer);
        }
        bytes
    }

    /// Removes acknowledged segments from this side's flight, and sends more.
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
        // The armed timer covered the acknowledged data; the remaining flight gets its own.
        let unacknowledged = std::mem::take(&mut pipe.timer) && !pipe.flight.is_empty();
        (c.ends[side].last_received, c.ends[side].unanswered) = (self.now, 0);
        pipe.writers.wake(&mut self.wakes);
        let more = !pipe.queued.is_empty() || pipe.fin == Fin::Queued;
        if unacknowledged {
            self.start_timer(conn, side);
        }
        if more {
            self.send_queued(conn, side);
        }
    }

    /// Arms the retransmission timer, unless it is armed.
    fn start_timer(&mut self, conn: ConnId, side: Side) {
        let limit = self.conns[conn].ends[side].options.user_timeout.map(ns);
        let pipe = &mut self.conns[conn].pipes[side];
        if std::mem::replace(&mut pipe.timer, true) {
            return;
        }
        pipe.timer_round += 1;
        if pipe.tries == 0 {
            pipe.unanswered_since = self.now;
        }
        let mut due = self.now + backoff(pipe.tries);
        if let Some(limit) = limit {
            due = due.min(pipe.unanswered_since.saturating_add(limit)).max(self.now);
        }
        let round = pipe.timer_round;
        pipe.timer_at = due;
        self.later(due, Action::Retransmit(conn, side, round));
    }

    /// Drops the segments that are due at the peer, and those behind them.
    fn lose(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.mark_due_lost(self.now);
        pipe.round += 1;
        self.start_timer(conn, side);
    }

    /// Retransmits all unacknowledged data, or times out after the last try.
    pub(super) fn retransmit(&mut self, conn: ConnId, side: Side, round: u32) {
        let pipe = &self.conns[conn].pipes[side];
        if !pipe.timer || pipe.timer_round != round || !self.is_known(conn, side) {
            return;
        }
        let from = self.route(conn, side).0;
        let sysctl = &self.hosts[from].sysctl;
        let orphan = self.conns[conn].ends[side].closed;
        let tries_max = if orphan { sysctl.tcp_orphan_retries } else { sysctl.tcp_retries2 };
        let is_over = match self.conns[conn].ends[side].options.user_timeout {
            Some(limit) => self.now.saturating_sub(self.conns[conn].pipes[side].unanswered_since) >= ns(limit),
            None => self.conns[conn].pipes[side].tries >= tries_max,
        };
        if is_over {
            return self.time_out(conn, side);
        }
        let (route, random) = self.next_packet(conn, side);
        let flight = &self.conns[conn].pipes[side].flight;
        let bytes: Vec<u8> = flight.iter().flat_map(|segment| &segment.bytes).copied().collect();
        let kind = if bytes.is_empty() { PacketKind::Fin } else { PacketKind::Data };
        let PacketFate { due, lost, .. } = self.send_packet(route, random, &Packet { kind, bytes: &bytes });
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

    /// Ends the connection with a timeout error: the peer has not answered for too long.
    pub(super) fn time_out(&mut self, conn: ConnId, side: Side) {
        self.conns[conn].ends[side].error = Some(io::ErrorKind::TimedOut);
        self.drop_end(conn, side);
        let host = self.conns[conn].ends[side].host;
        self.event_on(Kind::Reset, host, conn, |k| What::Tcp { conn: k.connection(conn, side), what: Tcp::TimedOut });
        self.wake_side(conn, side);
    }
}
