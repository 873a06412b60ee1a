//! IPv4 and IPv6 addresses. An IPv6 socket is dual-stack, as on Linux: it sees IPv4 addresses as IPv4-mapped ones.
//!
//! The network stores addresses in canonical form, with IPv4-mapped addresses as IPv4, so that both families
//! interoperate.

use super::{Kernel, errno::AF_NOT_SUPPORTED, os_error};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The IPv6 network of all hosts: fd00::/64, with the host's IPv4 address in the low bits.
const NETWORK: [u16; 6] = [0xfd00, 0, 0, 0, 0, 0];

/// Returns the IPv6 address of the host with this IPv4 address.
pub(crate) fn v6_of(ip: Ipv4Addr) -> Ipv6Addr {
    let [.., high, low] = ip.to_ipv6_mapped().segments();
    let [a, b, c, d, e, f] = NETWORK;
    Ipv6Addr::new(a, b, c, d, e, f, high, low)
}

/// Returns the IPv4 address of the host with this address, or `None` if the address is outside the simulated network.
pub(crate) fn v4_of(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(ip) => {
            let [network @ .., high, low] = ip.segments();
            (network == NETWORK).then(|| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
    }
}

/// Returns the canonical form of an address.
pub(crate) fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// Returns an address in the form that an IPv6 (`v6`) or IPv4 socket reports.
pub(crate) fn presented(addr: SocketAddr, v6: bool) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), addr.port()),
        _ => addr,
    }
}

/// Returns the address of an unbound socket.
pub(crate) fn unbound(v6: bool) -> SocketAddr {
    if v6 { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() }
}

/// Returns whether a socket bound to `at`, which may be a wildcard, receives packets sent to `ip`.
pub(crate) fn receives(at: IpAddr, ip: IpAddr) -> bool {
    at == ip || at.is_unspecified() && (at.is_ipv6() || ip.is_ipv4())
}

/// Returns whether sockets with these addresses conflict when they use the same port.
pub(crate) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    receives(one, other) || receives(other, one)
}

/// Fails if a socket of one family is given an address of the other, with the error that Linux returns.
pub(crate) fn check_family(v6: bool, addr: SocketAddr) -> io::Result<()> {
    match (v6, addr.is_ipv6()) {
        (true, false) => Err(os_error(io::ErrorKind::InvalidInput)),
        (false, true) => Err(io::Error::from_raw_os_error(AF_NOT_SUPPORTED)),
        _ => Ok(()),
    }
}

impl Kernel {
    /// Returns the address that a connect or send goes to: a wildcard means the local host. IPv6 networks other than
    /// the simulated one are unreachable.
    pub(super) fn destination(&self, mut addr: SocketAddr) -> io::Result<SocketAddr> {
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() });
        }
        let addr = canonical(addr);
        match addr.ip().is_loopback() || v4_of(addr.ip()).is_some() {
            true => Ok(addr),
            false => Err(os_error(io::ErrorKind::NetworkUnreachable)),
        }
    }
}
