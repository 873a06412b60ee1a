//! Reading from and writing to connected Unix streams.

use super::super::{Kernel, Kind, TriggerKind, Unix, UnixId, errno::os_error};
use super::{Piece, SocketKind, charge_of};
use real::io::{ReadBuf, Ready};
use refrain_core::verdict::UnixWait;
use std::{
    io,
    task::{Poll, Waker},
};

/// The largest linear part of a piece, and the largest paged one, in bytes (Linux 6.18 with pages of 4 KiB: `SKB_MAX_HEAD`
/// and `UNIX_SKB_FRAGS_SZ`).
const FIRST_BYTES_MAX: usize = 3776;
const PAGES_BYTES_MAX: usize = 32_768;
const PIECE_BYTES_MAX: usize = FIRST_BYTES_MAX + PAGES_BYTES_MAX;

impl Kernel {
    /// Writes as much as the buffer takes. Without a waiter, no task waits.
    pub fn unix_poll_write(&mut self, waiter: Option<&Waker>, id: UnixId, data: &[u8]) -> Poll<io::Result<usize>> {
        self.unix_demand(id)?;
        let Some(peer) = self.unix[id].peer else { return Poll::Ready(Err(os_error(io::ErrorKind::NotConnected))) };
        if self.unix[id].write_shut {
            return Poll::Ready(Err(self.unix_fails(id, os_error(io::ErrorKind::BrokenPipe))));
        }
        let host = self.unix[id].host;
        let buffer = self.hosts[host].sysctl.wmem_default as usize;
        let mut rest = if self.unix[id].is_full { &[] } else { data };
        // At least two pieces fit into the buffer.
        let most = (buffer / 2).saturating_sub(64).clamp(1, PIECE_BYTES_MAX);
        while !rest.is_empty() && self.unix[id].charged < buffer {
            let piece;
            (piece, rest) = rest.split_at(rest.len().min(most));
            let charge = charge(piece.len());
            self.unix[id].charged += charge;
            self.unix[peer].queue.push_back(Piece { bytes: piece.to_vec(), offset: 0, from: id, charge });
        }
        let n = match self.unix[id].is_full {
            true => 0,
            false => data.len() - rest.len(),
        };
        self.unix[id].is_full |= n < data.len();
        if n == 0 && !data.is_empty() {
            if let Some(waiter) = waiter {
                self.unix_wait(id, UnixWait::Write, waiter);
            }
            return Poll::Pending;
        }
        self.unix[peer].readers.wake(&mut self.wakes);
        self.unix_event(Kind::Write, id, n, Unix::Write(n as u64));
        self.occurs(TriggerKind::Writes, host, self.unix[peer].host);
        Poll::Ready(Ok(n))
    }

    /// Reads available data; zero bytes mean the end of the stream. Without a waiter, no task waits.
    pub fn unix_poll_read(
        &mut self,
        waiter: Option<&Waker>,
        id: UnixId,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.unix_demand(id)?;
        let socket = &mut self.unix[id];
        if !socket.queue.is_empty() {
            let (n, read) = take(socket, into);
            for (from, charge) in read {
                self.unix_refund(from, charge);
            }
            self.unix_event(Kind::Read, id, n, Unix::Read(n as u64));
            let (host, from) = self.unix_hosts(id);
            self.occurs(TriggerKind::Reads, from, host);
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = self.unix_take_error(id) {
            return Poll::Ready(Err(error));
        }
        if self.unix[id].read_shut {
            self.unix_event(Kind::Read, id, 0, Unix::ReadEnd);
            return Poll::Ready(Ok(()));
        }
        if let Some(waiter) = waiter {
            self.unix_wait(id, UnixWait::Read, waiter);
        }
        Poll::Pending
    }

    /// Shuts down the write direction.
    pub fn unix_shutdown(&mut self, id: UnixId) -> io::Result<()> {
        self.unix_demand(id)?;
        if !std::mem::replace(&mut self.unix[id].write_shut, true) {
            self.unix_event(Kind::Close, id, 7, Unix::Shutdown);
        }
        if let Some(peer) = self.unix[id].peer {
            self.unix[peer].read_shut = true;
            self.unix_wake(peer);
        }
        Ok(())
    }

    /// Returns the readiness of a socket, like `epoll`.
    pub fn unix_readiness(&self, id: UnixId) -> Ready {
        let socket = &self.unix[id];
        let error = socket.error.is_some();
        let states = [
            (Ready::READABLE, socket.read_shut || error || !socket.queue.is_empty()),
            (Ready::WRITABLE, socket.write_shut || !socket.is_full),
            (Ready::READ_CLOSED, socket.read_shut),
            (Ready::WRITE_CLOSED, error || socket.read_shut && socket.write_shut),
            (Ready::ERROR, error),
        ];
        states.iter().filter(|(_, is)| *is).fold(Ready::EMPTY, |ready, (state, _)| ready | *state)
    }

    /// Waits for one of the `wanted` states.
    pub fn unix_poll_ready(&mut self, waiter: &Waker, id: UnixId, wanted: Ready) -> Poll<Ready> {
        let ready = self.unix_readiness(id) & wanted;
        if !ready.is_empty() {
            return Poll::Ready(ready);
        }
        let (read, write) = match self.unix[id].kind {
            SocketKind::Stream => (UnixWait::Read, UnixWait::Write),
            SocketKind::Datagram => (UnixWait::Receive, UnixWait::Send),
        };
        if wanted.is_readable() {
            self.unix_wait(id, read, waiter);
        }
        if wanted.is_writable() {
            self.unix_wait(id, write, waiter);
        }
        Poll::Pending
    }
}

/// Reads from the queue, across pieces. Returns the number of bytes, and the memory to return to each sender.
fn take(socket: &mut super::Socket, into: &mut ReadBuf<'_>) -> (usize, Vec<(UnixId, usize)>) {
    let (mut total, mut read) = (0, vec![]);
    while let Some(piece) = socket.queue.front_mut() {
        let rest = &piece.bytes[piece.offset..];
        let n = rest.len().min(into.remaining());
        into.put_slice(&rest[..n]);
        (piece.offset, total) = (piece.offset + n, total + n);
        if piece.offset < piece.bytes.len() {
            break;
        }
        read.push((piece.from, piece.charge));
        socket.queue.pop_front();
    }
    (total, read)
}

/// Returns the memory of a piece.
fn charge(len: usize) -> usize {
    charge_of(len, FIRST_BYTES_MAX, PAGES_BYTES_MAX)
}
