//! Port allocation of a host: Linux's rules for `bind` and for the source port of `connect`.

use super::{errno::os_error, family::overlap};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// The start of the ephemeral range that IANA assigns (RFC 6335). Linux uses 32768 to 60999.
const EPHEMERAL_MIN: u16 = 49152;
/// How long the port of a connection that this host closed first stays in use: Linux's `TCP_TIMEWAIT_LEN`, 60 s.
const TIME_WAIT_NS: u64 = 60_000_000_000;

/// A bound socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub socket: usize,
    pub addr: SocketAddr,
    /// `SO_REUSEADDR`: the port may be shared, unless the other socket listens.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`: the port may be shared with sockets that set it too, even listening ones.
    pub reuse_port: bool,
    pub listening: bool,
}

/// A connection that uses a port, possibly shared with others.
#[derive(Debug, Clone, Copy)]
struct Flow {
    conn: usize,
    ip: IpAddr,
    reuse_addr: bool,
    /// When it expires; `u64::MAX` while it is connected.
    until: u64,
}

/// The ports of a host for one protocol.
#[derive(Debug)]
pub(crate) struct Ports {
    bound: Vec<Bound>,
    /// Keyed by local port and remote address.
    flows: BTreeMap<(u16, SocketAddr), Flow>,
    /// Connections in TIME_WAIT, in order of expiry.
    waiting: VecDeque<(u64, (u16, SocketAddr))>,
    next: u16,
}

impl Default for Ports {
    fn default() -> Ports {
        Ports { bound: vec![], flows: BTreeMap::new(), waiting: VecDeque::new(), next: EPHEMERAL_MIN }
    }
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// IPv6 addresses sort after IPv4 ones.
const LAST: SocketAddr = SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::new(!0, !0, !0, !0, !0, !0, !0, !0)), !0);

impl Ports {
    /// Returns the ports after a reboot: none is in use. Linux draws the first source port at each boot (RFC 6056), so that the next
    /// connection hardly ever has the addresses of one that the peer still holds. Neither has it here: the range goes on.
    pub fn after_reboot(&self) -> Ports {
        Ports { next: self.next, ..Ports::default() }
    }

    /// Binds a socket; port 0 selects a free ephemeral port.
    pub fn bind(&mut self, mut requested: Bound, now: u64) -> io::Result<SocketAddr> {
        if requested.addr.port() == 0 {
            requested.addr.set_port(self.unused_port(now).ok_or_else(|| os_error(io::ErrorKind::AddrInUse))?);
        } else if self.conflicts(&requested, now) {
            return Err(os_error(io::ErrorKind::AddrInUse));
        }
        self.bound.push(requested);
        Ok(requested.addr)
    }

    /// Marks a bound socket as listening. This may fail: `bind` can have admitted other sockets that listen by now.
    pub fn listen(&mut self, socket: usize) -> io::Result<()> {
        let at = self.bound.iter().position(|bound| bound.socket == socket).expect("only a bound socket listens");
        let mine = self.bound[at];
        let others = self.bound.iter().filter(|other| other.socket != socket && other.listening);
        if others.clone().any(|other| clash(&mine, other)) {
            return Err(os_error(io::ErrorKind::AddrInUse));
        }
        self.bound[at].listening = true;
        Ok(())
    }

    /// Releases a closed socket's port.
    pub fn release(&mut self, socket: usize) {
        self.bound.retain(|bound| bound.socket != socket);
    }

    fn conflicts(&self, requested: &Bound, now: u64) -> bool {
        let port = requested.addr.port();
        let flow_clashes =
            |flow: &Flow| overlap(flow.ip, requested.addr.ip()) && !(requested.reuse_addr && flow.reuse_addr);
        self.bound.iter().any(|other| clash(requested, other)) || self.flows_at(port, now).any(flow_clashes)
    }

    fn flows_at(&self, port: u16, now: u64) -> impl Iterator<Item = &Flow> {
        let flows = self.flows.range((port, NOWHERE)..=(port, LAST));
        flows.map(|(_, flow)| flow).filter(move |flow| flow.until > now)
    }

    /// Selects a source port for a connection to an address. Shares a port with another connection only if no unused
    /// one is left.
    pub fn for_connect(&mut self, remote: SocketAddr, now: u64) -> io::Result<u16> {
        let unused = self.unused_port(now);
        let port = unused.or_else(|| self.next_port(|ports, port| !ports.is_taken(port, remote, now)));
        port.ok_or_else(|| os_error(io::ErrorKind::AddrNotAvailable))
    }

    /// Returns whether a connection from a port to an address is live. One in TIME_WAIT does not prevent a bound socket
    /// from connecting.
    pub fn is_connected(&self, port: u16, remote: SocketAddr) -> bool {
        self.flows.get(&(port, remote)).is_some_and(|flow| flow.until == u64::MAX)
    }

    /// Returns the connection between two addresses that is live or in TIME_WAIT, and whether its socket is gone: then it is in
    /// TIME_WAIT, or waits for the peer's FIN.
    pub fn between(&self, local: SocketAddr, remote: SocketAddr, now: u64) -> Option<(usize, bool)> {
        let flow = self.flows.get(&(local.port(), remote))?;
        (flow.ip == local.ip() && flow.until > now).then_some((flow.conn, flow.until != u64::MAX))
    }

    /// Returns whether a connection from a port to an address is live or in TIME_WAIT.
    fn is_taken(&self, port: u16, remote: SocketAddr, now: u64) -> bool {
        self.flows.get(&(port, remote)).is_some_and(|flow| flow.until > now)
    }

    fn unused_port(&mut self, now: u64) -> Option<u16> {
        self.next_port(|ports, port| ports.flows_at(port, now).next().is_none())
    }

    fn next_port(&mut self, is_usable: impl Fn(&Ports, u16) -> bool) -> Option<u16> {
        for _ in 0..=u16::MAX - EPHEMERAL_MIN {
            let port = self.next;
            self.next = if port == u16::MAX { EPHEMERAL_MIN } else { port + 1 };
            if !self.bound.iter().any(|bound| bound.addr.port() == port) && is_usable(self, port) {
                return Some(port);
            }
        }
        None
    }

    /// Adds a connection; it replaces one in TIME_WAIT with the same addresses.
    pub fn connected(&mut self, conn: usize, local: SocketAddr, remote: SocketAddr, reuse_addr: bool) {
        self.flows.insert((local.port(), remote), Flow { conn, ip: local.ip(), reuse_addr, until: u64::MAX });
    }

    /// Removes a connection without TIME_WAIT.
    pub fn disconnected(&mut self, conn: usize, local: SocketAddr, remote: SocketAddr) {
        let key = (local.port(), remote);
        if self.flows.get(&key).is_some_and(|flow| flow.conn == conn) {
            self.flows.remove(&key);
        }
    }

    /// Moves a connection into TIME_WAIT: this end closed first, and late segments may still arrive.
    pub fn time_wait(&mut self, conn: usize, local: SocketAddr, remote: SocketAddr, now: u64) {
        while let Some(&(until, key)) = self.waiting.front().filter(|(until, _)| *until <= now) {
            self.waiting.pop_front();
            if self.flows.get(&key).is_some_and(|flow| flow.until <= until) {
                self.flows.remove(&key);
            }
        }
        let (until, key) = (now + TIME_WAIT_NS, (local.port(), remote));
        if let Some(flow) = self.flows.get_mut(&key).filter(|flow| flow.conn == conn) {
            flow.until = until;
            self.waiting.push_back((until, key));
        }
    }
}

/// Returns whether two sockets cannot share their port: Linux's `inet_csk_bind_conflict`.
fn clash(one: &Bound, other: &Bound) -> bool {
    let reuse = one.reuse_addr && other.reuse_addr && !other.listening || one.reuse_port && other.reuse_port;
    one.addr.port() == other.addr.port() && overlap(one.addr.ip(), other.addr.ip()) && !reuse
}
