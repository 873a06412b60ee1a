//! What can go wrong outside a question: settings, sockets, the peer. Each says what was tried and what to do.

use crate::answer::Refusal;
use crate::wire::WireError;
use std::io;
use std::path::PathBuf;

/// Why a daemon cannot run, or a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The folder of calendars cannot be listed.
    #[error("cannot list the calendars in {}: {source}; set `calendars` to a folder of .ics files", folder.display())]
    Calendars {
        /// The folder as set.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The audit of sessions cannot be written.
    #[error("cannot write the audit of sessions to {}: {source}; set `session_log` to a file that can be", file.display())]
    Audit {
        /// The file as set.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The listening port cannot be had.
    #[error("cannot listen on {address}: {source}; set `listen` to a free address")]
    Listen {
        /// The address as set.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The process cannot be told to stop.
    #[error("cannot wait for SIGTERM and ctrl-c: {0}")]
    Signals(io::Error),
    /// No connection.
    #[error("cannot connect to {address}: {source}; is the daemon running there?")]
    Connect {
        /// Whom we dialled.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing came back in time.
    #[error("{address} did not answer within {limit_secs} s")]
    TimedOut {
        /// Whom we asked.
        address: String,
        /// How long we waited.
        limit_secs: u64,
    },
    /// The connection ended in the middle.
    #[error("the connection failed: {0}")]
    Connection(#[from] ChannelError),
    /// The daemon answered that it cannot answer.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// Why a connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer's bytes are no messages, or ours do not fit.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The system says so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer does not read what we write.
    #[error("the peer does not read: a write was stuck for {limit_secs} s")]
    WriteStuck {
        /// How long we tried.
        limit_secs: u64,
    },
    /// The peer was silent for too long.
    #[error("the peer was silent for {limit_secs} s")]
    Silent {
        /// How long we waited.
        limit_secs: u64,
    },
    /// The peer ended the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// A message that has no place here.
    #[error("unexpected {message}: {expected}")]
    Unexpected {
        /// Name of the message.
        message: &'static str,
        /// What would have been right.
        expected: &'static str,
    },
}
