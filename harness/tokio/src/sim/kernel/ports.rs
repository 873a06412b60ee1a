//! Which ports of a host are in use, and by what: Linux's rules for `bind` and for the port of a `connect`.

use super::{errno::os_error, family::overlap};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// Ephemeral ports, as IANA sets them aside (RFC 6335). Linux has 32768 to 60999.
const EPHEMERAL_MIN: u16 = 49152;
/// How long the port of a connection that this host closed first stays in use: Linux's `TCP_TIMEWAIT_LEN`, 60 s.
const TIME_WAIT_NS: u64 = 60_000_000_000;

/// A socket that has a port of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub socket: usize,
    pub addr: SocketAddr,
    /// `SO_REUSEADDR`: others may have the port too, unless they listen.
    pub reuse_addr: bool,
    /// `SO_REUSEPORT`: others that say so may have the port too, and listen.
    pub reuse_port: bool,
    pub listening: bool,
}

/// A connection that has a port, perhaps together with others.
#[derive(Debug, Clone, Copy)]
struct Flow {
    conn: usize,
    ip: IpAddr,
    reuse_addr: bool,
    /// Until when it is there; forever while it is connected.
    until: u64,
}

/// The ports of a host, of one protocol.
#[derive(Debug)]
pub(crate) struct Ports {
    bound: Vec<Bound>,
    /// By this end's port and the other's address.
    flows: BTreeMap<(u16, SocketAddr), Flow>,
    /// What is in `TIME_WAIT`, in the order in which that ends.
    waiting: VecDeque<(u64, (u16, SocketAddr))>,
    next: u16,
}

impl Default for Ports {
    fn default() -> Ports {
        Ports { bound: vec![], flows: BTreeMap::new(), waiting: VecDeque::new(), next: EPHEMERAL_MIN }
    }
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// Addresses of IPv6 come after those of IPv4.
const LAST: SocketAddr = SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::new(!0, !0, !0, !0, !0, !0, !0, !0)), !0);

impl Ports {
    /// Gives a socket its port; port 0 is any free one.
    pub fn bind(&mut self, mut asked: Bound, now: u64) -> io::Result<SocketAddr> {
        if asked.addr.port() == 0 {
            asked.addr.set_port(self.unused_port(now).ok_or_else(|| os_error(io::ErrorKind::AddrInUse))?);
        } else if self.conflicts(&asked, now) {
            return Err(os_error(io::ErrorKind::AddrInUse));
        }
        self.bound.push(asked);
        Ok(asked.addr)
    }

    /// A socket that has a port begins to listen: `bind` may have let others in that listen already.
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

    /// A socket is closed.
    pub fn release(&mut self, socket: usize) {
        self.bound.retain(|bound| bound.socket != socket);
    }

    fn conflicts(&self, asked: &Bound, now: u64) -> bool {
        let port = asked.addr.port();
        let flow_clashes = |flow: &Flow| overlap(flow.ip, asked.addr.ip()) && !(asked.reuse_addr && flow.reuse_addr);
        self.bound.iter().any(|other| clash(asked, other)) || self.flows_at(port, now).any(flow_clashes)
    }

    fn flows_at(&self, port: u16, now: u64) -> impl Iterator<Item = &Flow> {
        let flows = self.flows.range((port, NOWHERE)..=(port, LAST));
        flows.map(|(_, flow)| flow).filter(move |flow| flow.until > now)
    }

    /// A port for a connection to an address; one that another connection has only if there is no other left.
    pub fn for_connect(&mut self, remote: SocketAddr, now: u64) -> io::Result<u16> {
        let unused = self.unused_port(now);
        let port = unused.or_else(|| self.next_port(|ports, port| !ports.is_taken(port, remote, now)));
        port.ok_or_else(|| os_error(io::ErrorKind::AddrNotAvailable))
    }

    /// Whether there is a connection from a port to an address. One in `TIME_WAIT` gives way to a socket that was bound.
    pub fn is_connected(&self, port: u16, remote: SocketAddr) -> bool {
        self.flows.get(&(port, remote)).is_some_and(|flow| flow.until == u64::MAX)
    }

    /// Whether there is a connection, or was one a moment ago, from a port to an address.
    pub fn is_taken(&self, port: u16, remote: SocketAddr, now: u64) -> bool {
        self.flows.get(&(port, remote)).is_some_and(|flow| flow.until > now)
    }

    fn unused_port(&mut self, now: u64) -> Option<u16> {
        self.next_port(|ports, port| ports.flows_at(port, now).next().is_none())
    }

    fn next_port(&mut self, fits: impl Fn(&Ports, u16) -> bool) -> Option<u16> {
        for _ in 0..=u16::MAX - EPHEMERAL_MIN {
            let port = self.next;
            self.next = if port == u16::MAX { EPHEMERAL_MIN } else { port + 1 };
            if !self.bound.iter().any(|bound| bound.addr.port() == port) && fits(self, port) {
                return Some(port);
            }
        }
        None
    }

    /// A connection begins; one between the same addresses that was in `TIME_WAIT` is forgotten.
    pub fn connected(&mut self, conn: usize, local: SocketAddr, remote: SocketAddr, reuse_addr: bool) {
        self.flows.insert((local.port(), remote), Flow { conn, ip: local.ip(), reuse_addr, until: u64::MAX });
    }

    /// A connection is over and leaves nothing behind.
    pub fn disconnected(&mut self, conn: usize, local: SocketAddr, remote: SocketAddr) {
        let key = (local.port(), remote);
        if self.flows.get(&key).is_some_and(|flow| flow.conn == conn) {
            self.flows.remove(&key);
        }
    }

    /// A connection that this end closed first: late segments of it may still come.
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

/// Whether two sockets cannot have their ports at once, as Linux's `inet_csk_bind_conflict` has it.
fn clash(one: &Bound, other: &Bound) -> bool {
    let reuse = one.reuse_addr && other.reuse_addr && !other.listening || one.reuse_port && other.reuse_port;
    one.addr.port() == other.addr.port() && overlap(one.addr.ip(), other.addr.ip()) && !reuse
}
