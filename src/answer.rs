//! The question and the answer, as clients and both daemons see them.

use crate::freebusy::{Slot, Window};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// Longest window that one question may span, in days: an answer must fit into a frame.
pub const WINDOW_DAYS_MAX: i64 = 366;
/// Longest user name, in bytes: the longest mail address.
pub const USER_BYTES_MAX: usize = 254;
/// Years that a question may be about: those that calendars can write, and every zone can tell.
const YEARS: RangeInclusive<i32> = 1900..=9998;
/// Most slots in one answer: at about 90 bytes a slot they fit into a frame.
pub const SLOTS_MAX: usize = 8192;

/// "When is this user free, from here to there?"
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Whose time: a mail address; upper and lower case are the same.
    pub user: String,
    /// Start of the window.
    pub from: DateTime<Utc>,
    /// End of the window, not part of it.
    pub to: DateTime<Utc>,
}

impl Query {
    /// Asks about `days` days that begin at `from`.
    pub fn days(user: impl Into<String>, from: DateTime<Utc>, days: u32) -> Self {
        let to = from.checked_add_signed(TimeDelta::days(days.into())).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { user: user.into(), from, to }
    }

    /// The time it asks about.
    pub fn window(&self) -> Window {
        Window::new(self.from, self.to)
    }

    /// The same question with the user in the one form that both sides compare, or why nobody can answer it.
    ///
    /// # Errors
    /// [`Code::BadQuery`] for an empty or overlong user, and for a window that is empty or too long.
    pub fn checked(&self) -> Result<Query, Refusal> {
        let user = self.user.trim().to_lowercase();
        let bad = |why: String| Err(Refusal::new(Code::BadQuery, why));
        if user.is_empty() || user.len() > USER_BYTES_MAX || user.chars().any(char::is_control) {
            return bad(format!("the user must be a mail address of 1 to {USER_BYTES_MAX} bytes"));
        }
        if !YEARS.contains(&self.from.year()) || !YEARS.contains(&self.to.year()) {
            return bad(format!("the window must be within the years {} to {}", YEARS.start(), YEARS.end()));
        }
        if self.to <= self.from {
            return bad(format!("the window ends at {} before it begins at {}", self.to, self.from));
        }
        if self.to.signed_duration_since(self.from) > TimeDelta::days(WINDOW_DAYS_MAX) {
            return bad(format!("the window is longer than {WINDOW_DAYS_MAX} days: ask for less at once"));
        }
        Ok(Query { user, from: self.from, to: self.to })
    }
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The user's own side read the calendar for this question.
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

/// How a user's time is taken, and how old this knowledge is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose time, in lower case.
    pub user: String,
    /// Start of the window that was asked for.
    pub from: DateTime<Utc>,
    /// End of the window that was asked for.
    pub to: DateTime<Utc>,
    /// Slots that fill the window.
    pub slots: Vec<Slot>,
    /// Where this comes from.
    pub source: Source,
    /// How long ago the calendar was read, in whole seconds; never less than it really is by a second or more.
    pub age_secs: u64,
}

impl Answer {
    /// The time it is about.
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
    /// The user's calendar is there and cannot be read.
    Unreadable,
    /// The link to the other side is down (event 5010).
    LinkDown,
    /// No answer within the deadline.
    TimedOut,
    /// A limit is reached; ask again later.
    Busy,
    /// The question cannot be answered by anybody.
    BadQuery,
    /// A code that this build does not know: the other side is newer.
    #[serde(other)]
    Other,
}

/// An answer that could not be given, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The kind of reason.
    pub code: Code,
    /// The reason, and what to do, for a person.
    pub text: String,
}

impl Refusal {
    /// A refusal with its reason in words.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}
