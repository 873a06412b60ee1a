//! Queries and answers, as clients and both daemons see them.

use crate::freebusy::{Slot, Window};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// Maximum window of a query, in days: an answer must fit into a frame.
pub const WINDOW_DAYS_MAX: i64 = 366;
/// Maximum length of a user name, in bytes: the longest mail address.
pub const USER_BYTES_MAX: usize = 254;
/// Years that a query may cover: those that calendars can express and every time zone can convert.
const YEARS: RangeInclusive<i32> = 1900..=9998;
/// Maximum number of slots in an answer: at about 90 bytes each they fit into a frame.
pub const SLOTS_MAX: usize = 8192;

/// "When is this user free, from here to there?"
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The user: a mail address, case-insensitive.
    pub user: String,
    /// Start of the window.
    pub from: DateTime<Utc>,
    /// End of the window, exclusive.
    pub to: DateTime<Utc>,
}

impl Query {
    /// Creates a query for `days` days beginning at `from`.
    pub fn days(user: impl Into<String>, from: DateTime<Utc>, days: u32) -> Self {
        let to = from.checked_add_signed(TimeDelta::days(days.into())).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { user: user.into(), from, to }
    }

    /// Returns the queried window.
    pub fn window(&self) -> Window {
        Window::new(self.from, self.to)
    }

    /// Returns the query with the user in canonical form, or why it cannot be answered.
    ///
    /// # Errors
    /// [`Code::BadQuery`] for an empty or overlong user, and for a window that is empty or too long.
    pub fn checked(&self) -> Result<Query, Refusal> {
        let user = self.user.trim().to_lowercase();
        let bad = |why: String| Err(Refusal::new(Code::BadQuery, why));
        if user.is_empty() || user.len() > USER_BYTES_MAX || user.chars().any(char::is_control) {
            return bad(format!("the user must be a mail address of 1 to {USER_BYTES_MAX} bytes"));
        }
        match window_problem(self.window()) {
            Some(why) => bad(why),
            None => Ok(Query { user, from: self.from, to: self.to }),
        }
    }

    /// Returns the query for another window.
    pub(crate) fn about(&self, window: Window) -> Query {
        Query { user: self.user.clone(), from: window.from, to: window.to }
    }
}

/// Returns why a window cannot be asked about.
pub(crate) fn window_problem(Window { from, to }: Window) -> Option<String> {
    if !YEARS.contains(&from.year()) || !YEARS.contains(&to.year()) {
        return Some(format!("the window must be within the years {} to {}", YEARS.start(), YEARS.end()));
    }
    if to <= from {
        return Some(format!("the window ends at {to} before it begins at {from}"));
    }
    let is_long = to.signed_duration_since(from) > TimeDelta::days(WINDOW_DAYS_MAX);
    is_long.then(|| format!("the window is longer than {WINDOW_DAYS_MAX} days: ask for less at once"))
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The user's own side read the calendar for this query.
    Live,
    /// A record younger than the maximum age.
    Cached,
    /// A record older than that: the user's side did not answer in time.
    Stale,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Source::Live => "live",
            Source::Cached => "cached",
            Source::Stale => "stale",
        })
    }
}

/// A user's free/busy time, and how old this information is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The user, in lower case.
    pub user: String,
    /// Start of the queried window.
    pub from: DateTime<Utc>,
    /// End of the queried window.
    pub to: DateTime<Utc>,
    /// Slots that fill the window.
    pub slots: Vec<Slot>,
    /// Where it comes from.
    pub source: Source,
    /// The age of the calendar data in whole seconds, rounded down.
    pub age_secs: u64,
}

impl Answer {
    /// Returns the window that it covers.
    pub fn window(&self) -> Window {
        Window::new(self.from, self.to)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Neither side has a calendar of this user.
    UnknownUser,
    /// The user's calendar exists but cannot be read.
    Unreadable,
    /// The link to the other side is down (event 5010).
    LinkDown,
    /// No answer within the deadline.
    TimedOut,
    /// A limit is reached; retry later.
    Busy,
    /// The query is invalid.
    BadQuery,
    /// The asker has not proven that it may ask.
    Denied,
    /// A code that this build does not know, from a newer version.
    #[serde(other)]
    Other,
}

impl Code {
    /// Returns the name that it has in JSON.
    pub fn name(self) -> String {
        // A code without a value is a text.
        serde_json::to_value(self).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
    }
}

/// The refusal of a query, with a human-readable reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The kind of reason.
    pub code: Code,
    /// The reason, and what to do, human-readable.
    pub text: String,
}

impl Refusal {
    /// Creates a refusal.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}
