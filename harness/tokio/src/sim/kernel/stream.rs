//! How bytes travel: windows, segments, loss and retransmission, reading and writing.

use super::{
    Action, ConnId, Impairment, Kernel, Kind, Side, TriggerKind, Wait,
    conn::{Fin, Handshake, Segment},
    link::Passage,
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
        let (from, to) = self.way(conn, side);
        let buffer = self.buffer(from, to, self.settings.send_buffer);
        let most = if self.is_impaired(from, to, Impairment::StretchWrites) { 1 } else { data.len() };
        let pipe = &mut self.conns[conn].pipes[side];
        let space = buffer.saturating_sub(pipe.queued.len() + pipe.flight_bytes);
        let n = space.min(data.len()).min(most);
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
        let (from, to) = self.way(conn, 1 - side);
        if self.is_impaired(from, to, Impairment::StallReads) {
            return self.wait_to_read(waiter, conn, side);
        }
        let most = if self.is_impaired(from, to, Impairment::StretchReads) { 1 } else { usize::MAX };
        let pipe = &mut self.conns[conn].pipes[1 - side];
        if !pipe.arrived.is_empty() && peek {
            pipe.arrived.peek(into, most);
            return Poll::Ready(Ok(()));
        }
        if !pipe.arrived.is_empty() {
            let n = pipe.arrived.read(into, most);
            let blocked = !pipe.queued.is_empty();
            self.event(Kind::Read, conn, n, |k| format!("reads {n} bytes on {}", k.describe(conn, side)));
            if blocked {
                let due = self.send_control(conn, side).unwrap_or(self.now + PERSIST_NS);
                self.later(due, Action::Window(conn, 1 - side));
            }
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
        self.wait_to_read(waiter, conn, side)
    }

    fn wait_to_read(&mut self, waiter: Option<&Waker>, conn: ConnId, side: Side) -> Poll<io::Result<()>> {
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
        let window = self.buffer(from, to, self.settings.receive_buffer);
        let mut arrivals = vec![];
        let stream = self.conns[conn].stream ^ side as u64;
        loop {
            let pipe = &self.conns[conn].pipes[side];
            let fin = pipe.queued.is_empty() && pipe.fin == Fin::Queued;
            let room = window.saturating_sub(pipe.arrived.len() + pipe.flight_bytes);
            if !alive || pipe.waiting || !(fin || room > 0 && !pipe.queued.is_empty()) {
                break;
            }
            let pipe = &mut self.conns[conn].pipes[side];
            let bytes = if fin { vec![] } else { pipe.queued.take(room.min(SEGMENT_BYTES_MAX)) };
            let (nth, last_due) = (pipe.packets, pipe.last_due);
            let passage = self.send_packet(from, to, stream, nth, bytes.len());
            // What comes out of order waits for what was sent before it.
            let due = passage.due.max(last_due);
            let pipe = &mut self.conns[conn].pipes[side];
            pipe.packets += 1;
            pipe.last_due = due;
            pipe.flight_bytes += bytes.len();
            pipe.flight.push_back(Segment { due, bytes, lost: passage.lost });
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
        let (from, to) = self.way(conn, side);
        let mut until_fault = self.bytes_until_fault(from, to).unwrap_or(usize::MAX);
        let mut arrived = 0;
        let pipe = &mut self.conns[conn].pipes[side];
        while until_fault > 0 && pipe.flight.front().is_some_and(|first| first.due <= self.now && !first.lost) {
            let bytes = pipe.arrive(until_fault);
            until_fault -= bytes;
            arrived += bytes;
        }
        pipe.tries = 0;
        let wakers = [pipe.readers.take(), pipe.writers.take()];
        self.wake(wakers.into_iter().flatten());
        self.bytes_arrive(from, to, arrived);
        if until_fault == 0 {
            // What came with the last byte finds the world as the fault has left it.
            self.later(self.now, Action::Deliver(conn, side, round));
        }
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
        let c = &self.conns[conn];
        let (stream, nth, bytes) = (c.stream ^ side as u64, c.pipes[side].packets, c.pipes[side].flight_bytes);
        let Passage { due, lost, .. } = self.send_packet(from, to, stream, nth, bytes);
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
