//! UDP: datagrams, which may be delayed, duplicated, reordered or lost, and the sockets that queue them.

use super::{
    Action, Bound, Endpoint, HostId, Kernel, Kind, Packet, PacketKind, TriggerKind, Udp, UdpId, Wait, Waiters, What,
    endpoint,
    errno::{DESTINATION_REQUIRED, MESSAGE_TOO_LONG, os_error},
    family::{canonical, check_family, presented, receives},
    link::PacketFate,
    record,
};
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    task::{Poll, Waker},
};

/// Maximum payload over IPv4: 65,535 bytes minus the IP and UDP headers.
const DATAGRAM_BYTES_MAX: usize = 65_507;

/// A UDP socket.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    pub host: HostId,
    /// Whether it is an IPv6 socket, and thus dual-stack.
    pub v6: bool,
    pub addr: SocketAddr,
    /// The peer of a connected socket, which receives from no other address.
    pub peer: Option<SocketAddr>,
    pub ttl: u32,
    pub tos: u32,
    /// A pending error, reported to the application once.
    pub error: Option<io::ErrorKind>,
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    pub queued_bytes: usize,
    readers: Waiters,
    sent: u64,
    open: bool,
}

/// A datagram in flight.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    sender: UdpId,
    from: (HostId, SocketAddr),
    to: (HostId, SocketAddr),
    bytes: Vec<u8>,
}

impl Kernel {
    /// Opens and binds a socket.
    pub fn udp_bind(&mut self, host: HostId, addr: SocketAddr) -> io::Result<UdpId> {
        self.check_fd_limit(host)?;
        let (v6, addr) = (addr.is_ipv6(), canonical(addr));
        self.check_own_address(host, addr.ip())?;
        let id = self.udp.len();
        let requested = Bound { socket: id, addr, reuse_addr: false, reuse_port: false, listening: false };
        let addr = self.hosts[host].udp.bind(requested, self.now)?;
        self.udp.push(UdpSocket {
            host,
            v6,
            addr,
            peer: None,
            ttl: super::socket::TTL,
            tos: 0,
            error: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            readers: Waiters::default(),
            sent: 0,
            open: true,
        });
        self.hosts[host].udp_sockets.insert(id);
        self.event(Kind::Listen, id, addr.port() as usize, |k| What::Udp {
            local: k.udp_endpoint(id),
            what: Udp::Open,
        });
        Ok(id)
    }

    /// Closes a socket, because it was dropped or its process ended.
    pub fn udp_close(&mut self, id: UdpId) {
        let socket = &mut self.udp[id];
        if !std::mem::replace(&mut socket.open, false) {
            return;
        }
        socket.queue.clear();
        let host = socket.host;
        if self.hosts[host].udp_sockets.remove(&id) {
            self.hosts[host].udp.release(id);
            self.event(Kind::Close, id, 4, |k| What::Udp { local: k.udp_endpoint(id), what: Udp::Close });
        }
    }

    /// Connects a socket to one address, from which alone it then receives.
    pub fn udp_connect(&mut self, id: UdpId, peer: SocketAddr) -> io::Result<()> {
        self.check_alive()?;
        self.udp_check_family(id, peer)?;
        let peer = self.destination(peer)?;
        let host = self.udp[id].host;
        let source = self.source_ip(host, self.host_at(host, peer.ip()), peer.ip());
        let socket = &mut self.udp[id];
        socket.peer = Some(peer);
        if socket.addr.ip().is_unspecified() {
            socket.addr.set_ip(source);
        }
        Ok(())
    }

    /// Sends a datagram to `to`, or to the connected peer. It never blocks: the receiver drops what its buffer cannot
    /// hold.
    pub fn udp_send(&mut self, id: UdpId, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        self.check_alive()?;
        if let Some(error) = self.udp_take_error(id) {
            return Err(error);
        }
        let to = to.or(self.udp[id].peer).ok_or_else(|| io::Error::from_raw_os_error(DESTINATION_REQUIRED))?;
        self.udp_check_family(id, to)?;
        let to = self.destination(to)?;
        if bytes.len() > DATAGRAM_BYTES_MAX {
            return Err(io::Error::from_raw_os_error(MESSAGE_TOO_LONG));
        }
        let (host, local) = (self.udp[id].host, self.udp[id].addr);
        let target = self.host_at(host, to.ip());
        let source = if local.ip().is_unspecified() { self.source_ip(host, target, to.ip()) } else { local.ip() };
        let from = SocketAddr::new(source, local.port());
        let n = bytes.len();
        self.event(Kind::Write, id, n, |k| {
            let what = Udp::Send { to: endpoint(k, target, to), bytes: n as u64 };
            What::Udp { local: endpoint(k, Some(host), from), what }
        });
        let Some(target) = target else { return Ok(n) };
        let sent = &mut self.udp[id].sent;
        *sent += 1;
        let (nth, port) = (*sent, u64::from(from.port()));
        let stream =
            record::mix(record::mix(record::hash(&self.hosts[host].name), 0x0d9), port ^ (target as u64) << 16);
        let PacketFate { due, lost, copy_due, .. } = self.send_datagram((host, target), stream, nth, bytes);
        let datagram = Datagram { sender: id, from: (host, from), to: (target, to), bytes: bytes.to_vec() };
        if let Some(copy_due) = copy_due.filter(|_| !lost) {
            self.post(datagram.clone(), copy_due);
        }
        if !lost {
            self.post(datagram, due);
        }
        self.occurs(TriggerKind::Writes, host, target);
        Ok(n)
    }

    fn send_datagram(&mut self, route: (HostId, HostId), stream: u64, nth: u64, bytes: &[u8]) -> PacketFate {
        let random = self.random(stream, nth);
        self.send_packet(route, random, &Packet { kind: PacketKind::Datagram, bytes })
    }

    fn post(&mut self, datagram: Datagram, due: u64) {
        self.datagrams_sent += 1;
        let number = self.datagrams_sent;
        self.datagrams.insert(number, datagram);
        self.later(due, Action::Datagram(number));
    }

    /// Delivers a datagram; without a receiving socket, ICMP port unreachable is sent back.
    pub(super) fn datagram_arrives(&mut self, number: u64) {
        let Some(Datagram { sender, from: (from_host, from), to: (host, to), bytes }) = self.datagrams.remove(&number)
        else {
            return;
        };
        if !self.passes(from_host, host) || !self.hosts[host].up {
            return;
        }
        let is_receiver = |id: &&UdpId| {
            let UdpSocket { addr, peer, .. } = &self.udp[**id];
            let here = addr.port() == to.port() && receives(addr.ip(), to.ip());
            here && peer.is_none_or(|peer| peer == from)
        };
        let Some(&id) = self.hosts[host].udp_sockets.iter().find(is_receiver) else {
            return self.send_port_unreachable(sender, (host, to), from_host);
        };
        let room = self.hosts[host].sysctl.udp_rmem as usize;
        let socket = &mut self.udp[id];
        let takes = true_size(bytes.len());
        if socket.queued_bytes + takes <= room {
            socket.queued_bytes += takes;
            socket.queue.push_back((from, bytes));
            socket.readers.wake(&mut self.wakes);
        }
    }

    /// Sends ICMP port unreachable. Only a connected socket reports it.
    fn send_port_unreachable(&mut self, sender: UdpId, (host, at): (HostId, SocketAddr), to: HostId) {
        let sent = self.datagrams_sent;
        let random = self.random(record::mix(0x1c39, at.port().into()), sent);
        let packet = Packet { kind: PacketKind::PortUnreachable, bytes: &[] };
        let PacketFate { due, lost, .. } = self.send_packet((host, to), random, &packet);
        if !lost && self.udp[sender].peer == Some(at) {
            self.later(due, Action::PortUnreachable(sender));
        }
    }

    pub(super) fn port_unreachable_arrives(&mut self, id: UdpId) {
        let socket = &mut self.udp[id];
        if socket.open && self.hosts[socket.host].up {
            socket.error = Some(io::ErrorKind::ConnectionRefused);
            socket.readers.wake(&mut self.wakes);
        }
    }

    /// Takes the pending error.
    pub fn udp_take_error(&mut self, id: UdpId) -> Option<io::Error> {
        self.udp[id].error.take().map(os_error)
    }

    /// Receives or peeks at a datagram; what exceeds the buffer is discarded. Without a waiter, `Pending` registers no
    /// wakeup.
    pub fn udp_poll_receive(
        &mut self,
        waiter: Option<&Waker>,
        id: UdpId,
        into: &mut [u8],
        peek: bool,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        if let Some(error) = self.udp_take_error(id) {
            return Poll::Ready(Err(error));
        }
        let socket = &mut self.udp[id];
        let Some((from, bytes)) = socket.queue.front() else {
            if let Some(waiter) = waiter {
                self.udp_wait(id, waiter);
            }
            return Poll::Pending;
        };
        let (from, n, len) = (*from, bytes.len().min(into.len()), bytes.len());
        into[..n].copy_from_slice(&bytes[..n]);
        let shown = presented(from, socket.v6);
        if peek {
            return Poll::Ready(Ok((n, shown)));
        }
        socket.queue.pop_front();
        socket.queued_bytes -= true_size(len);
        let host = socket.host;
        let sender = self.host_at(host, from.ip());
        self.event(Kind::Read, id, n, |k| {
            let what = Udp::Receive { from: endpoint(k, sender, from), bytes: n as u64 };
            What::Udp { local: k.udp_endpoint(id), what }
        });
        self.occurs(TriggerKind::Reads, sender.unwrap_or(host), host);
        Poll::Ready(Ok((n, shown)))
    }

    /// Waits until a datagram or an error is pending.
    pub fn udp_poll_ready(&mut self, waiter: &Waker, id: UdpId) -> Poll<()> {
        if self.udp_is_readable(id) {
            return Poll::Ready(());
        }
        self.udp_wait(id, waiter);
        Poll::Pending
    }

    pub fn udp_is_readable(&self, id: UdpId) -> bool {
        !self.udp[id].queue.is_empty() || self.udp[id].error.is_some()
    }

    /// Fails if the address family does not match. An IPv6 socket accepts both families.
    fn udp_check_family(&self, id: UdpId, to: SocketAddr) -> io::Result<()> {
        if self.udp[id].v6 { Ok(()) } else { check_family(false, to) }
    }

    fn udp_wait(&mut self, id: UdpId, waiter: &Waker) {
        let surplus = self.udp[id].readers.add(waiter);
        self.wake(surplus);
        self.wait(Wait::Receive(id));
    }

    /// Returns the endpoint of a UDP socket.
    pub fn udp_endpoint(&self, id: UdpId) -> Endpoint {
        endpoint(self, Some(self.udp[id].host), self.udp[id].addr)
    }
}

/// Returns the receive buffer space that a datagram occupies: Linux's `sk_buff` and its data block (measured on Linux
/// 6.18: the default buffer holds 256 datagrams of up to 192 bytes, 92 of 1,000 bytes, 12 of 9,000).
fn true_size(len: usize) -> usize {
    256 + if len <= 192 { 576 } else { (len + 384).next_power_of_two() }
}
