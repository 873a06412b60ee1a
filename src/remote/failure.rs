//! Why a server gave no answer: what was tried, what happened, and what to do.

use crate::error::ChannelError;
use crate::problem::Cause;
use hyper::StatusCode;
use std::fmt;
use std::io;
use std::time::Duration;

/// Maximum length of what is repeated of a server's words, in characters.
const WORDS_MAX: usize = 200;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The user has no calendar there.
    #[error("there is no such calendar")]
    NoCalendar,
    /// The password or the token cannot be used.
    #[error("{0}")]
    Login(String),
    /// Nobody listens there.
    #[error("cannot connect to {address}: {source}; is the server running there?")]
    Connect {
        /// Host and port.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// The TLS handshake failed.
    #[error("{0}")]
    Tls(ChannelError),
    /// The host's name is none that a certificate may have.
    #[error("TLS: {0}; set `url` to the name in the server's certificate")]
    Name(rustls::Error),
    /// A step takes too long.
    #[error("{what} takes more than {} s", limit.as_secs())]
    Late {
        /// The step.
        what: &'static str,
        /// Its time limit.
        limit: Duration,
    },
    /// The connection failed, or what came over it is not HTTP.
    #[error("the exchange failed: {0}")]
    Http(#[from] hyper::Error),
    /// The request cannot be made.
    #[error("no request can be made: {0}")]
    Request(#[from] hyper::http::Error),
    /// The reply is too long.
    #[error("the reply has more than {bytes_max} bytes: ask for less at once")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// The password or the token would be sent to another machine for everybody to read.
    #[error("a password is sent to another machine over TLS only: set `url` to https, and `ca_file`")]
    Unsecured,
    /// The server does not let us in.
    #[error("the server answers {0}: see whether `username` and its password, or the token, may read this calendar")]
    Denied(StatusCode),
    /// The server does not answer as it should.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// The server sends us elsewhere, and we do not go there.
    #[error("the server redirects to {to:?}: {why}; set `url` to where the calendars are")]
    Redirect {
        /// The Location.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// The reply is no text.
    #[error("the reply is not UTF-8")]
    NotText,
    /// What the reply says is not what it should.
    #[error("the reply: {0}")]
    Reply(String),
    /// The server says that it has no answer about this user.
    #[error("the server has no answer: {0:?}")]
    Refused(String),
    /// The calendar comes in too many pieces.
    #[error("the calendar is not complete after {0} replies: ask by `calendar-query`")]
    Pieces(u32),
    /// The XML of the reply is not what it should be.
    #[error("the reply, byte {at}: {what}")]
    Xml {
        /// Where.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// The iCalendar of the reply is not usable.
    #[error("{name}, line {line}: {what}")]
    Calendar {
        /// The object.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Reading the reply panicked.
    #[error("reading the reply failed: {0}: please report this")]
    Bug(String),
}

impl Failure {
    /// Returns the failure that a reply is not what it should be. What is wrong may be the server's words.
    pub(super) fn reply(what: impl fmt::Display) -> Self {
        Failure::Reply(shortened(&what.to_string()))
    }

    /// Returns the failure that the server has no answer, in its words.
    pub(super) fn refused(why: &str) -> Self {
        Failure::Refused(shortened(why))
    }

    /// Returns the kind of problem that it is to an operator; `None` if the server has answered, and that was not about a user of it.
    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            Failure::NoCalendar | Failure::Refused(_) | Failure::Denied(StatusCode::FORBIDDEN) => None,
            Failure::Connect { .. } | Failure::Late { .. } => Some(Cause::Unreachable),
            Failure::Tls(_) | Failure::Name(_) => Some(Cause::Certificate),
            Failure::Unsecured | Failure::Redirect { .. } | Failure::Login(_) => Some(Cause::Settings),
            _ => Some(Cause::Refused),
        }
    }
}

fn shortened(words: &str) -> String {
    words.chars().take(WORDS_MAX).collect()
}
