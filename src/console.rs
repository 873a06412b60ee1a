//! Operator commands of a daemon, and their reports: list sessions, close a session.

use crate::answer::{Code, Refusal};
use crate::session::{Handle, Refused, Sessions, User};
use serde::{Deserialize, Serialize};

/// An operator command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// List the holders of all sessions.
    ShowUsers,
    /// Close a session after its current queries; its holder may open another one.
    Drop {
        /// The handle in hexadecimal, or the holder, as listed.
        session: String,
    },
    /// List the tasks of the server.
    ShowTasks,
    /// Start a task: `excalcon` or `ntsmex`.
    Load {
        /// Its name.
        task: String,
    },
    /// Stop a task, after its current queries.
    Quit {
        /// Its name.
        task: String,
    },
    /// Check the directory of calendars now, and read what has changed.
    SyncNow,
    /// Read the settings of access again: certificates, tokens, and who is revoked.
    Reload,
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
    /// Every task.
    Tasks {
        /// The tasks.
        tasks: Vec<Task>,
    },
    /// The command is being executed.
    Started,
    /// The settings of access are in effect.
    Reloaded,
}

/// A task of the server, as `calcon show tasks` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its name: `excalcon` or `ntsmex`.
    pub name: String,
    /// The state of the link of `excalcon`: `up`, `dialling` or `down`; of `ntsmex`: `running`, `starting` or `waiting`; of both:
    /// `not loaded`.
    pub status: String,
    /// The server that it links to; empty if it links to none.
    pub server: String,
    /// Number of queries that it has sent.
    pub requests: u64,
    /// The average time to an answer, in milliseconds.
    pub answer_ms_avg: u64,
    /// The longest time to an answer, in milliseconds.
    pub answer_ms_max: u64,
    /// The identity under which it runs, which `show users` lists, if it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The session of that identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Why it does not run, if it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Task {
    /// Returns a task that links to nothing.
    pub(crate) fn new(name: &str, status: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: status.to_owned(),
            server: String::new(),
            requests: 0,
            answer_ms_avg: 0,
            answer_ms_max: 0,
            holder: None,
            session: None,
            why: None,
        }
    }
}

/// Lists the holders of all sessions.
pub(crate) fn users(sessions: &Sessions) -> Report {
    Report::Users { users: sessions.users(), sessions_max: sessions.limits().sessions_max }
}

/// Drops the session with this handle, or that of this holder.
///
/// # Errors
/// [`Code::BadQuery`] if there is none.
pub(crate) fn drop_session(sessions: &Sessions, session: &str) -> Result<Report, Refusal> {
    let users = sessions.users();
    let held = users.iter().find(|user| user.holder == session).map_or(session, |user| &user.session);
    let number = u64::from_str_radix(held, 16).ok();
    match number.map(|number| sessions.drop_session(Handle::from_number(number))) {
        // It is already being closed.
        Some(Ok(()) | Err(Refused::Closing)) => Ok(Report::Dropped),
        _ => {
            let text = format!("there is no session {session}: `calcon show users` lists them");
            Err(Refusal::new(Code::BadQuery, text))
        }
    }
}

/// The refusal of a side that has no sessions.
pub(crate) fn no_sessions() -> Refusal {
    Refusal::new(Code::BadQuery, "the Notes side has the sessions: ask `calcon notes`")
}
