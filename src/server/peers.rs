//! Counts the connections of each address, so that one machine cannot take all of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The addresses that are connected. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers {
    counts: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// A connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    peers: Peers,
    address: IpAddr,
}

impl Peers {
    /// Adds a connection, unless the address has `most` of them.
    pub(super) fn admit(&self, address: IpAddr, most: usize) -> Option<Place> {
        // An address in the form of the other family is the same machine.
        let address = address.to_canonical();
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        (*count < most).then(|| {
            *count += 1;
            Place { peers: self.clone(), address }
        })
    }

    /// Returns the number of connections of all addresses.
    pub(super) fn count(&self) -> usize {
        self.counts().values().sum()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        // Nothing panics while it is locked.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.counts();
        let left = counts.get(&self.address).copied().unwrap_or_default().saturating_sub(1);
        match left {
            0 => drop(counts.remove(&self.address)),
            left => drop(counts.insert(self.address, left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_takes_no_more_than_its_share_and_gives_it_back() {
        let peers = Peers::default();
        let (one, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let mapped = "::ffff:10.0.0.1".parse().expect("an address");
        let places = [peers.admit(one, 2), peers.admit(mapped, 2)];
        assert!(places.iter().all(Option::is_some));
        assert!(peers.admit(one, 2).is_none());
        assert!(peers.admit(other, 2).is_some());
        drop(places);
        assert!(peers.counts().is_empty());
    }
}
