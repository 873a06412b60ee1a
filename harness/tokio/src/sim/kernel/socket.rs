//! A TCP socket before it listens or connects, the options of all of them, and how many a process may have.

use super::{
    Bound, HostId, Kernel, SocketId, current_task,
    errno::{EMFILE, os_error},
    family::{canonical, demand_family},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// The least buffers that Linux gives, for payload: half of `SOCK_MIN_SNDBUF` and `SOCK_MIN_RCVBUF`.
const SEND_BUFFER_MIN: u32 = 2304;
const RECEIVE_BUFFER_MIN: u32 = 1152;
/// The most that a program may ask for: Linux's `wmem_max` and `rmem_max`.
const BUFFER_MAX: u32 = 212_992;
/// As many hops as a packet may make, unless its socket says otherwise. Nothing here counts them.
pub(super) const TTL: u32 = 64;

/// A socket that neither listens nor connects; it may have a port.
#[derive(Debug)]
pub(crate) struct Socket {
    pub host: HostId,
    pub options: Options,
    pub bound: Option<SocketAddr>,
}

/// What `setsockopt` sets. A connection that is accepted has those of its listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Whether it is a socket of IPv6, and so of both families.
    pub v6: bool,
    pub keepalive: bool,
    pub linger: Option<Duration>,
    pub reuse_addr: bool,
    pub reuse_port: bool,
    pub send_buffer: u32,
    pub receive_buffer: u32,
    /// Noted only: small writes are always sent at once.
    pub nodelay: bool,
    /// Noted only: an acknowledgement takes no time.
    pub quickack: bool,
    /// Noted only.
    pub ttl: u32,
    /// Noted only.
    pub tos: u32,
}

impl Options {
    pub fn set_send_buffer(&mut self, bytes: u32) {
        self.send_buffer = bytes.clamp(SEND_BUFFER_MIN, BUFFER_MAX);
    }

    pub fn set_receive_buffer(&mut self, bytes: u32) {
        self.receive_buffer = bytes.clamp(RECEIVE_BUFFER_MIN, BUFFER_MAX);
    }
}

impl Kernel {
    /// The options of a new socket of a host.
    pub fn options(&self, host: HostId) -> Options {
        let sysctl = &self.hosts[host].sysctl;
        Options {
            v6: false,
            keepalive: false,
            linger: None,
            reuse_addr: false,
            reuse_port: false,
            send_buffer: sysctl.tcp_wmem,
            receive_buffer: sysctl.tcp_rmem,
            nodelay: false,
            quickack: true,
            ttl: TTL,
            tos: 0,
        }
    }

    /// A new socket of the current task's host.
    pub fn new_socket(&mut self, host: HostId, v6: bool) -> io::Result<SocketId> {
        self.demand_file(host)?;
        let options = Options { v6, ..self.options(host) };
        self.sockets.push(Socket { host, options, bound: None });
        let id = self.sockets.len() - 1;
        self.hosts[host].sockets.insert(id);
        Ok(id)
    }

    /// Gives a socket its address.
    pub fn bind(&mut self, id: SocketId, addr: SocketAddr) -> io::Result<()> {
        self.demand_life()?;
        let Socket { host, options, bound, .. } = self.sockets[id];
        if bound.is_some() {
            return Err(os_error(io::ErrorKind::InvalidInput));
        }
        demand_family(options.v6, addr)?;
        let addr = canonical(addr);
        self.demand_own(host, addr.ip())?;
        let Options { reuse_addr, reuse_port, .. } = options;
        let asked = Bound { socket: id, addr, reuse_addr, reuse_port, listening: false };
        let addr = self.hosts[host].tcp.bind(asked, self.now)?;
        self.sockets[id].bound = Some(addr);
        Ok(())
    }

    /// A socket is closed, or is now a listener's or a connection's: it is no longer one of these.
    pub fn close_socket(&mut self, id: SocketId) {
        let host = &mut self.hosts[self.sockets[id].host];
        if host.sockets.remove(&id) {
            host.tcp.release(id);
        }
    }

    /// Whether the process may open one more.
    pub fn demand_file(&self, host: HostId) -> io::Result<()> {
        self.demand_life()?;
        if self.has_file_left(host) { Ok(()) } else { Err(io::Error::from_raw_os_error(EMFILE)) }
    }

    pub(super) fn has_file_left(&self, host: HostId) -> bool {
        let host = &self.hosts[host];
        let open = host.sockets.len() + host.listeners.len() + host.conns.len() + host.udp_sockets.len();
        open < host.sysctl.nofile as usize
    }

    /// A destructor of a process that is gone reaches no network any more.
    pub fn demand_life(&self) -> io::Result<()> {
        if self.is_dead(current_task()) { Err(os_error(io::ErrorKind::NetworkDown)) } else { Ok(()) }
    }

    /// Whether a host may bind an address: one of its own.
    pub fn demand_own(&self, host: HostId, ip: IpAddr) -> io::Result<()> {
        let own = ip.is_unspecified() || ip.is_loopback() || self.hosts[host].has(ip);
        if own { Ok(()) } else { Err(os_error(io::ErrorKind::AddrNotAvailable)) }
    }

    /// The address from which a host speaks to another: its own, or a loopback one within itself.
    pub fn source_ip(&self, host: HostId, target: Option<HostId>, remote: IpAddr) -> IpAddr {
        match () {
            () if target == Some(host) => remote,
            () if remote.is_loopback() && remote.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
            () => self.hosts[host].ip_like(remote),
        }
    }
}
