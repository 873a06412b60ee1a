//! Operator commands of a daemon, and their reports: list sessions, close a session.

use crate::answer::{Code, Refusal};
use crate::session::{Handle, Refused, Sessions, User};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An operator command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// List the holders of all sessions.
    ShowUsers,
    /// Close a session after its current queries; its holder may open another one.
    Drop {
        /// The handle in hexadecimal, as listed.
        session: String,
    },
}

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Every session, by slot.
    Users {
        /// The holders.
        users: Vec<User>,
        /// Maximum number of sessions.
        sessions_max: usize,
    },
    /// The session is being closed, or is already closed.
    Dropped,
}

/// Executes a command of an operator at `peer`.
///
/// # Errors
/// [`Code::BadQuery`] if the session is not open, or the peer may not close sessions.
pub(crate) fn obey(sessions: &Sessions, peer: IpAddr, command: &Command) -> Result<Report, Refusal> {
    match command {
        Command::ShowUsers => {
            Ok(Report::Users { users: sessions.users(), sessions_max: sessions.limits().sessions_max })
        }
        // Peers are not authenticated, so only local users may close other users' sessions.
        Command::Drop { .. } if !peer.is_loopback() => {
            Err(Refusal::new(Code::BadQuery, "sessions are dropped from the machine that the daemon runs on"))
        }
        Command::Drop { session } => {
            let number = u64::from_str_radix(session, 16).map_err(|_| {
                let text = format!("{session:?} is no session: `calcon show users` lists them");
                Refusal::new(Code::BadQuery, text)
            })?;
            match sessions.drop_session(Handle::from_number(number)) {
                // It is already being closed.
                Ok(()) | Err(Refused::Closing) => Ok(Report::Dropped),
                Err(_) => {
                    let text = format!("there is no session {session}: `calcon show users` lists them");
                    Err(Refusal::new(Code::BadQuery, text))
                }
            }
        }
    }
}

/// The refusal of a side that has no sessions.
pub(crate) fn no_sessions() -> Refusal {
    Refusal::new(Code::BadQuery, "the Notes side has the sessions: ask `calcon notes`")
}
