//! Names to addresses: every host is known to every other by its name.

use super::{FaultKind, HostId, Kernel, Kind};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

impl Kernel {
    /// The address of a host by its name, as `from` resolves it.
    pub fn resolve(&mut self, from: HostId, name: &str) -> io::Result<IpAddr> {
        if let Ok(ip) = name.parse() {
            return Ok(ip);
        }
        if name == "localhost" {
            return Ok(Ipv4Addr::LOCALHOST.into());
        }
        if self.suffers(FaultKind::FailLookups(from)) {
            self.event(Kind::Connect, from, 2, |_| format!("cannot look up {name}"));
            // As tokio tells `EAI_AGAIN`.
            let why = "failed to lookup address information: Temporary failure in name resolution";
            return Err(io::Error::other(why));
        }
        let found = self.hosts.iter().find(|host| host.name == name && !host.name.is_empty());
        found.map(|host| host.ip).ok_or_else(|| {
            let known = self.hosts.iter().map(|h| h.name.as_str()).filter(|n| !n.is_empty()).collect::<Vec<_>>();
            io::Error::other(format!(
                "{} cannot resolve {name:?}: the simulated hosts are {}",
                self.hosts[from].name,
                known.join(", ")
            ))
        })
    }
}
