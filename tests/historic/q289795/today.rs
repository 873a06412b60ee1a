//! The same operations on a session of today's table.

use super::sync;
use table::{Handle, Table};

// One session needs less than a service.
#[allow(dead_code)]
#[path = "../../../src/session/table.rs"]
mod table;
#[allow(dead_code)]
#[path = "../../../src/session/waiting.rs"]
mod waiting;

/// A session in a table of its own.
#[derive(Debug)]
pub struct Session {
    table: Table,
    handle: Handle,
}

impl Session {
    /// A session that its opener holds.
    pub fn opened() -> Self {
        let table = Table::new(1);
        let handle = table.open().expect("a slot is free");
        Self { table, handle }
    }

    /// One more holds it.
    pub fn acquired(&self) {
        self.table.acquire(self.handle).expect("it is open");
    }

    /// One holds it no more; who is told to close it does.
    pub fn released(&self) {
        if let Some(closing) = self.table.release(self.handle).expect("it is held") {
            self.table.closed(closing);
        }
    }

    /// Everybody has let go.
    pub fn at_rest(&self) {
        assert_eq!(self.table.sessions().count(), 0, "the session is not closed");
    }
}
