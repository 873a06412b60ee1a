//! The numbers of events: what each means, and what to do. `OPERATORS.md` has the same table, and a test compares them.

use serde::Serialize;
use std::fmt;

/// A number of the browse log. Each means one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Number {
    /// The number.
    pub number: u32,
    /// The component that reports it, with its number in parentheses, as the old log has it.
    pub component: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means.
    pub meaning: &'static str,
    /// What an operator does about it.
    pub remedy: &'static str,
}

/// How bad an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not work soon, or works for all but one.
    Warning,
}

impl Severity {
    /// Returns its level in the log.
    pub fn level(self) -> u32 {
        match self {
            Severity::Error => 1,
            Severity::Warning => 2,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        })
    }
}

const NTSMEX: &str = "LME-NOTES-NTSMEX(0130)";
const CALCON: &str = "CALCON(0140)";

const fn error(number: u32, component: &'static str, meaning: &'static str, remedy: &'static str) -> Number {
    Number { number, component, severity: Severity::Error, meaning, remedy }
}

const fn warning(number: u32, meaning: &'static str, remedy: &'static str) -> Number {
    Number { number, component: CALCON, severity: Severity::Warning, meaning, remedy }
}

pub(super) const ID_FILE: Number = error(
    2001,
    NTSMEX,
    "the ID file that `KeyFilename` names cannot be used",
    "change the line of Notes.ini that the event names: `calcon check notes` tries it",
);
pub(super) const BAD_CALENDAR: Number = warning(
    5005,
    "a calendar file is unusable: queries about its user are refused, all others are answered",
    "repair the file at the line that the event names",
);
pub(super) const NO_FOLDER: Number = error(
    5006,
    CALCON,
    "the folder of calendars cannot be listed in full: what was read before is still served",
    "let the daemon's user read the folder, or take files out of it",
);
pub(super) const OVER_BUDGET: Number = warning(
    5007,
    "a calendar takes too long to expand: what is not busy in it is reported as unknown",
    "give its recurring events a later start or an end",
);
pub(super) const NOT_AUDITED: Number = error(
    5008,
    CALCON,
    "a session was closed, and its line could not be written to `session_log`",
    "make room there, and let the daemon's user write the file",
);
pub(super) const SESSIONS_IN_USE: Number = error(
    5009,
    CALCON,
    "every session is in use, so that a query had none",
    "`calcon show users` lists who has them; set `sessions_max` higher, or drop some",
);
pub(super) const LINK_DOWN: Number = error(
    5010,
    CALCON,
    "the link to the other side is down, so that a query failed; retried on the next request",
    "start the other side, and see why in the event; `calcon show tasks` has the state of the link",
);
pub(super) const NOT_RELOADED: Number = error(
    5011,
    CALCON,
    "the settings of access cannot be read again: the previous ones stay in effect",
    "repair what the event names, and `calcon reload`",
);
pub(super) const CERTIFICATE: Number = warning(
    5012,
    "peers do not accept the certificate of this side, or soon will not",
    "make another one, `calcon keys DIR --renew NAME`, and `calcon reload`",
);
pub(super) const EVENTS_LOST: Number = error(
    5013,
    CALCON,
    "events are missing from the browse log: it could not be written, or not fast enough",
    "make room there; the daemon's log on stderr has them",
);
pub(super) const CACHE_FILE: Number = warning(
    5014,
    "the file of the cache is damaged and was set aside, or cannot be written: records are kept in memory",
    "make room there, and let the daemon's user write `cache_file` and its folder; a damaged file may be deleted",
);
pub(super) const NO_ANSWER_OF_SERVER: Number = error(
    5020,
    CALCON,
    "the calendar server has not answered in full, in time and in good order: the query is refused",
    "see why in the event: `server` in the settings has its URL, the login and the CA",
);
pub(super) const NO_SESSION: Number = error(
    41220,
    NTSMEX,
    "a task that needs a session has none, so it does not run; it tries again by itself (Q245545)",
    "`calcon check notes` names the cause: `KeyFilename`, the server, the identity, a right, or the location",
);

/// Every number, in order.
pub const NUMBERS: [Number; 13] = [
    ID_FILE,
    BAD_CALENDAR,
    NO_FOLDER,
    OVER_BUDGET,
    NOT_AUDITED,
    SESSIONS_IN_USE,
    LINK_DOWN,
    NOT_RELOADED,
    CERTIFICATE,
    EVENTS_LOST,
    CACHE_FILE,
    NO_ANSWER_OF_SERVER,
    NO_SESSION,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_means_one_thing() {
        assert!(NUMBERS.windows(2).all(|two| two[0].number < two[1].number), "in order, and each once");
        for number in NUMBERS {
            let same = NUMBERS.iter().filter(|other| other.meaning == number.meaning).count();
            assert_eq!(same, 1, "{number:?}");
        }
    }

    #[test]
    fn operators_find_the_same_table_in_their_document() {
        let document = include_str!("../../OPERATORS.md");
        let is_number = |line: &&str| line.strip_prefix("| ").is_some_and(|row| row.starts_with(char::is_numeric));
        let rows = document.lines().filter(is_number);
        let expected = NUMBERS.map(|Number { number, component, severity, meaning, remedy }| {
            format!("| {number} | `{component}` | {severity} | {meaning} | {remedy} |")
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
