//! The operators' log: events with the numbers under which the knowledge base lists them.
//!
//! Each goes to the daemon's log, by tracing, and to the file that `browse_log` names, as a line in the old form.

mod file;
mod numbers;
mod rotation;

pub use file::BrowseLog;
pub use numbers::{NUMBERS, Number, Severity};
pub use rotation::Rotation;

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
    /// A task that needs a session has none, and does not run (Q245545). Nothing else has this number.
    NoSession {
        /// The cause, and what to change.
        why: String,
    },
    /// The ID file that the profile names cannot be used.
    IdFile {
        /// The file, the line, and what to change.
        what: String,
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
    /// The file of the cache cannot be used, or was set aside; records are kept in memory.
    CacheFile {
        /// The file, and what is wrong with it.
        what: String,
    },
    /// A calendar server has not answered a question.
    NoAnswerOfServer {
        /// Where, why, and what to do.
        what: String,
    },
    /// Events are missing from the file.
    EventsLost {
        /// How many.
        count: u64,
    },
}

impl Event {
    /// Returns its number, and what that means.
    pub fn number(&self) -> Number {
        match self {
            Event::LinkDown { .. } => numbers::LINK_DOWN,
            Event::NoSession { .. } => numbers::NO_SESSION,
            Event::IdFile { .. } => numbers::ID_FILE,
            Event::SessionsInUse { .. } => numbers::SESSIONS_IN_USE,
            Event::NotAudited { .. } => numbers::NOT_AUDITED,
            Event::BadCalendar { .. } => numbers::BAD_CALENDAR,
            Event::OverBudget { .. } => numbers::OVER_BUDGET,
            Event::NotReloaded { .. } => numbers::NOT_RELOADED,
            Event::Certificate { .. } => numbers::CERTIFICATE,
            Event::NoFolder { .. } => numbers::NO_FOLDER,
            Event::CacheFile { .. } => numbers::CACHE_FILE,
            Event::EventsLost { .. } => numbers::EVENTS_LOST,
            Event::NoAnswerOfServer { .. } => numbers::NO_ANSWER_OF_SERVER,
        }
    }

    /// Returns the event in the old form: `COMPONENT(ID) LEVEL NUMBER:SEVERITY: TEXT`. It is one line, whatever the names in it
    /// contain.
    pub fn line(&self) -> String {
        let Number { number, component, severity, .. } = self.number();
        let mut line = format!("{component} {} {number}:{severity}: ", severity.level());
        for letter in Text(self).to_string().chars() {
            match letter {
                '\n' => line += "; ",
                letter if letter.is_control() => line.extend(letter.escape_default()),
                letter => line.push(letter),
            }
        }
        line
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Operators know this one by its form.
            Event::NoSession { .. } => out.write_str(&self.line()),
            _ => Text(self).fmt(out),
        }
    }
}

/// The text of an event, without its number.
struct Text<'a>(&'a Event);

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::LinkDown { why } => {
                write!(out, "the link to the other side is down ({why}); retried on the next request")
            }
            Event::NoSession { why } => write!(out, "no Notes Session Open; {why}"),
            Event::IdFile { what } => write!(out, "the ID file cannot be used: {what}"),
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
            Event::CacheFile { what } => write!(out, "cache: {what}"),
            Event::NoAnswerOfServer { what } => write!(out, "the calendar server does not answer: {what}"),
            Event::EventsLost { count } => write!(out, "{count} events are missing here"),
        }
    }
}

/// Writes the event into the log.
pub fn report(event: &Event) {
    tracing::warn!(target: "calcon::browse_log", number = event.number().number, "{event}");
    file::write(event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_the_old_form() {
        let line = Event::NoSession { why: "set it".to_owned() }.line();
        assert_eq!(line, "LME-NOTES-NTSMEX(0130) 1 41220:Error: no Notes Session Open; set it");
        let line = Event::BadCalendar { what: "a.ics:3: no date".to_owned() }.line();
        assert_eq!(line, "CALCON(0140) 2 5005:Warning: calendar skipped: a.ics:3: no date");
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        let line = Event::BadCalendar { what: "a\nCALCON(0140) 1 5010:Error: \u{1b}[2J\r.ics".to_owned() }.line();
        assert!(!line.contains(char::is_control), "{line}");
        assert!(line.starts_with("CALCON(0140) 2 5005:Warning: calendar skipped: a; CALCON"), "{line}");
    }
}
