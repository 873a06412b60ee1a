//! Errors of settings, sockets and peers. Each states what was tried and what to do.

use crate::answer::Refusal;
use crate::credentials;
use crate::wire::WireError;
use std::io;
use std::path::PathBuf;

/// Why a daemon cannot run, or a query got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are invalid.
    #[error("{0}")]
    Settings(String),
    /// The settings file cannot be parsed.
    #[error("{}:{line}: {what}", file.display())]
    SettingsFile {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong. It does not repeat the line, which may contain what nobody should see.
        what: String,
    },
    /// `calcon check` found problems, which it has printed.
    #[error("{count} of {checks} checks failed")]
    Check {
        /// How many failed.
        count: usize,
        /// How many there were.
        checks: usize,
    },
    /// The calendar directory cannot be listed.
    #[error("cannot list the calendars in {}: {source}; set `calendars` to a folder of .ics files", folder.display())]
    Calendars {
        /// The configured directory.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The audit of sessions cannot be written.
    #[error("cannot write the audit of sessions to {}: {source}; set `session_log` to a file that can be", file.display())]
    Audit {
        /// The configured file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The browse log cannot be written.
    #[error("cannot write the browse log to {}: {source}; set `browse_log` to a file that can be", file.display())]
    BrowseLog {
        /// The configured file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; set `listen` or `http_listen` to a free address")]
    Listen {
        /// The address as set.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// The console's socket cannot be made.
    #[error("cannot make the console's socket {}: {source}; set `console` to a path in a directory of this user's", path.display())]
    Console {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// `calcon keys` cannot write its files.
    #[error("cannot write {}: {source}", path.display())]
    Keys {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Signals cannot be handled.
    #[error("cannot wait for SIGTERM and ctrl-c: {0}")]
    Signals(io::Error),
    /// The connection could not be established.
    #[error("cannot connect to {address}: {source}; is the daemon running there?")]
    Connect {
        /// The address that was dialled.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// No reply arrived in time.
    #[error("{address} did not answer within {limit_secs} s")]
    TimedOut {
        /// The address that was queried.
        address: String,
        /// The time limit.
        limit_secs: u64,
    },
    /// The connection failed during the query.
    #[error("the connection failed: {0}")]
    Connection(#[from] ChannelError),
    /// The daemon refused to answer.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

impl Error {
    /// Returns the kind of error, for programs: the code of a refusal, such as `link_down`, or one of `settings`, `check`,
    /// `calendars`, `session_log`, `browse_log`, `listen`, `console`, `keys`, `signals`, `unreachable`, `no_reply` and `connection`.
    pub fn code(&self) -> String {
        let code = match self {
            Error::Settings(_) | Error::SettingsFile { .. } => "settings",
            Error::Check { .. } => "check",
            Error::Calendars { .. } => "calendars",
            Error::Audit { .. } => "session_log",
            Error::BrowseLog { .. } => "browse_log",
            Error::Listen { .. } => "listen",
            Error::Console { .. } => "console",
            Error::Keys { .. } => "keys",
            Error::Signals(_) => "signals",
            Error::Connect { .. } => "unreachable",
            Error::TimedOut { .. } => "no_reply",
            Error::Connection(_) => "connection",
            Error::Refused(refusal) => return refusal.code.name(),
        };
        code.to_owned()
    }
}

/// Why a connection is unusable.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer's bytes are invalid, or our message does not fit into a frame.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// What the peer sends is no HTTP.
    #[error("HTTP: {0}")]
    Http(String),
    /// An I/O error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer does not read what we write.
    #[error("the peer does not read: a write was stuck for {limit_secs} s")]
    WriteStuck {
        /// The time limit.
        limit_secs: u64,
    },
    /// The peer was silent for too long.
    #[error("the peer was silent for {limit_secs} s")]
    Silent {
        /// The time limit.
        limit_secs: u64,
    },
    /// The peer is no TLS peer that we accept, or does not accept us.
    #[error("TLS: {}{}", credentials::explain(.0).0, remedy(.0))]
    Tls(rustls::Error),
    /// The TLS handshake takes too long.
    #[error("the TLS handshake was not complete within {limit_secs} s")]
    SlowHandshake {
        /// The time limit.
        limit_secs: u64,
    },
    /// The peer closed the connection during the TLS handshake.
    #[error("the peer closed the connection during the TLS handshake: does it have credentials, and speak TLS?")]
    HandshakeClosed,
    /// The peer does not let us in, or we do not let it in.
    #[error("{0}")]
    Denied(Refusal),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// A message that is not valid at this point.
    #[error("unexpected {message}: {expected}")]
    Unexpected {
        /// The message's name.
        message: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

impl ChannelError {
    /// Returns the reason of a handshake's failure, which rustls puts into an I/O error.
    pub(crate) fn from_tls(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(why) => Self::Tls(why.clone()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::HandshakeClosed,
            None => Self::Io(error),
        }
    }
}

/// Returns the remedy, where the certificate of one end is the reason.
fn remedy(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(_) => format!(": {}", credentials::explain(error).1),
        _ => String::new(),
    }
}
