//! The two families of addresses. A socket of IPv6 is of both, as Linux's are: an address of IPv4 it sees as one of IPv6.
//!
//! The network knows each address in one form, so that both kinds of sockets meet: a mapped one as that of IPv4.

use super::{Kernel, errno::AF_NOT_SUPPORTED, os_error};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The network in which every host has an address of IPv6: fd00::/64, and the host's address of IPv4 at its end.
const NETWORK: [u16; 6] = [0xfd00, 0, 0, 0, 0, 0];

/// The address of IPv6 of the host that has this one of IPv4.
pub(crate) fn v6_of(ip: Ipv4Addr) -> Ipv6Addr {
    let [.., high, low] = ip.to_ipv6_mapped().segments();
    let [a, b, c, d, e, f] = NETWORK;
    Ipv6Addr::new(a, b, c, d, e, f, high, low)
}

/// The address of IPv4 of the host that has this one; `None`: it is of another network.
pub(crate) fn v4_of(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(ip) => {
            let [network @ .., high, low] = ip.segments();
            (network == NETWORK).then(|| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
    }
}

/// An address as the network knows it.
pub(crate) fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// An address as a socket sees it, of IPv6 or of IPv4.
pub(crate) fn seen(addr: SocketAddr, v6: bool) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), addr.port()),
        _ => addr,
    }
}

/// The address of a socket that has none.
pub(crate) fn unbound(v6: bool) -> SocketAddr {
    if v6 { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() }
}

/// Whether a socket at an address, perhaps a wildcard, hears what goes to another.
pub(crate) fn hears(at: IpAddr, ip: IpAddr) -> bool {
    at == ip || at.is_unspecified() && (at.is_ipv6() || ip.is_ipv4())
}

/// Whether two sockets with these addresses cannot have one port.
pub(crate) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    hears(one, other) || hears(other, one)
}

/// What a socket of one family says of an address of the other: Linux reads an address of IPv4 as one of IPv6 cut short.
pub(crate) fn demand_family(v6: bool, addr: SocketAddr) -> io::Result<()> {
    match (v6, addr.is_ipv6()) {
        (true, false) => Err(os_error(io::ErrorKind::InvalidInput)),
        (false, true) => Err(io::Error::from_raw_os_error(AF_NOT_SUPPORTED)),
        _ => Ok(()),
    }
}

impl Kernel {
    /// Where a socket connects or sends to: a wildcard is the own host. There is no route to a network of IPv6 that is
    /// not this one.
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
