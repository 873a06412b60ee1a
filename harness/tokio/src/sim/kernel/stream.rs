//! Stream operations: writing into the send buffer and reading from the receive buffer.

use super::{
    Action, Conn, ConnId, Kernel, Kind, Operation, PacketKind, Side, Tcp, TriggerKind, Wait,
    conn::{Fin, Pipe},
    errno::os_error,
};
use real::io::Ready;
use std::{
    io,
    task::{Poll, Waker},
};

impl Kernel {
    /// Writes as much as the send buffer takes. Without a waiter, `Pending` registers no wakeup.
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
        if pipe.fin != Fin::Open || !self.is_known(conn, side) {
            return Poll::Ready(Err(os_error(io::ErrorKind::BrokenPipe)));
        }
        let (from, to) = self.route(conn, side);
        let space = self.space(conn, side);
        let max = self.write_max(from, to);
        let pipe = &mut self.conns[conn].pipes[side];
        let n = space.min(data.len()).min(max);
        if n == 0 && !data.is_empty() {
            if let Some(waiter) = waiter {
                let surplus = pipe.writers.add(waiter);
                self.wake(surplus);
                self.wait(Wait::Write(conn, side));
            }
            return Poll::Pending;
        }
        self.allow((from, to), &Operation::Write(&data[..n]))?;
        self.conns[conn].pipes[side].queued.push(data[..n].to_vec());
        self.tcp_event(Kind::Write, (conn, side), n, Tcp::Write(n as u64));
        self.send_queued(conn, side);
        self.occurs(TriggerKind::Writes, from, to);
        Poll::Ready(Ok(n))
    }

    /// Reads delivered bytes, none at the end of the stream. Without a waiter, `Pending` registers no wakeup.
    pub fn poll_read(
        &mut self,
        waiter: Option<&Waker>,
        conn: ConnId,
        side: Side,
        into: &mut real::io::ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<()>> {
        self.uses(conn, side);
        let (from, to) = self.route(conn, 1 - side);
        let max = self.read_max(from, to);
        if max == 0 {
            return self.wait_to_read(waiter, conn, side);
        }
        let pipe = &mut self.conns[conn].pipes[1 - side];
        if !pipe.arrived.is_empty() && peek {
            pipe.arrived.peek(into, max);
            return Poll::Ready(Ok(()));
        }
        if !pipe.arrived.is_empty() {
            self.allow((from, to), &Operation::Read)?;
            let pipe = &mut self.conns[conn].pipes[1 - side];
            let n = pipe.arrived.read(into, max);
            let blocked = !pipe.queued.is_empty();
            self.tcp_event(Kind::Read, (conn, side), n, Tcp::Read(n as u64));
            // If this window update is lost, the writer's window probes discover the free space.
            if blocked && let Some(due) = self.send_control(conn, side, PacketKind::Ack) {
                self.later(due, Action::Window(conn, 1 - side));
            }
            self.occurs(TriggerKind::Reads, from, to);
            return Poll::Ready(Ok(()));
        }
        // As on Linux: once the end of the stream has been read, further reads return it again, whatever arrived later.
        let ended = pipe.fin == Fin::Arrived;
        if !ended && let Some(error) = self.take_error(conn, side) {
            return Poll::Ready(Err(error));
        }
        if ended || !self.is_known(conn, side) {
            self.tcp_event(Kind::Read, (conn, side), 0, Tcp::ReadEnd);
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

    /// Takes the pending error, as `SO_ERROR` does.
    pub fn take_error(&mut self, conn: ConnId, side: Side) -> Option<io::Error> {
        let kind = self.conns[conn].ends[side].error.take()?;
        let error = os_error(kind);
        let number = error.raw_os_error().unwrap_or_default();
        self.tcp_event(Kind::Reset, (conn, side), side, Tcp::Error(number));
        Some(error)
    }

    /// Returns how many bytes a write accepts now.
    fn space(&self, conn: ConnId, side: Side) -> usize {
        let (from, to) = self.route(conn, side);
        let Conn { ends, pipes, .. } = &self.conns[conn];
        let buffer = self.buffer(from, to, ends[side].options.send_buffer as usize);
        buffer.saturating_sub(pipes[side].queued.len() + pipes[side].flight_bytes)
    }

    /// Returns the socket's readiness, as `epoll` reports it.
    pub fn readiness(&self, conn: ConnId, side: Side) -> Ready {
        let Conn { ends, pipes, .. } = &self.conns[conn];
        let gone = !self.is_known(conn, side);
        let (read_closed, error) = (gone || pipes[1 - side].fin == Fin::Arrived, ends[side].error.is_some());
        let (from, to) = self.route(conn, 1 - side);
        let stalled = self.read_max(from, to) == 0;
        let write_closed = gone || read_closed && pipes[side].fin > Fin::Open;
        let states = [
            (Ready::READABLE, !stalled && (read_closed || error || !pipes[1 - side].arrived.is_empty())),
            (Ready::WRITABLE, gone || error || self.space(conn, side) > 0 || pipes[side].fin > Fin::Open),
            (Ready::READ_CLOSED, !stalled && read_closed),
            (Ready::WRITE_CLOSED, write_closed),
            (Ready::ERROR, error),
        ];
        states.iter().filter(|(_, is)| *is).fold(Ready::EMPTY, |ready, (state, _)| ready | *state)
    }

    /// Waits until the socket is ready for any of `wanted`.
    pub fn poll_ready(&mut self, waiter: &Waker, conn: ConnId, side: Side, wanted: Ready) -> Poll<Ready> {
        self.uses(conn, side);
        let ready = self.readiness(conn, side) & wanted;
        if !ready.is_empty() {
            return Poll::Ready(ready);
        }
        if wanted.is_readable() {
            let surplus = self.conns[conn].pipes[1 - side].readers.add(waiter);
            self.wake(surplus);
            self.wait(Wait::Read(conn, side));
        }
        if wanted.is_writable() {
            let surplus = self.conns[conn].pipes[side].writers.add(waiter);
            self.wake(surplus);
            self.wait(Wait::Write(conn, side));
        }
        Poll::Pending
    }

    /// Returns whether both directions have ended, for whatever reason: operations then fail with `ENOTCONN`, as on
    /// Linux.
    pub fn is_over(&self, conn: ConnId, side: Side) -> bool {
        let Conn { pipes, .. } = &self.conns[conn];
        let acknowledged = |pipe: &Pipe| pipe.fin == Fin::Arrived && pipe.flight.is_empty();
        !self.is_known(conn, side) || acknowledged(&pipes[side]) && pipes[1 - side].fin == Fin::Arrived
    }
}
