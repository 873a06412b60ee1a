//! The addresses of hosts in a capture. Events have names: what is not an address itself gets one of 10.0.0.0/8.

use crate::words;
use refrain_core::{
    escape::escaped,
    event::{Endpoint, Event, Kind, Udp},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

/// The addresses that a host may get.
const NETWORK: u32 = 10 << 24;
const HOSTS_MAX: u32 = 1 << 24;

/// The address of each host.
#[derive(Debug, Default)]
pub(super) struct Addresses(BTreeMap<String, IpAddr>);

impl Addresses {
    /// Gives an address to each host that sends or receives, in the order in which they appear.
    pub(super) fn of(events: &[Event]) -> Addresses {
        let mut addresses = Addresses::default();
        for event in events {
            match &event.kind {
                Kind::Tcp { conn, .. } => [&conn.local, &conn.peer].into_iter().for_each(|end| addresses.add(end)),
                Kind::Udp { local, what: Udp::Send { to: other, .. } | Udp::Receive { from: other, .. } } => {
                    [local, other].into_iter().for_each(|end| addresses.add(end));
                }
                _ => {}
            }
        }
        addresses
    }

    fn add(&mut self, end: &Endpoint) {
        // More hosts than addresses share them.
        let next = (self.0.len() as u32 + 1) % HOSTS_MAX;
        let own = || end.host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::from_bits(NETWORK | next)));
        if !self.0.contains_key(&end.host) {
            self.0.insert(end.host.clone(), own());
        }
    }

    /// Returns the address of a host.
    pub(super) fn get(&self, host: &str) -> IpAddr {
        self.0.get(host).copied().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Returns the addresses of hosts that have a name, and the name.
    pub(super) fn names(&self) -> impl Iterator<Item = (IpAddr, String)> {
        let named = self.0.iter().filter(|(host, _)| host.parse::<IpAddr>().is_err());
        named.map(|(host, address)| (*address, escaped(words::host(host))))
    }
}
