//! The operators' log: events with the numbers under which the knowledge base lists them.

use chrono::{DateTime, Utc};
use std::fmt;

/// An event that an operator should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The link to the other side is down, so a query could not be sent. Retried on the next request.
    LinkDown {
        /// Why it is down.
        why: String,
    },
    /// No session can be opened with the profile: it does not name the ID file, a right is missing, or the location keeps
    /// databases closed (Q245545).
    NoSession {
        /// What to change.
        why: String,
    },
    /// Every session was in use by others, so that a query had none.
    SessionsInUse {
        /// Maximum number of sessions.
        sessions_max: usize,
    },
    /// A session was closed, but its audit line could not be written.
    NotAudited {
        /// The line, and the system's error.
        what: String,
    },
    /// A calendar file is unusable; queries about its user are refused, all others are answered.
    BadCalendar {
        /// The file, the line if known, and what is wrong.
        what: String,
    },
    /// A calendar takes too long to expand; its free time in the window is reported as unknown.
    OverBudget {
        /// The file and the line.
        what: String,
        /// Start of the window.
        from: DateTime<Utc>,
        /// End of the window.
        to: DateTime<Utc>,
    },
    /// The settings of access cannot be read again; the previous ones stay in effect.
    NotReloaded {
        /// What is wrong with them.
        why: String,
    },
    /// Peers do not accept the certificate of this side, or soon will not.
    Certificate {
        /// Why, and what to do.
        what: String,
    },
    /// The calendar directory cannot be listed; what was read before is still served.
    NoFolder {
        /// The directory and the system's error.
        what: String,
    },
}

impl Event {
    /// Returns the number in the browse log.
    pub fn number(&self) -> u32 {
        match self {
            Event::NoSession { .. } => 41220,
            Event::SessionsInUse { .. } => 5009,
            Event::NotAudited { .. } => 5008,
            Event::LinkDown { .. } => 5010,
            Event::BadCalendar { .. } => 5005,
            Event::NoFolder { .. } => 5006,
            Event::OverBudget { .. } => 5007,
            Event::NotReloaded { .. } => 5011,
            Event::Certificate { .. } => 5012,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::LinkDown { why } => {
                write!(out, "the link to the other side is down ({why}); retried on the next request")
            }
            // In the form that the browse log has always had.
            Event::NoSession { why } => {
                write!(out, "LME-NOTES-NTSMEX(0130) 1 41220:Error: no Notes Session Open; {why}")
            }
            Event::SessionsInUse { sessions_max } => write!(
                out,
                "no session is free: all {sessions_max} are in use; `calcon show users` tells by whom, `sessions_max` allows more"
            ),
            Event::NotAudited { what } => write!(out, "not audited: {what}"),
            Event::BadCalendar { what } => write!(out, "calendar skipped: {what}"),
            Event::OverBudget { what, from, to } => write!(
                out,
                "{what}: the calendar takes too long to expand: what is not busy from {from} to {to} is reported as unknown; \
                 give its rules a later start or an end"
            ),
            Event::NotReloaded { why } => {
                write!(out, "not reloaded, the previous settings of access stay in effect: {why}")
            }
            Event::Certificate { what } => write!(out, "the certificate of this side: {what}"),
            Event::NoFolder { what } => write!(out, "cannot list the calendars: {what}"),
        }
    }
}

/// Writes the event into the log.
pub fn report(event: &Event) {
    tracing::warn!(target: "calcon::browse_log", number = event.number(), "{event}");
}
