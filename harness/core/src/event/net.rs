//! Network events.

use serde::{Deserialize, Serialize};

/// A socket address; in files `["notes",49152]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "(String, u16)", from = "(String, u16)")]
pub struct Endpoint {
    /// The host's name; empty for the test itself; the IP address if it belongs to no host.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The two ends of a TCP connection; in files `[["notes",49152],["exchange",5010]]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "(Endpoint, Endpoint)", from = "(Endpoint, Endpoint)")]
pub struct Connection {
    /// The end at which something happens.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
}

/// An event of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Tcp {
    /// The application starts a connect.
    Connect,
    /// The application starts a connect to an address of no host.
    ConnectNowhere,
    /// The application's connect succeeds.
    Connected,
    /// The application accepts it.
    Accept,
    /// The application writes this many bytes.
    Write(u64),
    /// The application reads this many bytes.
    Read(u64),
    /// The application reads the end of the stream.
    ReadEnd,
    /// The application shuts down its write half.
    Shutdown,
    /// The application closes it.
    Close,
    /// The application gets an error, with its errno on Linux.
    Error(i32),
    /// The peer refuses it.
    Refused,
    /// It is reset.
    Reset,
    /// The connection timed out.
    TimedOut,
}

/// An event of a UDP socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Udp {
    /// The application opens it.
    Open,
    /// The application closes it.
    Close,
    /// The application sends a datagram.
    Send {
        /// The destination.
        to: Endpoint,
        /// Number of bytes.
        bytes: u64,
    },
    /// The application receives a datagram.
    Receive {
        /// The sender.
        from: Endpoint,
        /// Number of bytes.
        bytes: u64,
    },
}

/// A Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnixSocket {
    /// The name of the socket or of its peer: a path, or `@` and an abstract name. Empty if neither has a name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its number in the run, from 1.
    pub number: u64,
    /// The number of its peer.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub peer: Option<u64>,
}

/// An event of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unix {
    /// The application listens.
    Listen,
    /// The application opens a datagram socket.
    Open,
    /// The application creates it as one of a pair.
    Pair,
    /// The application connects.
    Connect,
    /// The application accepts it.
    Accept,
    /// The application writes this many bytes.
    Write(u64),
    /// The application reads this many bytes.
    Read(u64),
    /// The application reads the end of the stream.
    ReadEnd,
    /// The application shuts down its writing side.
    Shutdown,
    /// The application closes it.
    Close,
    /// The application gets an error, by its number on Linux.
    Error(i32),
    /// The application sends a datagram.
    Send {
        /// To which socket.
        to: UnixSocket,
        /// How many bytes.
        bytes: u64,
    },
    /// The application receives a datagram.
    Receive {
        /// From which socket.
        from: UnixSocket,
        /// How many bytes.
        bytes: u64,
    },
    /// The application removes its path.
    Remove,
}

impl From<(String, u16)> for Endpoint {
    fn from((host, port): (String, u16)) -> Endpoint {
        Endpoint { host, port }
    }
}

impl From<Endpoint> for (String, u16) {
    fn from(endpoint: Endpoint) -> (String, u16) {
        (endpoint.host, endpoint.port)
    }
}

impl From<(Endpoint, Endpoint)> for Connection {
    fn from((local, peer): (Endpoint, Endpoint)) -> Connection {
        Connection { local, peer }
    }
}

impl From<Connection> for (Endpoint, Endpoint) {
    fn from(connection: Connection) -> (Endpoint, Endpoint) {
        (connection.local, connection.peer)
    }
}
