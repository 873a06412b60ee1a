//! The calendar of one user: reads its file, and expands it, each at most once at a time and on the blocking pool.

use super::budget::Budget;
use super::components::Broken;
use super::event::Event;
use super::expand::expand;
use super::ics::{self, Parsed};
use super::memory::{Forget, Kept, Memory};
use super::moment::Zone;
use crate::answer::{Code, Refusal};
use crate::browse_log::{self, Event as Noteworthy};
use crate::freebusy::{Interval, Slot, Window, merge_overlapping, slots};
use crate::regular_file;
use chrono::{TimeDelta, Utc};
use std::fs;
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::SystemTime;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Maximum size of a calendar, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Maximum number of lines in the log about what looks wrong in a file.
const DOUBTS_MAX: usize = 3;
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
    /// It was read, and is usable; others needed its memory.
    Forgotten,
    /// The reason has been reported.
    Unusable,
    Calendar {
        events: Vec<Event>,
        /// The expanded window, and the merged intervals in it.
        expanded: (Window, Vec<Interval>),
        kept: Kept,
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

    /// Returns the slots of a window.
    ///
    /// # Errors
    /// [`Code::Unreadable`] if the file is unusable.
    pub(super) async fn slots(self: &Arc<Self>, window: Window, memory: &Arc<Memory>) -> Result<Vec<Slot>, Refusal> {
        let mut contents = Arc::clone(&self.contents).lock_owned().await;
        if let Some(outcome) = contents.slots(&self.user, window) {
            return outcome;
        }
        let (file, kept_in) = (Arc::clone(self), Arc::clone(memory));
        let prepared = self.in_turn(contents, memory, move |contents| {
            let calendar = contents.prepare(&file, window)?;
            let outcome = slots(window, &calendar.1);
            contents.keep(calendar, &file, &kept_in);
            Some(outcome)
        });
        prepared.await?.ok_or_else(|| unusable(&self.user))
    }

    /// Reads it if nobody has, so that its problems are reported, and keeps it if there is room.
    pub(super) async fn read_ahead(self: &Arc<Self>, memory: &Arc<Memory>) -> Result<(), Refusal> {
        let contents = Arc::clone(&self.contents).lock_owned().await;
        if !matches!(*contents, Contents::Unread) {
            return Ok(());
        }
        let (file, kept_in) = (Arc::clone(self), Arc::clone(memory));
        let now = Utc::now();
        let read = self.in_turn(contents, memory, move |contents| {
            let Some(calendar) = contents.prepare(&file, Window::new(now, now)) else { return };
            match kept_in.has_room(bytes_of(&calendar)) {
                true => contents.keep(calendar, &file, &kept_in),
                false => *contents = Contents::Forgotten,
            }
        });
        read.await
    }

    /// Executes what may take long on the blocking pool, when it is its turn. It completes even if its caller gives up, so that
    /// the next query is answered.
    async fn in_turn<T: Send + 'static>(
        &self,
        mut contents: OwnedMutexGuard<Contents>,
        memory: &Memory,
        read: impl FnOnce(&mut Contents) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let failed =
            |error: &dyn std::fmt::Display| Refusal::new(Code::Other, format!("reading the calendar failed: {error}"));
        let reading = memory.reading(self.stamp.bytes).await.map_err(|error| failed(&error))?;
        let done = tokio::task::spawn_blocking(move || {
            let _reading = reading;
            read(&mut contents)
        });
        done.await.map_err(|error| failed(&error))
    }
}

impl Stamp {
    /// A file without metadata gets a special stamp, so that it is reported once.
    fn of(path: &Path) -> Self {
        let stamp = fs::metadata(path).map(|about| Stamp { bytes: about.len(), modified: about.modified().ok() });
        stamp.unwrap_or(Stamp { bytes: u64::MAX, modified: None })
    }
}

/// The events of a calendar, the merged intervals in the expanded window, and that window.
type Calendar = (Vec<Event>, Vec<Interval>, Window);

impl Contents {
    /// Returns the slots of a window, unless the file must be read or expanded before.
    fn slots(&mut self, user: &str, window: Window) -> Option<Result<Vec<Slot>, Refusal>> {
        match self {
            Contents::Unread | Contents::Forgotten => None,
            Contents::Unusable => Some(Err(unusable(user))),
            Contents::Calendar { expanded: (known, merged), kept, .. } => {
                kept.touch();
                known.covers(&window).then(|| Ok(slots(window, merged)))
            }
        }
    }

    /// Reads the file if necessary, and expands it for a window. Afterwards it is unusable, or has to be [kept](Self::keep).
    fn prepare(&mut self, file: &File, window: Window) -> Option<Calendar> {
        let events = match std::mem::replace(self, Contents::Unusable) {
            Contents::Unusable => return None,
            Contents::Calendar { events, .. } => events,
            unread @ (Contents::Unread | Contents::Forgotten) => {
                // Of a calendar that was forgotten the doubts have been reported.
                read(file, matches!(unread, Contents::Unread))?
            }
        };
        let now = Utc::now();
        let usual = Window::new(now - TimeDelta::days(EXPAND_DAYS.0), now + TimeDelta::days(EXPAND_DAYS.1));
        let wide = if usual.covers(&window) { usual } else { window };
        let expansion = expand(&events, wide, Budget::default());
        if let Some(line) = expansion.over_budget {
            let what = format!("{}:{line}", file.path.display());
            browse_log::report(&Noteworthy::OverBudget { what, from: wide.from, to: wide.to });
        }
        Some((events, merge_overlapping(&expansion.taken), wide))
    }

    fn keep(&mut self, calendar: Calendar, file: &File, memory: &Arc<Memory>) {
        let contents: Weak<Mutex<Contents>> = Arc::downgrade(&file.contents);
        let kept = memory.keep(bytes_of(&calendar), contents);
        let (events, merged, window) = calendar;
        *self = Contents::Calendar { events, expanded: (window, merged), kept };
    }
}

impl Forget for Mutex<Contents> {
    fn forget(&self) {
        if let Ok(mut contents) = self.try_lock()
            && matches!(*contents, Contents::Calendar { .. })
        {
            *contents = Contents::Forgotten;
        }
    }
}

/// Returns about how much memory a calendar occupies.
fn bytes_of((events, merged, _): &Calendar) -> usize {
    let of_events: usize = events.iter().map(Event::bytes).sum();
    of_events + merged.capacity() * size_of::<Interval>()
}

/// Clients need not know our files: the details are in the log of this side.
fn unusable(user: &str) -> Refusal {
    let text = format!("the calendar of {user} cannot be used: see event 5005 in the log of its side");
    Refusal::new(Code::Unreadable, text)
}

/// Reads the events of a file; reports why it is unusable, and what looks wrong, if `is_new`.
fn read(file: &File, is_new: bool) -> Option<Vec<Event>> {
    match parse(file) {
        Ok(Parsed { events, doubts, .. }) => {
            for Broken { line, what } in doubts.iter().take(DOUBTS_MAX).filter(|_| is_new) {
                tracing::warn!(user = file.user, "{}:{line}: {what}", file.path.display());
            }
            tracing::debug!(user = file.user, events = events.len(), "calendar read");
            Some(events)
        }
        Err(why) => {
            browse_log::report(&Noteworthy::BadCalendar { what: format!("{}{why}", file.path.display()) });
            None
        }
    }
}

fn parse(file: &File) -> Result<Parsed, String> {
    let bytes = regular_file::read(&file.path, FILE_BYTES_MAX).map_err(|error| format!(": {error}"))?;
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!(":{line}: not UTF-8")
    })?;
    ics::read(text, &file.zone).map_err(|Broken { line, what }| format!(":{line}: {what}"))
}
