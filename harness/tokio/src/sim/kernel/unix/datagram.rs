//! Unix datagram sockets. No datagram is lost: if the receiver's queue is full, the sender waits.

use super::super::{
    HostId, Kernel, Kind, TriggerKind, Unix, UnixId,
    errno::{MESSAGE_TOO_LONG, WRONG_TYPE, os_error},
};
use super::{Piece, Socket, SocketKind, charge_of};
use refrain_core::verdict::UnixWait;
use std::{
    io,
    net::Shutdown,
    os::unix::net::SocketAddr,
    task::{Poll, Waker},
};

/// The largest linear part of a datagram, and the largest paged one, in bytes (Linux 6.18: `SKB_MAX_ALLOC` and
/// `MAX_SKB_FRAGS`).
const FIRST_BYTES_MAX: usize = 16_064;
const PAGES_BYTES_MAX: usize = 17 * 4096;
/// How much larger than a datagram the buffer must be, in bytes.
const BUFFER_RESERVED: usize = 32;

impl Kernel {
    /// Opens a datagram socket, bound or unbound.
    pub fn unix_datagrams(&mut self, host: HostId, address: Option<&SocketAddr>) -> io::Result<UnixId> {
        let id = self.unix_new(host, SocketKind::Datagram)?;
        let bound = address.map_or(Ok(()), |address| self.unix_bind(id, address));
        bound.inspect_err(|_| self.unix_discard(id))?;
        self.unix_event(Kind::Listen, id, 1, Unix::Open);
        Ok(id)
    }

    /// Connects a socket: it sends to this address by default, and receives only from it.
    pub fn unix_datagram_connect(&mut self, id: UnixId, address: &SocketAddr) -> io::Result<()> {
        self.unix_demand(id)?;
        let peer = self.unix_receiver(id, address).map_err(|error| self.unix_refused(id, address, error))?;
        if let Some(before) = self.unix[id].peer.replace(peer).filter(|&before| before != peer) {
            self.unix_disconnected(id, before);
        }
        self.unix_event(Kind::Connect, id, peer, Unix::Connect);
        Ok(())
    }

    /// Returns the socket that receives datagrams to this address.
    fn unix_receiver(&self, id: UnixId, address: &SocketAddr) -> io::Result<UnixId> {
        let receiver = self.unix_find(self.unix[id].host, address)?;
        let socket = &self.unix[receiver];
        match socket.peer {
            _ if socket.closed => Err(os_error(io::ErrorKind::ConnectionRefused)),
            _ if socket.kind != SocketKind::Datagram => Err(io::Error::from_raw_os_error(WRONG_TYPE)),
            Some(peer) if peer != id => Err(os_error(io::ErrorKind::PermissionDenied)),
            _ => Ok(receiver),
        }
    }

    /// Drops unread datagrams after a socket has lost its peer or got another one.
    fn unix_disconnected(&mut self, id: UnixId, before: UnixId) {
        let lost = std::mem::take(&mut self.unix[id].queue);
        if lost.is_empty() {
            return;
        }
        for piece in lost {
            self.unix_refund(piece.from, piece.charge);
        }
        self.unix_wake_senders(id);
        if !self.unix[before].closed && self.unix[before].peer == Some(id) {
            self.unix[before].error = Some(io::ErrorKind::ConnectionReset);
            self.unix_wake(before);
        }
    }

    /// Sends a datagram, by default to the peer. Without a waiter, no task waits.
    pub fn unix_poll_send(
        &mut self,
        waiter: Option<&Waker>,
        id: UnixId,
        bytes: &[u8],
        to: Option<&SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        self.unix_demand(id)?;
        let sent = match self.unix[id].is_full {
            true => Ok(None),
            false => self.unix_send(id, bytes, to),
        };
        match sent {
            Ok(Some(n)) => Poll::Ready(Ok(n)),
            Ok(None) => {
                self.unix[id].is_full = true;
                if let Some(waiter) = waiter {
                    self.unix_wait(id, UnixWait::Send, waiter);
                }
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(self.unix_fails(id, error))),
        }
    }

    /// Returns `None` if there is no room.
    fn unix_send(&mut self, id: UnixId, bytes: &[u8], to: Option<&SocketAddr>) -> io::Result<Option<usize>> {
        let socket = &self.unix[id];
        let not_connected = || os_error(io::ErrorKind::NotConnected);
        let buffer = self.hosts[socket.host].sysctl.wmem_default as usize;
        if to.is_none() && socket.peer.is_none() {
            return Err(not_connected());
        }
        if bytes.len() > buffer.saturating_sub(BUFFER_RESERVED) {
            return Err(io::Error::from_raw_os_error(MESSAGE_TOO_LONG));
        }
        if socket.write_shut {
            return Err(os_error(io::ErrorKind::BrokenPipe));
        }
        if socket.charged >= buffer {
            return Ok(None);
        }
        let receiver = match to {
            Some(to) => self.unix_receiver(id, to)?,
            None => socket.peer.ok_or_else(not_connected)?,
        };
        if self.unix[receiver].closed {
            self.unix[id].peer = None;
            self.unix_disconnected(id, receiver);
            return Err(os_error(io::ErrorKind::ConnectionRefused));
        }
        if self.unix[receiver].read_shut {
            return Err(os_error(io::ErrorKind::BrokenPipe));
        }
        if receiver != id && self.unix_queue_is_full(id, receiver) {
            self.unix[id].full_receiver = Some(receiver);
            return Ok(None);
        }
        let charge = charge(bytes.len());
        self.unix[id].charged += charge;
        self.unix[receiver].queue.push_back(Piece { bytes: bytes.to_vec(), offset: 0, from: id, charge });
        let to = self.unix_socket(receiver);
        self.unix_event(Kind::Write, id, bytes.len(), Unix::Send { to, bytes: bytes.len() as u64 });
        self.unix[receiver].readers.wake(&mut self.wakes);
        // Any event of a socket makes epoll report all that it is ready for.
        self.unix_may_send_again(receiver);
        self.occurs(TriggerKind::Writes, self.unix[id].host, self.unix[receiver].host);
        Ok(Some(bytes.len()))
    }

    /// Returns whether the receiver's queue is full. It never is for its own peer (Linux: `unix_dgram_sendmsg`).
    fn unix_queue_is_full(&self, id: UnixId, receiver: UnixId) -> bool {
        let Socket { host, peer, queue, .. } = &self.unix[receiver];
        *peer != Some(id) && queue.len() > self.hosts[*host].sysctl.max_dgram_qlen as usize
    }

    /// Unblocks a sender if there is room again.
    fn unix_may_send_again(&mut self, id: UnixId) {
        let socket = &self.unix[id];
        let buffer = self.hosts[socket.host].sysctl.wmem_default as usize;
        let no_room = socket.full_receiver.is_some_and(|receiver| self.unix_queue_is_full(id, receiver));
        if socket.kind == SocketKind::Datagram && !no_room && socket.charged * 4 < buffer {
            (self.unix[id].is_full, self.unix[id].full_receiver) = (false, None);
            self.unix[id].writers.wake(&mut self.wakes);
        }
    }

    /// Unblocks the senders that wait for room in a queue. On Linux an unconnected sender gets no such event. tokio retries in a
    /// loop instead, because freeing the failed datagram makes the socket writable.
    pub(super) fn unix_wake_senders(&mut self, receiver: UnixId) {
        let machine = self.hosts[self.unix[receiver].host].machine;
        let hosts = self.on_machine_of(machine);
        let sockets = hosts.iter().flat_map(|&host| &self.hosts[host].unix_sockets);
        let at_receiver = |id: &UnixId| [self.unix[*id].peer, self.unix[*id].full_receiver].contains(&Some(receiver));
        for id in sockets.copied().filter(at_receiver).collect::<Vec<_>>() {
            self.unix_may_send_again(id);
        }
    }

    /// Receives a datagram; excess bytes are dropped. Without a waiter, no task waits.
    pub fn unix_poll_receive(
        &mut self,
        waiter: Option<&Waker>,
        id: UnixId,
        into: &mut [u8],
    ) -> Poll<io::Result<(usize, Option<SocketAddr>)>> {
        self.unix_demand(id)?;
        if let Some(error) = self.unix_take_error(id) {
            return Poll::Ready(Err(error));
        }
        let Some(piece) = self.unix[id].queue.pop_front() else {
            if let Some(waiter) = waiter {
                self.unix_wait(id, UnixWait::Receive, waiter);
            }
            return Poll::Pending;
        };
        let n = piece.bytes.len().min(into.len());
        into[..n].copy_from_slice(&piece.bytes[..n]);
        self.unix_refund(piece.from, piece.charge);
        self.unix_wake_senders(id);
        let from = self.unix_socket(piece.from);
        self.unix_event(Kind::Read, id, n, Unix::Receive { from, bytes: n as u64 });
        self.occurs(TriggerKind::Reads, self.unix[piece.from].host, self.unix[id].host);
        Poll::Ready(Ok((n, self.unix[piece.from].address.clone())))
    }

    /// Shuts a socket down. The peer gets an error when it sends.
    pub fn unix_datagram_shutdown(&mut self, id: UnixId, how: Shutdown) -> io::Result<()> {
        self.unix_demand(id)?;
        let socket = &mut self.unix[id];
        socket.read_shut |= how != Shutdown::Write;
        socket.write_shut |= how != Shutdown::Read;
        self.unix_event(Kind::Close, id, 8, Unix::Shutdown);
        self.unix_wake(id);
        Ok(())
    }
}

/// Returns the memory of a datagram.
fn charge(len: usize) -> usize {
    charge_of(len, FIRST_BYTES_MAX, PAGES_BYTES_MAX)
}
