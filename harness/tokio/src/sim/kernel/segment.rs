//! How segments travel: windows, loss, acknowledgement, retransmission with back-off, probes of a closed window.
//!
//! An acknowledgement that passes takes no time. One that is lost is what an application can see: its peer has the
//! bytes, and yet the connection times out.

use super::{
    Action, Conn, ConnId, Kernel, Kind, Packet, PacketKind, Side,
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

/// What an Ethernet frame carries of a stream. A write that fits comes in one piece, unless a fault stretches it.
const FRAME_BYTES: usize = 1448;
/// One in so many longer pieces is cut.
const CUT_ONE_IN: u64 = 4;
/// The stream of chance for that.
const CUT_STREAM: u64 = 0x6375_7420;

/// How long the first wait lasts after so many in a row.
fn backoff(tries: u32) -> u64 {
    (RETRANSMIT_WAIT_NS << tries.min(32)).min(RETRANSMIT_WAIT_MAX_NS)
}

impl Pipe {
    /// Whether the peer has not acknowledged what was sent, for longer than usual.
    pub fn is_unacknowledged(&self) -> bool {
        self.lossy || self.tries > 0
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
            if pipe.is_unacknowledged() || !(fin || room > 0 && !pipe.queued.is_empty()) {
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
        let (from, to) = self.way(conn, side);
        let c = &self.conns[conn];
        let (stream, nth) = (c.stream ^ side as u64, c.pipes[side].packets);
        let kind = match bytes.is_empty() {
            false => PacketKind::Data,
            true if fin => PacketKind::Fin,
            true => PacketKind::Probe,
        };
        let chance = self.chance(stream, nth);
        let PacketFate { due, lost, .. } = self.send_packet((from, to), chance, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        // What comes out of order waits for what was sent before it.
        let due = due.max(pipe.last_due);
        pipe.packets += 1;
        pipe.last_due = due;
        pipe.flight_bytes += bytes.len();
        pipe.flight.push_back(Segment { due, len: bytes.len(), bytes, fin, lost, arrived: false });
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
        let new = pipe.flight.iter().find(|segment| !segment.arrived && segment.due <= self.now);
        if new.unwrap_or(&pipe.flight[0]).lost || !self.reaches(conn, peer) {
            return self.lose(conn, side);
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
        let unread = c.ends[peer].let_go && news;
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
        if self.passes(to, from) {
            self.acknowledge(conn, side);
        } else {
            self.await_acknowledgement(conn, side);
        }
    }

    /// What is due is the reader's, up to `most` bytes.
    fn arrive(&mut self, conn: ConnId, side: Side, most: usize) -> usize {
        let (now, peer) = (self.now, 1 - side);
        let Conn { ends, pipes, .. } = &mut self.conns[conn];
        (ends[peer].heard, ends[peer].unanswered) = (now, 0);
        let open = pipes[side].fin < Fin::Arrived;
        let bytes = pipes[side].arrive(now, most);
        let ended = open && pipes[side].fin == Fin::Arrived && ends[peer].let_go;
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
        if pipe.flight.is_empty() && std::mem::take(&mut pipe.timer) {
            // The timer that runs is of an earlier round now.
            pipe.round += 1;
            pipe.lossy = false;
        }
        (c.ends[side].heard, c.ends[side].unanswered) = (self.now, 0);
        let writers = pipe.writers.take();
        let more = !pipe.queued.is_empty() || pipe.fin == Fin::Queued;
        self.wake(writers);
        if more {
            self.send_queued(conn, side);
        }
    }

    /// It has arrived, and the acknowledgement is lost: once the timer is over it is sent again.
    fn await_acknowledgement(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        if !std::mem::replace(&mut pipe.timer, true) {
            let (due, round) = (self.now + backoff(pipe.tries), pipe.round);
            pipe.timer_at = due;
            self.later(due, Action::Retransmit(conn, side, round));
        }
    }

    /// It is lost, and with it what was sent behind it.
    fn lose(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.round += 1;
        (pipe.timer, pipe.lossy) = (true, true);
        let (due, round) = (self.now + backoff(pipe.tries), pipe.round);
        pipe.timer_at = due;
        self.later(due, Action::Retransmit(conn, side, round));
    }

    /// Sends everything that is not acknowledged once more, or gives up after the last wait.
    pub(super) fn retransmit(&mut self, conn: ConnId, side: Side, round: u32) {
        if self.conns[conn].pipes[side].round != round || !self.knows(conn, side) {
            return;
        }
        let (from, to) = self.way(conn, side);
        let sysctl = &self.hosts[from].sysctl;
        let orphan = self.conns[conn].ends[side].let_go;
        let tries_max = if orphan { sysctl.tcp_orphan_retries } else { sysctl.tcp_retries2 };
        if self.conns[conn].pipes[side].tries >= tries_max {
            return self.time_out(conn, side);
        }
        let c = &self.conns[conn];
        let (stream, nth) = (c.stream ^ side as u64, c.pipes[side].packets);
        let bytes: Vec<u8> = c.pipes[side].flight.iter().flat_map(|segment| &segment.bytes).copied().collect();
        let kind = if bytes.is_empty() { PacketKind::Fin } else { PacketKind::Data };
        let chance = self.chance(stream, nth);
        let PacketFate { due, lost, .. } = self.send_packet((from, to), chance, &Packet { kind, bytes: &bytes });
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.packets += 1;
        pipe.tries += 1;
        pipe.round += 1;
        (pipe.timer, pipe.lossy) = (false, false);
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
        self.event_on(Kind::Reset, host, conn, |k| format!("{} times out", k.describe(conn, side)));
        self.wake_side(conn, side);
    }
}
