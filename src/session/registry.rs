//! Bookkeeping of sessions for reports: who holds which session, since when, and how much it was used.

use super::table::Handle;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use tokio::time::Instant;

/// A session, as `calcon show users` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its handle, in hexadecimal digits.
    pub session: String,
    /// Its holder.
    pub holder: String,
    /// Whether it is being closed, so that no further query can use it.
    pub closing: bool,
    /// Number of queries that use it now.
    pub in_use: u32,
    /// Number of queries that have used it so far.
    pub uses: u64,
    /// How long ago it was opened, in whole seconds.
    pub open_secs: u64,
    /// The time since a query last started to use it, in whole seconds.
    pub idle_secs: u64,
}

/// Why a session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its holder's last connection ended.
    Left,
    /// It was unused for the idle time.
    Idle,
    /// An administrator dropped it.
    Dropped,
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Cause::Left => "its holder left",
            Cause::Idle => "idle",
            Cause::Dropped => "dropped by an administrator",
        })
    }
}

/// The data about a session from its opening until it is closed.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) holder: String,
    pub(super) opened: DateTime<Utc>,
    pub(super) since: Instant,
    pub(super) last_used: Instant,
    pub(super) uses: u64,
    /// The first cause, once there is one.
    pub(super) cause: Option<Cause>,
}

/// A holder with its connections, and the session that they share once one of them needed it.
#[derive(Debug)]
pub(super) struct Holder<H> {
    pub(super) seats: usize,
    pub(super) session: Option<H>,
}

/// Every holder with a seat, and every session that is not closed yet. `H` keeps a session open while it exists.
#[derive(Debug)]
pub(super) struct Registry<H> {
    pub(super) holders: BTreeMap<String, Holder<H>>,
    pub(super) records: BTreeMap<Handle, Record>,
    /// How many sessions were opened so far.
    pub(super) opened: u64,
}

impl<H> Registry<H> {
    pub(super) fn new() -> Self {
        Self { holders: BTreeMap::new(), records: BTreeMap::new(), opened: 0 }
    }

    /// Adds a connection of this holder.
    pub(super) fn sit(&mut self, holder: &str) {
        self.holders.entry(holder.to_owned()).or_insert(Holder { seats: 0, session: None }).seats += 1;
    }

    /// Removes a connection; if it was the last one, returns what kept the session open.
    pub(super) fn leave(&mut self, holder: &str) -> Option<H> {
        let seat = self.holders.get_mut(holder)?;
        seat.seats -= 1;
        if seat.seats > 0 {
            return None;
        }
        self.holders.remove(holder)?.session
    }

    /// Records a session that was just opened.
    pub(super) fn opened(&mut self, handle: Handle, holder: &str) {
        let (opened, now) = (Utc::now(), Instant::now());
        let record = Record { holder: holder.to_owned(), opened, since: now, last_used: now, uses: 0, cause: None };
        self.records.insert(handle, record);
        self.opened += 1;
    }

    /// Records a query that uses a session.
    pub(super) fn used(&mut self, handle: Handle) {
        if let Some(record) = self.records.get_mut(&handle) {
            record.uses += 1;
            record.last_used = Instant::now();
        }
    }

    /// Records why a session is closed; returns its holder.
    pub(super) fn caused(&mut self, handle: Handle, cause: Cause) -> Option<&str> {
        let record = self.records.get_mut(&handle)?;
        record.cause.get_or_insert(cause);
        Some(&record.holder)
    }
}
