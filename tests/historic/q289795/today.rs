//! The same operations on a session of the current table.

use super::sync;
use table::{Handle, Table};

// One session uses less than a service does.
#[allow(dead_code)]
#[path = "../../../src/session/table.rs"]
mod table;
#[allow(dead_code)]
#[path = "../../../src/session/waiting.rs"]
mod waiting;

/// A session in its own table.
#[derive(Debug)]
pub struct Session {
    table: Table,
    handle: Handle,
}

impl Session {
    /// Creates a session held by its opener.
    pub fn opened() -> Self {
        let table = Table::new(1);
        let handle = table.open().expect("a slot is free");
        Self { table, handle }
    }

    /// Adds a hold.
    pub fn acquired(&self) {
        self.table.acquire(self.handle).expect("it is open");
    }

    /// Removes a hold, and closes the session if this was the last one.
    pub fn released(&self) {
        if let Some(closing) = self.table.release(self.handle).expect("it is held") {
            self.table.closed(closing);
        }
    }

    /// Everybody has released it.
    pub fn at_rest(&self) {
        assert_eq!(self.table.sessions().count(), 0, "the session is not closed");
    }
}
