//! TCP sockets before they listen or connect, the options of all TCP sockets, and the limit on open sockets.

use super::{
    Bound, HostId, Kernel, SocketId, current_task,
    errno::{EMFILE, os_error},
    family::{canonical, check_family},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// The minimum buffer sizes on Linux, for payload: half of `SOCK_MIN_SNDBUF` and `SOCK_MIN_RCVBUF`.
const SEND_BUFFER_MIN: u32 = 2304;
const RECEIVE_BUFFER_MIN: u32 = 1152;
/// The maximum buffer size that a program may request: Linux's `wmem_max` and `rmem_max`.
const BUFFER_MAX: u32 = 212_992;
/// The default TTL. The simulated network does not count hops.
pub(super) const TTL: u32 = 64;

/// A socket that neither listens nor connects; it may be bound.
#[derive(Debug)]
pub(crate) struct Socket {
    pub host: HostId,
    pub options: Options,
    pub bound: Option<SocketAddr>,
}

/// Socket options, set by `setsockopt`. An accepted connection inherits those of its listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Whether it is an IPv6 socket, and thus dual-stack.
    pub v6: bool,
    pub keepalive: bool,
    /// `TCP_KEEPIDLE`, `TCP_KEEPINTVL` and `TCP_KEEPCNT`, where they are not those of the host.
    pub keepalive_time: Option<Duration>,
    pub keepalive_interval: Option<Duration>,
    pub keepalive_probes: Option<u32>,
    /// `TCP_USER_TIMEOUT`: how long the peer may leave data or probes without an answer.
    pub user_timeout: Option<Duration>,
    pub linger: Option<Duration>,
    pub reuse_addr: bool,
    pub reuse_port: bool,
    pub send_buffer: u32,
    pub receive_buffer: u32,
    /// Stored without effect: small writes are always sent at once.
    pub nodelay: bool,
    /// Stored without effect: acknowledgements take no time.
    pub quickack: bool,
    /// Stored without effect.
    pub ttl: u32,
    /// Stored without effect.
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
    /// Returns the default options of a new socket on a host.
    pub fn options(&self, host: HostId) -> Options {
        let sysctl = &self.hosts[host].sysctl;
        Options {
            v6: false,
            keepalive: false,
            keepalive_time: None,
            keepalive_interval: None,
            keepalive_probes: None,
            user_timeout: None,
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

    /// Opens a socket on the current task's host.
    pub fn new_socket(&mut self, host: HostId, v6: bool) -> io::Result<SocketId> {
        self.check_fd_limit(host)?;
        let options = Options { v6, ..self.options(host) };
        self.sockets.push(Socket { host, options, bound: None });
        let id = self.sockets.len() - 1;
        self.hosts[host].sockets.insert(id);
        Ok(id)
    }

    /// Binds a socket.
    pub fn bind(&mut self, id: SocketId, addr: SocketAddr) -> io::Result<()> {
        self.check_alive()?;
        let Socket { host, options, bound, .. } = self.sockets[id];
        if bound.is_some() {
            return Err(os_error(io::ErrorKind::InvalidInput));
        }
        check_family(options.v6, addr)?;
        let addr = canonical(addr);
        self.check_own_address(host, addr.ip())?;
        let Options { reuse_addr, reuse_port, .. } = options;
        let requested = Bound { socket: id, addr, reuse_addr, reuse_port, listening: false };
        let addr = self.hosts[host].tcp.bind(requested, self.now)?;
        self.sockets[id].bound = Some(addr);
        Ok(())
    }

    /// Closes a socket, or removes it because it became a listener or a connection.
    pub fn close_socket(&mut self, id: SocketId) {
        let host = &mut self.hosts[self.sockets[id].host];
        if host.sockets.remove(&id) {
            host.tcp.release(id);
        }
    }

    /// Fails if the process has reached its limit of open sockets.
    pub fn check_fd_limit(&self, host: HostId) -> io::Result<()> {
        self.check_alive()?;
        if self.has_fd_left(host) { Ok(()) } else { Err(io::Error::from_raw_os_error(EMFILE)) }
    }

    pub(super) fn has_fd_left(&self, host: HostId) -> bool {
        let host = &self.hosts[host];
        let open = host.sockets.len() + host.listeners.len() + host.conns.len() + host.udp_sockets.len();
        open + host.unix_sockets.len() < host.sysctl.nofile as usize
    }

    /// Fails if the current task's process is dead: its destructors can no longer use the network.
    pub fn check_alive(&self) -> io::Result<()> {
        if self.is_dead(current_task()) { Err(os_error(io::ErrorKind::NetworkDown)) } else { Ok(()) }
    }

    /// Fails if the host does not have the address.
    pub fn check_own_address(&self, host: HostId, ip: IpAddr) -> io::Result<()> {
        let own = ip.is_unspecified() || ip.is_loopback() || self.hosts[host].has(ip);
        if own { Ok(()) } else { Err(os_error(io::ErrorKind::AddrNotAvailable)) }
    }

    /// Returns the source address of traffic to another host: the host's own, or loopback within the host.
    pub fn source_ip(&self, host: HostId, target: Option<HostId>, remote: IpAddr) -> IpAddr {
        match () {
            () if target == Some(host) => remote,
            () if remote.is_loopback() && remote.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
            () => self.hosts[host].ip_like(remote),
        }
    }
}
