//! What an operator asks of a daemon, and what it reports: who has a session, and the end of one.

use crate::answer::{Code, Refusal};
use crate::session::{Handle, Refused, Sessions, User};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What an operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// List who holds which session.
    ShowUsers,
    /// Close a session after the questions that use it now; its holder may open another one.
    Drop {
        /// The handle, in hexadecimal digits, as the list shows it.
        session: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Every session, by slot.
    Users {
        /// Who holds them.
        users: Vec<User>,
        /// Most sessions at once.
        sessions_max: usize,
    },
    /// The session closes, or is closed already by now.
    Dropped,
}

/// Does what an operator at `peer` wants.
///
/// # Errors
/// [`Code::BadQuery`] for a session that is not open, and for whoever may not drop one.
pub(crate) fn obey(sessions: &Sessions, peer: IpAddr, command: &Command) -> Result<Report, Refusal> {
    match command {
        Command::ShowUsers => {
            Ok(Report::Users { users: sessions.users(), sessions_max: sessions.limits().sessions_max })
        }
        // Nobody proves who they are, so only who has an account on this machine may take a session from somebody else.
        Command::Drop { .. } if !peer.is_loopback() => {
            Err(Refusal::new(Code::BadQuery, "sessions are dropped from the machine that the daemon runs on"))
        }
        Command::Drop { session } => {
            let number = u64::from_str_radix(session, 16).map_err(|_| {
                let text = format!("{session:?} is no session: `calcon show users` lists them");
                Refusal::new(Code::BadQuery, text)
            })?;
            match sessions.drop_session(Handle::from_number(number)) {
                // Somebody was faster, and it closes all the same.
                Ok(()) | Err(Refused::Closing) => Ok(Report::Dropped),
                Err(_) => {
                    let text = format!("there is no session {session}: `calcon show users` lists them");
                    Err(Refusal::new(Code::BadQuery, text))
                }
            }
        }
    }
}

/// The answer of a side that has no sessions.
pub(crate) fn no_sessions() -> Refusal {
    Refusal::new(Code::BadQuery, "the Notes side has the sessions: ask `calcon notes`")
}
