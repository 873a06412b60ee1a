//! Frames to messages and back: pure, no socket. A frame is a length (u32, big-endian) and that many bytes of JSON.

use crate::answer::{Answer, Query, Refusal};
use crate::console::{Command, Report};
use serde::{Deserialize, Serialize};

/// The version of this protocol. Both ends must speak the same one.
///
/// 1: HELLO, QUERY, ANSWER, ERROR, PING, PONG.
/// 2: also COMMAND and REPORT.
pub const VERSION: u32 = 2;
/// Longest body of a frame, in bytes. A longer one closes the connection before it is read.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
const LENGTH_BYTES: usize = 4;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks, and is never asked.
    Client,
    /// The add-in task of the Notes side, which dials the Exchange side. Both ends of its connection ask.
    AddIn,
    /// The Exchange side.
    Exchange,
    /// The Notes side.
    Notes,
}

/// What one end tells the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The first message of each end.
    Hello {
        /// [`VERSION`] of the speaker.
        version: u32,
        /// What the speaker is.
        role: Role,
        /// The speaker's number for this link; a reply must carry it. Clients, which have no link, say 0.
        epoch: u64,
    },
    /// A question; the reply carries the same `id` and `epoch`.
    Query {
        /// The asker's number for this question.
        id: u64,
        /// The asker's epoch.
        epoch: u64,
        /// How long the asker waits, in milliseconds from when it sent this: no clock is shared.
        deadline_ms: u64,
        /// What is asked.
        query: Query,
    },
    /// The reply to a question.
    Answer {
        /// The question's number.
        id: u64,
        /// The asker's epoch, from the question.
        epoch: u64,
        /// What is answered.
        answer: Answer,
    },
    /// The reply to a question that cannot be answered, and to a command that cannot be done.
    Error {
        /// The question's number.
        id: u64,
        /// The asker's epoch, from the question.
        epoch: u64,
        /// Why not.
        refusal: Refusal,
    },
    /// What an operator wants of a daemon.
    Command {
        /// The operator's number for it.
        id: u64,
        /// What shall be done.
        command: Command,
    },
    /// The reply to a command.
    Report {
        /// The command's number.
        id: u64,
        /// What came of it.
        report: Report,
    },
    /// "Are you there?"
    Ping {
        /// Comes back in the PONG.
        nonce: u64,
    },
    /// "Yes."
    Pong {
        /// From the PING.
        nonce: u64,
    },
}

impl Message {
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

/// Why bytes are not a message. Each of these ends the connection: after it nobody knows where a frame begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A frame announces, or would have, more bytes than allowed.
    #[error("frame of {bytes} bytes is over the limit of {FRAME_BYTES_MAX}: ask for a shorter window")]
    Oversized {
        /// Bytes of its body.
        bytes: usize,
    },
    /// The body is no message.
    #[error("frame of {bytes} bytes is no message: {why}")]
    Garbage {
        /// Bytes of its body.
        bytes: usize,
        /// What the JSON reader says.
        why: String,
    },
    /// The other end speaks another version.
    #[error("the peer speaks protocol version {theirs}, this build speaks {VERSION}: update the older one")]
    WrongVersion {
        /// The version in its HELLO.
        theirs: u32,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame, after {bytes} bytes of it")]
    Truncated {
        /// Bytes of the frame that did arrive, its length included.
        bytes: usize,
    },
}

/// The frame of a message.
///
/// # Errors
/// [`WireError::Oversized`] when the message does not fit into a frame.
pub fn encode(message: &Message) -> Result<Vec<u8>, WireError> {
    let mut frame = vec![0; LENGTH_BYTES];
    // Writing plain data into memory cannot fail; an error here would be our bug, and is told as garbage.
    serde_json::to_writer(&mut frame, message)
        .map_err(|error| WireError::Garbage { bytes: frame.len(), why: error.to_string() })?;
    let bytes = frame.len() - LENGTH_BYTES;
    if bytes > FRAME_BYTES_MAX {
        return Err(WireError::Oversized { bytes });
    }
    frame[..LENGTH_BYTES].copy_from_slice(&(bytes as u32).to_be_bytes());
    Ok(frame)
}

/// Takes bytes as they arrive, in whatever pieces, and gives the messages in them.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// Whatever is wrong with the next frame; the connection is then of no more use.
    pub fn next_message(&mut self) -> Result<Option<Message>, WireError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let bytes = u32::from_be_bytes(*length) as usize;
        if bytes > FRAME_BYTES_MAX {
            return Err(WireError::Oversized { bytes });
        }
        let Some(body) = self.buffer.get(LENGTH_BYTES..LENGTH_BYTES + bytes) else {
            return Ok(None);
        };
        let message = parse(body)?;
        self.buffer.drain(..LENGTH_BYTES + bytes);
        Ok(Some(message))
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// [`WireError::Truncated`] inside a frame.
    pub fn finish(&self) -> Result<(), WireError> {
        if self.buffer.is_empty() { Ok(()) } else { Err(WireError::Truncated { bytes: self.buffer.len() }) }
    }
}

/// A HELLO of any version: all versions must keep this much, or nobody can say "wrong version".
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
            _ => Err(WireError::Garbage { bytes: body.len(), why: error.to_string() }),
        },
    }
}

#[cfg(test)]
#[path = "wire/tests.rs"]
mod tests;
