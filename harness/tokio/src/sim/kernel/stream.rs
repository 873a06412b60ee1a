//! How bytes travel: windows, segments, loss and retransmission, reading and writing.

use super::{
    Action, ConnId, Kernel, Kind, Side, TriggerKind, Wait,
    conn::{Fin, Handshake, Segment},
};
use std::{
    io,
    task::{Poll, Waker},
};

/// The first wait before a segment is sent again; doubled each time. Linux's smallest, 200 ms.
const RETRANSMIT_WAIT_NS: u64 = 200_000_000;
/// The longest such wait: Linux's `TCP_RTO_MAX`, 120 s.
const RETRANSMIT_WAIT_MAX_NS: u64 = 120_000_000_000;
/// How often a segment is sent again before the connection times out: `tcp_retries2`, about 924 s in all.
const RETRANSMIT_TRIES_MAX: u32 = 15;
/// When a writer asks again about a closed window whose opening was lost.
const PERSIST_NS: u64 = 5_000_000_000;
/// The most bytes that one segment carries, as with segmentation offload.
const SEGMENT_BYTES_MAX: usize = 64 << 10;

impl Kernel {
    /// Writes as much as the socket's buffer takes. Without a waiter nobody waits.
    pub fn poll_write(
        &mut self,
        waiter: Option<&Waker>,
        conn: ConnId,
        side: Side,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.uses(conn, side);
        if let Some(error) = self.take_error(conn, side) {
            return Poll::Ready(Err(error));
        }
        let pipe = &self.conns[conn].pipes[side];
        if pipe.fin != Fin::Open || !self.knows(conn, side) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let pipe = &mut self.conns[conn].pipes[side];
        let space = self.settings.send_buffer.saturating_sub(pipe.queued.len() + pipe.flight_bytes);
        let n = space.min(data.len());
        if n == 0 && !data.is_empty() {
            if let Some(waiter) = waiter {
                let surplus = pipe.writers.add(waiter);
                self.wake(surplus);
                self.wait(Wait::Write(conn, side));
            }
            return Poll::Pending;
        }
        pipe.queued.push(data[..n].to_vec());
        self.event(Kind::Write, conn, n, |k| format!("writes {n} bytes on {}", k.describe(conn, side)));
        self.send_queued(conn, side);
        let (from, to) = self.way(conn, side);
        self.occurs(TriggerKind::Writes, from, to);
        Poll::Ready(Ok(n))
    }

    /// Reads what has arrived; nothing at the end of the stream. Without a waiter nobody waits.
    pub fn poll_read(
        &mut self,
        waiter: Option<&Waker>,
        conn: ConnId,
        side: Side,
        into: &mut real::io::ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<()>> {
        self.uses(conn, side);
        let pipe = &mut self.conns[conn].pipes[1 - side];
        if !pipe.arrived.is_empty() && peek {
            pipe.arrived.peek(into);
            return Poll::Ready(Ok(()));
        }
        if !pipe.arrived.is_empty() {
            let n = pipe.arrived.read(into);
            let blocked = !pipe.queued.is_empty();
            self.event(Kind::Read, conn, n, |k| format!("reads {n} bytes on {}", k.describe(conn, side)));
            if blocked {
                let due = self.send_control(conn, side).unwrap_or(self.now + PERSIST_NS);
                self.later(due, Action::Window(conn, 1 - side));
            }
            let (from, to) = self.way(conn, 1 - side);
            self.occurs(TriggerKind::Reads, from, to);
            return Poll::Ready(Ok(()));
        }
        // Linux: whoever has seen the end of the stream reads it again, whatever came after it.
        let ended = pipe.fin == Fin::Arrived;
        if !ended && let Some(error) = self.take_error(conn, side) {
            return Poll::Ready(Err(error));
        }
        if ended || !self.knows(conn, side) {
            self.event(Kind::Read, conn, 0, |k| format!("reads the end of {}", k.describe(conn, side)));
            return Poll::Ready(Ok(()));
        }
        if let Some(waiter) = waiter {
            let surplus = self.conns[conn].pipes[1 - side].readers.add(waiter);
            self.wake(surplus);
            self.wait(Wait::Read(conn, side));
        }
        Poll::Pending
    }

    /// The socket's error, once; as `SO_ERROR`.
    pub fn take_error(&mut self, conn: ConnId, side: Side) -> Option<io::Error> {
        let kind = self.conns[conn].ends[side].error.take()?;
        self.event(Kind::Reset, conn, side, |k| format!("sees {kind} on {}", k.describe(conn, side)));
        Some(kind.into())
    }

    /// Sends what the peer's window admits.
    pub(super) fn send_queued(&mut self, conn: ConnId, side: Side) {
        let (from, to) = self.way(conn, side);
        let alive = self.knows(conn, side);
        let window = self.settings.receive_buffer;
        let mut arrivals = vec![];
        let stream = self.conns[conn].stream ^ side as u64;
        loop {
            let pipe = &self.conns[conn].pipes[side];
            let fin = pipe.queued.is_empty() && pipe.fin == Fin::Queued;
            let room = window.saturating_sub(pipe.arrived.len() + pipe.flight_bytes);
            if !alive || pipe.waiting || !(fin || room > 0 && !pipe.queued.is_empty()) {
                break;
            }
            let due = (self.now + self.latency(from, to, stream, pipe.packets)).max(pipe.last_due);
            let lost = !self.passes(from, to);
            let pipe = &mut self.conns[conn].pipes[side];
            let bytes = if fin { vec![] } else { pipe.queued.take(room.min(SEGMENT_BYTES_MAX)) };
            pipe.packets += 1;
            pipe.last_due = due;
            pipe.flight_bytes += bytes.len();
            pipe.flight.push_back(Segment { due, bytes, lost });
            if fin {
                pipe.fin = Fin::Sent;
            }
            arrivals.push((due, pipe.round));
        }
        for (due, round) in arrivals {
            self.later(due, Action::Deliver(conn, side, round));
        }
    }

    /// Segments from this side arrive, in order, or are lost.
    pub(super) fn deliver(&mut self, conn: ConnId, side: Side, round: u32) {
        let peer = 1 - side;
        let pipe = &self.conns[conn].pipes[side];
        if pipe.round != round || pipe.flight.front().is_none_or(|first| first.due > self.now) {
            return;
        }
        if pipe.flight[0].lost || !self.reaches(conn, peer) {
            return self.wait_to_retransmit(conn, side);
        }
        if side == 0 {
            self.finish_handshake(conn);
        }
        let end = &self.conns[conn].ends[peer];
        let fin_only = self.conns[conn].pipes[side].flight.iter().all(|s| s.bytes.is_empty());
        let unknown = side == 0 && self.conns[conn].handshake != Handshake::Established;
        if unknown || !self.knows(conn, peer) || (end.let_go && !fin_only) {
            // The peer may have rebooted, or nobody will read: only a reset tells. If it is lost, the next try asks again.
            self.send_rst(conn, peer);
            return self.wait_to_retransmit(conn, side);
        }
        let pipe = &mut self.conns[conn].pipes[side];
        while pipe.flight.front().is_some_and(|first| first.due <= self.now && !first.lost) {
            let segment = pipe.flight.pop_front().expect("a first segment was seen");
            pipe.flight_bytes -= segment.bytes.len();
            if segment.bytes.is_empty() {
                pipe.fin = Fin::Arrived;
            }
            pipe.arrived.push(segment.bytes);
        }
        pipe.tries = 0;
        let wakers = [pipe.readers.take(), pipe.writers.take()];
        self.wake(wakers.into_iter().flatten());
    }

    fn wait_to_retransmit(&mut self, conn: ConnId, side: Side) {
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.round += 1;
        pipe.tries += 1;
        pipe.waiting = true;
        let wait = (RETRANSMIT_WAIT_NS << (pipe.tries - 1)).min(RETRANSMIT_WAIT_MAX_NS);
        let round = pipe.round;
        self.later(self.now + wait, Action::Retransmit(conn, side, round));
    }

    /// Sends everything that has not arrived once more, or gives up after the last wait.
    pub(super) fn retransmit(&mut self, conn: ConnId, side: Side, round: u32) {
        if self.conns[conn].pipes[side].round != round || !self.knows(conn, side) {
            return;
        }
        if self.conns[conn].pipes[side].tries > RETRANSMIT_TRIES_MAX {
            return self.time_out(conn, side);
        }
        let (from, to) = self.way(conn, side);
        let lost = !self.passes(from, to);
        let c = &self.conns[conn];
        let due = self.now + self.latency(from, to, c.stream ^ side as u64, c.pipes[side].packets);
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.packets += 1;
        pipe.waiting = false;
        pipe.last_due = due;
        for segment in &mut pipe.flight {
            (segment.due, segment.lost) = (due, lost);
        }
        self.later(due, Action::Deliver(conn, side, round));
        self.send_queued(conn, side);
    }
    fn time_out(&mut self, conn: ConnId, side: Side) {
        let end = &mut self.conns[conn].ends[side];
        end.error = Some(io::ErrorKind::TimedOut);
        end.gone = true;
        let host = end.host;
        self.event_on(Kind::Reset, host, conn, |k| format!("{} times out", k.describe(conn, side)));
        self.wake_side(conn, side);
    }
}
