//! One socket as a run left it: a line of a trace, a row as `ss` shows it.

use serde::{Deserialize, Serialize};

/// The states of a connection, as `ss` calls them, in the order of its life. `none`: there was no connection.
pub const STATES: [&str; 8] =
    ["none", "SYN-SENT", "SYN-RECV", "ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK"];

/// A socket at the time of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its host; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `LISTEN`, `TIME-WAIT`, `CLOSED`, `UNCONN` or one of [`STATES`].
    pub state: String,
    /// Bytes that wait to be read; of a listener, connections that wait to be accepted.
    pub receive_queue: u64,
    /// Bytes that are not acknowledged; of a listener, its backlog.
    pub send_queue: u64,
    /// Its own address: `notes:49152`.
    pub local: String,
    /// The address of the other end.
    pub peer: String,
    /// What it will do by itself, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub timer: Option<Timer>,
}

/// A timer of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// As `ss` calls it: `on` sends again what is not acknowledged.
    pub name: String,
    /// In how many nanoseconds.
    pub in_ns: u64,
    /// How often it came already, in a row.
    pub tries: u32,
}
