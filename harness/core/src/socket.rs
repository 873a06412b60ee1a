//! A socket at the end of a run: a line of a trace, a row as `ss` shows it.

use serde::{Deserialize, Serialize};

/// The states of a connection, as `ss` names them, in the order of its lifetime. `none` means that there was no
/// connection.
pub const STATES: [&str; 8] =
    ["none", "SYN-SENT", "SYN-RECV", "ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK"];

/// A socket at the time of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its host; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// `tcp`, `udp` or, of a Unix socket, `u_str` or `u_dgr`.
    pub protocol: String,
    /// `LISTEN`, `TIME-WAIT`, `CLOSED`, `UNCONN` or one of [`STATES`].
    pub state: String,
    /// Bytes waiting to be read; for a listener, connections waiting to be accepted.
    pub receive_queue: u64,
    /// Unacknowledged bytes; for a listener, its backlog.
    pub send_queue: u64,
    /// The local address: `notes:49152`; for a Unix socket, its path and number.
    pub local: String,
    /// The peer's address.
    pub peer: String,
    /// Its pending timer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub timer: Option<Timer>,
}

/// A timer of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Its name in `ss`: `on` is the retransmission timer.
    pub name: String,
    /// When it expires, in nanoseconds from now.
    pub in_ns: u64,
    /// Number of consecutive expirations so far.
    pub tries: u32,
}
