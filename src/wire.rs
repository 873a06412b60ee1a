//! Encodes and decodes frames, without I/O. A frame is a length (u32, big-endian) and that many bytes of JSON.

use crate::answer::{Answer, Query, Refusal};
use crate::console::{Command, Report};
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// The version of this protocol. Both ends must use the same one.
///
/// 1: HELLO, QUERY, ANSWER, ERROR, PING, PONG.
/// 2: also COMMAND and REPORT.
/// 3: also the state `out_of_office`.
/// 4: HELLO has the token of a client, and when an add-in started; ERROR may reply to HELLO.
/// 5: also the state `working_elsewhere`.
pub const VERSION: u32 = 5;
/// Maximum length of a frame's body, in bytes. A longer one closes the connection before it is read.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// The same for what a client sends: HELLO, queries and commands are short. Limits what half a frame can occupy, because
/// any number of clients may send one.
pub const REQUEST_BYTES_MAX: usize = 8 << 10;
const LENGTH_BYTES: usize = 4;
/// The first byte of a record of TLS, of the kinds that begin a connection. As a length, both are far over any limit.
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;
/// The second byte.
const TLS_MAJOR: u8 = 3;

/// The role of an end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends queries, and receives none.
    Client,
    /// The add-in task of the Notes side, which dials the Exchange side. Both ends of its connection ask.
    AddIn,
    /// The Exchange side.
    Exchange,
    /// The Notes side.
    Notes,
    /// The console of either.
    Console,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The first message of each end.
    Hello {
        /// The sender's [`VERSION`].
        version: u32,
        /// The sender's role.
        role: Role,
        /// The sender's number for this link; a reply must carry it. Clients, which have no link, send 0, and so does an add-in
        /// that only asks whether it would be let in.
        epoch: u64,
        /// When the sender started, in microseconds since 1970: an add-in that started later, and a later epoch of the same
        /// one, takes the place of an earlier one. Others send none.
        #[serde(default, skip_serializing_if = "is_zero")]
        boot: u64,
        /// The token of a client that has no certificate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Secret>,
    },
    /// A query; the reply carries the same `id` and `epoch`.
    Query {
        /// The sender's number for this query.
        id: u64,
        /// The sender's epoch.
        epoch: u64,
        /// How long the sender waits, in milliseconds from when it sent this: clocks are not synchronized.
        deadline_ms: u64,
        /// The query.
        query: Query,
    },
    /// The reply to a query.
    Answer {
        /// The query's number.
        id: u64,
        /// The epoch of the query.
        epoch: u64,
        /// The answer.
        answer: Answer,
    },
    /// The reply to a query that cannot be answered, or to a command that cannot be executed. In place of HELLO it says why
    /// the peer is not let in.
    Error {
        /// The query's number; 0 in place of HELLO.
        id: u64,
        /// The epoch of the query.
        epoch: u64,
        /// The reason.
        refusal: Refusal,
    },
    /// A command of an operator.
    Command {
        /// The sender's number for the command.
        id: u64,
        /// The command.
        command: Command,
    },
    /// The reply to a command.
    Report {
        /// The command's number.
        id: u64,
        /// The result.
        report: Report,
    },
    /// A keep-alive request.
    Ping {
        /// Returned in the PONG.
        nonce: u64,
    },
    /// The reply to a PING.
    Pong {
        /// From the PING.
        nonce: u64,
    },
}

impl Message {
    /// Returns the first message of an end that has no link.
    pub fn hello(role: Role) -> Self {
        Message::Hello { version: VERSION, role, epoch: 0, boot: 0, token: None }
    }

    /// The name of the message, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Message::Hello { .. } => "HELLO",
            Message::Query { .. } => "QUERY",
            Message::Answer { .. } => "ANSWER",
            Message::Error { .. } => "ERROR",
            Message::Command { .. } => "COMMAND",
            Message::Report { .. } => "REPORT",
            Message::Ping { .. } => "PING",
            Message::Pong { .. } => "PONG",
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why bytes are not a message. Each of these ends the connection, because the next frame boundary is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A frame exceeds the maximum length.
    #[error("frame of {bytes} bytes is over the limit of {bytes_max}: ask for a shorter window")]
    Oversized {
        /// Length of its body.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The body is not a message.
    #[error("frame of {bytes} bytes is no message: {why}")]
    Garbage {
        /// Length of its body.
        bytes: usize,
        /// Where it is wrong, without what is there.
        why: String,
    },
    /// The other end begins with a record of TLS.
    #[error("the peer speaks TLS: ask it with `--ca FILE`, or set `ca`, `certificate` and `key` of this side")]
    Tls,
    /// The other end uses another version.
    #[error("the peer speaks protocol version {theirs}, this build speaks {VERSION}: update the older one")]
    WrongVersion {
        /// The version in its HELLO.
        theirs: u32,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame, after {bytes} bytes of it")]
    Truncated {
        /// Number of bytes of the frame that did arrive, including its length.
        bytes: usize,
    },
}

/// Encodes a message as a frame.
///
/// # Errors
/// [`WireError::Oversized`] if the message does not fit into a frame.
pub fn encode(message: &Message) -> Result<Vec<u8>, WireError> {
    let mut frame = vec![0; LENGTH_BYTES];
    // Serializing plain data into memory cannot fail; an error here would be our bug, and is reported as garbage.
    serde_json::to_writer(&mut frame, message)
        .map_err(|error| WireError::Garbage { bytes: frame.len(), why: error.to_string() })?;
    let bytes = frame.len() - LENGTH_BYTES;
    if bytes > FRAME_BYTES_MAX {
        return Err(WireError::Oversized { bytes, bytes_max: FRAME_BYTES_MAX });
    }
    frame[..LENGTH_BYTES].copy_from_slice(&(bytes as u32).to_be_bytes());
    Ok(frame)
}

/// Decodes messages from bytes that arrive in arbitrary pieces.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    bytes_max: usize,
}

impl Default for Decoder {
    /// Decodes any message.
    fn default() -> Self {
        Self::limited(FRAME_BYTES_MAX)
    }
}

impl Decoder {
    /// Decodes messages of up to this length.
    pub fn limited(bytes_max: usize) -> Self {
        Self { buffer: Vec::new(), bytes_max }
    }

    /// Changes the limit for the messages to come.
    pub fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next complete message, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// If the next frame is invalid; the connection is then unusable.
    pub fn next_message(&mut self) -> Result<Option<Message>, WireError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        if matches!(length, [TLS_ALERT | TLS_HANDSHAKE, TLS_MAJOR, ..]) {
            return Err(WireError::Tls);
        }
        let bytes = u32::from_be_bytes(*length) as usize;
        if bytes > self.bytes_max {
            return Err(WireError::Oversized { bytes, bytes_max: self.bytes_max });
        }
        let Some(body) = self.buffer.get(LENGTH_BYTES..LENGTH_BYTES + bytes) else {
            return Ok(None);
        };
        let message = parse(body)?;
        self.buffer.drain(..LENGTH_BYTES + bytes);
        // A long message must not occupy memory for as long as its connection lasts.
        self.buffer.shrink_to(REQUEST_BYTES_MAX);
        Ok(Some(message))
    }

    /// Checks that the stream may end here.
    ///
    /// # Errors
    /// [`WireError::Truncated`] inside a frame.
    pub fn finish(&self) -> Result<(), WireError> {
        if self.buffer.is_empty() { Ok(()) } else { Err(WireError::Truncated { bytes: self.buffer.len() }) }
    }
}

/// A HELLO of any version: all versions must keep these fields, so that a version mismatch can be reported.
#[derive(Deserialize)]
struct AnyHello {
    hello: AnyVersion,
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

fn parse(body: &[u8]) -> Result<Message, WireError> {
    match serde_json::from_slice(body) {
        Ok(Message::Hello { version, .. }) if version != VERSION => Err(WireError::WrongVersion { theirs: version }),
        Ok(message) => Ok(message),
        Err(error) => match serde_json::from_slice::<AnyHello>(body) {
            Ok(other) if other.hello.version != VERSION => Err(WireError::WrongVersion { theirs: other.hello.version }),
            _ => Err(WireError::Garbage { bytes: body.len(), why: explained(&error) }),
        },
    }
}

/// Says what is wrong without quoting it: in place of a name or a number there may be a token.
fn explained(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        Category::Data => "its JSON has no such message",
        Category::Syntax => "it is no JSON",
        Category::Eof | Category::Io => "its JSON ends too early",
    };
    format!("{kind}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
#[path = "wire/tests.rs"]
mod tests;
