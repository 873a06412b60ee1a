//! Name resolution: every host resolves by its name, and a test may add names.

use super::{HostId, Kernel, Kind, What};
use refrain_core::plan::fault::HostEffect;
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

impl Kernel {
    /// Resolves `name` for the host `from` to at least one address.
    pub fn resolve(&mut self, from: HostId, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(ip) = name.parse() {
            return Ok(vec![ip]);
        }
        if name == "localhost" {
            return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        if self.is_affected(from, HostEffect::FailLookups) {
            // `EAI_AGAIN`.
            return self.cannot_resolve(from, name, "Temporary failure in name resolution");
        }
        if let Some(hosts) = self.names.get(name) {
            let ips = hosts.iter().map(|&host| self.hosts[host].ip).collect::<Vec<_>>();
            // `EAI_NONAME`.
            return if ips.is_empty() { self.cannot_resolve(from, name, "Name or service not known") } else { Ok(ips) };
        }
        self.hosts_by_name.get(name).map(|&host| vec![self.hosts[host].ip]).ok_or_else(|| {
            let hosts = self.hosts[1..].iter().map(|host| host.name.as_str());
            let known = hosts.chain(self.names.keys().map(String::as_str)).collect::<Vec<_>>();
            io::Error::other(format!(
                "{} cannot resolve {name:?}: the simulated hosts are {}",
                self.hosts[from].name,
                known.join(", ")
            ))
        })
    }

    fn cannot_resolve(&mut self, from: HostId, name: &str, why: &str) -> io::Result<Vec<IpAddr>> {
        self.event(Kind::Connect, from, 2, |_| What::NotResolved { name: name.to_owned() });
        // The same text as std's error.
        Err(io::Error::other(format!("failed to lookup address information: {why}")))
    }
}
