//! Name resolution: every host resolves by its name, and a test may add names.

use super::{HostId, Kernel, Kind, What};
use refrain_core::plan::fault::HostEffect;
use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr},
};

/// Why a name did not resolve. The texts of the first two are those of std's errors.
#[derive(Debug)]
pub(crate) enum NotResolved {
    /// `EAI_AGAIN`: lookups fail on this host now.
    TryAgain,
    /// `EAI_NONAME`: the test has given the name no host.
    NoName,
    /// There is no host of this name: a mistake in the test or the service.
    NoHost { from: String, name: String, known: String },
}

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotResolved::TryAgain => {
                f.write_str("failed to lookup address information: Temporary failure in name resolution")
            }
            NotResolved::NoName => f.write_str("failed to lookup address information: Name or service not known"),
            NotResolved::NoHost { from, name, known } => {
                write!(f, "{from} cannot resolve {name:?}: the simulated hosts are {known}")
            }
        }
    }
}

impl Error for NotResolved {}

impl From<NotResolved> for io::Error {
    fn from(error: NotResolved) -> io::Error {
        io::Error::other(error)
    }
}

impl Kernel {
    /// Resolves `name` for the host `from` to at least one address.
    pub fn resolve(&mut self, from: HostId, name: &str) -> Result<Vec<IpAddr>, NotResolved> {
        if let Ok(ip) = name.parse() {
            return Ok(vec![ip]);
        }
        if name == "localhost" {
            return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        if self.is_affected(from, HostEffect::FailLookups) {
            return Err(self.not_resolved(from, name, NotResolved::TryAgain));
        }
        if let Some(hosts) = self.names.get(name) {
            let ips = hosts.iter().map(|&host| self.hosts[host].ip).collect::<Vec<_>>();
            return if ips.is_empty() { Err(self.not_resolved(from, name, NotResolved::NoName)) } else { Ok(ips) };
        }
        self.hosts_by_name.get(name).map(|&host| vec![self.hosts[host].ip]).ok_or_else(|| {
            let hosts = self.hosts[1..].iter().map(|host| host.name.as_str());
            let known = hosts.chain(self.names.keys().map(String::as_str)).collect::<Vec<_>>();
            NotResolved::NoHost { from: self.hosts[from].name.clone(), name: name.to_owned(), known: known.join(", ") }
        })
    }

    fn not_resolved(&mut self, from: HostId, name: &str, why: NotResolved) -> NotResolved {
        self.event(Kind::Connect, from, 2, |_| What::NotResolved { name: name.to_owned() });
        why
    }
}
