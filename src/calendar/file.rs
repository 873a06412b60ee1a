//! The calendar of one user: reads its file, and expands it, each at most once at a time and on the blocking pool.

use super::budget::Budget;
use super::event::Event;
use super::expand::expand;
use super::ics;
use super::moment::Zone;
use super::outline::Broken;
use crate::answer::{Code, Refusal};
use crate::browse_log::{self, Event as Noteworthy};
use crate::freebusy::{Interval, Slot, Window, merge_overlapping, slots};
use crate::regular_file;
use chrono::{TimeDelta, Utc};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::{Mutex, Semaphore};

/// Maximum size of a calendar, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// The days before and after today that a calendar is expanded for; a query that reaches further expands it for itself.
const EXPAND_DAYS: (i64, i64) = (7, 62);

/// A calendar file, as it was when it was listed.
#[derive(Debug)]
pub(super) struct File {
    user: String,
    path: PathBuf,
    stamp: Stamp,
    zone: Zone,
    /// Locked while it is read or expanded: queries about this user wait, those about others do not.
    contents: Arc<Mutex<Contents>>,
}

/// Used to detect changed files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

#[derive(Debug)]
enum Contents {
    Unread,
    /// The reason has been reported.
    Unusable,
    Calendar {
        events: Vec<Event>,
        /// The expanded window, and the merged intervals in it.
        expanded: (Window, Vec<Interval>),
    },
}

impl File {
    /// Returns a file that has not been read yet.
    pub(super) fn of(user: String, path: PathBuf, zone: Zone) -> Arc<Self> {
        let stamp = Stamp::of(&path);
        Arc::new(Self { user, path, stamp, zone, contents: Arc::new(Mutex::new(Contents::Unread)) })
    }

    /// Returns whether the file at this path is still the same.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path == path && self.stamp == Stamp::of(path)
    }

    /// Returns whether nobody has read it, nor does now.
    pub(super) fn is_unread(&self) -> bool {
        self.contents.try_lock().is_ok_and(|contents| matches!(*contents, Contents::Unread))
    }

    /// Returns the slots of a window. `readers` limits how many files are read and expanded at once.
    ///
    /// # Errors
    /// [`Code::Unreadable`] if the file is unusable.
    pub(super) async fn slots(self: &Arc<Self>, window: Window, readers: Arc<Semaphore>) -> Result<Vec<Slot>, Refusal> {
        let mut contents = Arc::clone(&self.contents).lock_owned().await;
        if let Some(outcome) = contents.slots(&self.user, window) {
            return outcome;
        }
        let failed =
            |error: &dyn std::fmt::Display| Refusal::new(Code::Other, format!("reading the calendar failed: {error}"));
        let reader = readers.acquire_owned().await.map_err(|error| failed(&error))?;
        let file = Arc::clone(self);
        // Completes even if its caller has given up, so that the next query is answered.
        let prepared = tokio::task::spawn_blocking(move || {
            let _reader = reader;
            contents.prepare(&file, window);
            contents.slots(&file.user, window)
        });
        match prepared.await {
            Ok(outcome) => outcome.unwrap_or_else(|| Err(failed(&"it is not expanded"))),
            Err(error) => Err(failed(&error)),
        }
    }
}

impl Stamp {
    /// A file without metadata gets a special stamp, so that it is reported once.
    fn of(path: &Path) -> Self {
        let stamp = fs::metadata(path).map(|about| Stamp { bytes: about.len(), modified: about.modified().ok() });
        stamp.unwrap_or(Stamp { bytes: u64::MAX, modified: None })
    }
}

impl Contents {
    /// Returns the slots of a window, unless the file must be read or expanded before.
    fn slots(&self, user: &str, window: Window) -> Option<Result<Vec<Slot>, Refusal>> {
        match self {
            Contents::Unread => None,
            // Clients need not know our files: the details are in the log of this side.
            Contents::Unusable => Some(Err(Refusal::new(
                Code::Unreadable,
                format!("the calendar of {user} cannot be used: see event 5005 in the log of its side"),
            ))),
            Contents::Calendar { expanded: (known, merged), .. } => {
                known.covers(&window).then(|| Ok(slots(window, merged)))
            }
        }
    }

    /// Reads the file if necessary, and expands it for a window.
    fn prepare(&mut self, file: &File, window: Window) {
        if matches!(self, Contents::Unread) {
            *self = match read(file) {
                Ok(events) => {
                    Contents::Calendar { events, expanded: (Window::new(window.from, window.from), Vec::new()) }
                }
                Err(why) => {
                    browse_log::report(&Noteworthy::BadCalendar { what: format!("{}{why}", file.path.display()) });
                    Contents::Unusable
                }
            };
        }
        let Contents::Calendar { events, expanded } = self else { return };
        let now = Utc::now();
        let usual = Window::new(now - TimeDelta::days(EXPAND_DAYS.0), now + TimeDelta::days(EXPAND_DAYS.1));
        let wide = if usual.covers(&window) { usual } else { window };
        let expansion = expand(events, wide, Budget::default());
        if let Some(line) = expansion.over_budget {
            let what = format!("{}:{line}", file.path.display());
            browse_log::report(&Noteworthy::OverBudget { what, from: wide.from, to: wide.to });
        }
        *expanded = (wide, merge_overlapping(&expansion.taken));
    }
}

fn read(file: &File) -> Result<Vec<Event>, String> {
    let bytes = regular_file::read(&file.path, FILE_BYTES_MAX).map_err(|error| format!(": {error}"))?;
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!(":{line}: not UTF-8")
    })?;
    let events = ics::read(text, file.zone).map_err(|Broken { line, what }| format!(":{line}: {what}"))?;
    tracing::debug!(user = file.user, events = events.len(), "calendar read");
    Ok(events)
}
