//! Limits what clients occupy, of each address and in all: their number, and the long answers that are being written to them. A client
//! that does not read occupies its answer until its connection is given up.

use super::counts::Counts;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Maximum number of clients. Lower than that of connections, so that clients cannot lock out the add-in.
pub const CLIENTS_MAX: usize = 2048;
/// Maximum number of slots of the long answers that are being written. As slots and as text they take about 120 bytes each.
pub const WRITING_SLOTS_MAX: usize = 256 * 1024;
/// The same for the clients of one address.
pub const WRITING_SLOTS_PER_PEER_MAX: usize = 128 * 1024;
/// Answers of up to this many slots are short, and are not limited: all clients together can occupy little with them.
const SHORT_SLOTS: usize = 128;

/// The places of a daemon's clients, and the numbers of their queries.
#[derive(Debug)]
pub(crate) struct Places {
    counts: Counts,
    clients: Semaphore,
    writing: Arc<Semaphore>,
    by_address: Mutex<BTreeMap<IpAddr, Weak<Semaphore>>>,
}

/// The share of an address. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Share<'a> {
    places: &'a Places,
    writing: Arc<Semaphore>,
}

/// A long answer that is being written, until it is dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    _of_address: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Places {
    fn default() -> Self {
        let (clients, writing) = (Semaphore::new(CLIENTS_MAX), Semaphore::new(WRITING_SLOTS_MAX));
        Self { counts: Counts::default(), clients, writing: Arc::new(writing), by_address: Mutex::default() }
    }
}

impl Places {
    /// Returns the numbers of the clients' queries.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns the share of an address.
    pub(crate) fn of(&self, address: IpAddr) -> Share<'_> {
        // Nothing panics while it is locked.
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        // An address in the form of the other family is the same machine.
        let known = by_address.entry(address.to_canonical()).or_default();
        let writing = known.upgrade().unwrap_or_else(|| {
            let share = Arc::new(Semaphore::new(WRITING_SLOTS_PER_PEER_MAX));
            *known = Arc::downgrade(&share);
            share
        });
        // Those that have gone since; there are no more addresses than connections.
        by_address.retain(|_, share| share.strong_count() > 0);
        Share { places: self, writing }
    }
}

impl<'a> Share<'a> {
    /// Returns the numbers of the clients' queries.
    pub(crate) fn counts(&self) -> &'a Counts {
        &self.places.counts
    }

    /// Takes the place of a client, if there is one left.
    pub(crate) fn client(&self) -> Option<SemaphorePermit<'a>> {
        self.places.clients.try_acquire().ok()
    }

    /// Takes the place of an answer that is about to be written: none for a short one.
    ///
    /// # Errors
    /// If it has to wait for its place.
    pub(crate) fn try_write(&self, slots: usize) -> Result<Option<Writing>, MustWait> {
        if slots <= SHORT_SLOTS {
            return Ok(None);
        }
        let take = |from: &Arc<Semaphore>| Arc::clone(from).try_acquire_many_owned(weight(slots)).map_err(|_| MustWait);
        Ok(Some(Writing { _of_address: take(&self.writing)?, _of_all: take(&self.places.writing)? }))
    }

    /// Waits for the place of a long answer; `None` if there will be none.
    pub(crate) async fn write(&self, slots: usize) -> Option<Writing> {
        // First the share of the address, so that those of one that has used it up do not wait for what others need.
        let of_address = Arc::clone(&self.writing).acquire_many_owned(weight(slots)).await.ok()?;
        let of_all = Arc::clone(&self.places.writing).acquire_many_owned(weight(slots)).await.ok()?;
        Some(Writing { _of_address: of_address, _of_all: of_all })
    }
}

/// An answer has to wait for its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MustWait;

fn weight(slots: usize) -> u32 {
    slots.min(WRITING_SLOTS_PER_PEER_MAX) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_to_one_address_leave_room_for_others() {
        let places = Places::default();
        let [one, again, other]: [IpAddr; 3] =
            [[10, 0, 0, 1].into(), "::ffff:10.0.0.1".parse().expect("an address"), [10, 0, 0, 2].into()];
        let (one, again, other) = (places.of(one), places.of(again), places.of(other));
        let long = one.try_write(WRITING_SLOTS_PER_PEER_MAX).expect("there is room");
        assert!(long.is_some());
        assert_eq!(again.try_write(SHORT_SLOTS + 1).map(drop), Err(MustWait));
        assert!(again.try_write(SHORT_SLOTS).expect("it is short").is_none());
        assert!(other.try_write(WRITING_SLOTS_PER_PEER_MAX).expect("there is room").is_some());
        drop(long);
        assert!(again.try_write(SHORT_SLOTS + 1).expect("there is room").is_some());
        drop((one, again, other));
        places.of([10, 0, 0, 3].into());
        assert_eq!(places.by_address.lock().expect("locked").len(), 1, "those that are gone are forgotten");
    }
}
