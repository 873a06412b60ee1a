//! The directory of .ics files, each the calendar of one user. Checks for changes on request.

use super::event::Event;
use super::expand::expand;
use super::ics;
use super::moment::Zone;
use super::outline::Broken;
use crate::answer::{Code, Refusal, USER_BYTES_MAX};
use crate::browse_log::{self, Event as Noteworthy};
use crate::freebusy::{Interval, Window};
use chrono::{TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Maximum number of calendars in a directory; further ones, by name, are reported and skipped.
const FILES_MAX: usize = 20_000;
/// Maximum size of a calendar, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// How far from today a calendar is expanded when it is read; a query that reaches further expands it further.
const EXPAND_DAYS: i64 = 62;

/// The calendars of a directory, by user.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    zone: Zone,
    files: BTreeMap<String, File>,
    /// Files that are not a user's calendar, and have been reported.
    skipped: BTreeSet<PathBuf>,
    listed: bool,
}

/// Used to detect changed files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    stamp: Stamp,
    /// The calendar, unless it is unusable, which has been reported.
    calendar: Option<Calendar>,
}

#[derive(Debug)]
struct Calendar {
    events: Vec<Event>,
    /// The expanded window, and the intervals in it.
    expanded: (Window, Vec<Interval>),
}

impl Folder {
    /// Creates a directory that has not been read yet.
    pub(super) fn new(path: &Path, zone: Zone) -> Self {
        Self { path: path.to_owned(), zone, files: BTreeMap::new(), skipped: BTreeSet::new(), listed: true }
    }

    /// Returns its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of users with a calendar.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Reads new and changed files, and removes those that are gone.
    ///
    /// # Errors
    /// If the directory cannot be listed; everything known is kept.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let mut found = BTreeMap::new();
        let mut skipped = BTreeSet::new();
        for path in calendar_files(&self.path)? {
            match user_of(&path, &found) {
                Ok(user) => drop(found.insert(user, path)),
                Err(why) => {
                    if !self.skipped.contains(&path) {
                        report(&path, &why);
                    }
                    skipped.insert(path);
                }
            }
        }
        self.skipped = skipped;
        self.files.retain(|user, _| found.contains_key(user));
        for (user, path) in found {
            self.look_at(user, path);
        }
        Ok(())
    }

    /// Like [`Folder::look`], but reports a directory that cannot be listed, once.
    pub(super) fn look_again(&mut self) {
        match self.look() {
            Ok(()) => self.listed = true,
            Err(error) if self.listed => {
                self.listed = false;
                let what = format!("{}: {error}", self.path.display());
                browse_log::report(&Noteworthy::NoFolder { what });
            }
            Err(_) => {}
        }
    }

    fn look_at(&mut self, user: String, path: PathBuf) {
        let stamp = fs::metadata(&path).map(|about| Stamp { bytes: about.len(), modified: about.modified().ok() });
        // A file without metadata gets a special stamp, so that it is reported once.
        let stamp = stamp.unwrap_or(Stamp { bytes: u64::MAX, modified: None });
        if self.files.get(&user).is_some_and(|known| known.stamp == stamp && known.path == path) {
            return;
        }
        let calendar = read(&path, self.zone);
        match &calendar {
            Ok(calendar) => tracing::debug!(user, events = calendar.events.len(), "calendar read"),
            Err(why) => report(&path, why),
        }
        self.files.insert(user, File { path, stamp, calendar: calendar.ok() });
    }

    /// Returns the intervals that overlap the window, not merged.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] and [`Code::Unreadable`].
    pub(super) fn taken(&mut self, user: &str, window: Window) -> Result<Vec<Interval>, Refusal> {
        let Some(file) = self.files.get_mut(user) else {
            return Err(Refusal::new(Code::UnknownUser, format!("nobody has a calendar of {user}")));
        };
        // Clients need not know our files: the details are in the log of this side.
        let unreadable = || {
            let why = format!("the calendar of {user} cannot be used: see event 5005 in the log of its side");
            Refusal::new(Code::Unreadable, why)
        };
        let calendar = file.calendar.as_mut().ok_or_else(unreadable)?;
        if !calendar.expanded.0.covers(&window) {
            let taken = expand(&calendar.events, window).map_err(|broken| {
                report(&file.path, &at_line(&broken));
                unreadable()
            })?;
            calendar.expanded = (window, taken);
        }
        let touches = |interval: &&Interval| !interval.window.intersect(&window).is_empty();
        Ok(calendar.expanded.1.iter().filter(touches).copied().collect())
    }
}

/// Returns the .ics files of a directory, sorted by name: the order of a directory listing is arbitrary.
fn calendar_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics")) {
            files.push(path);
        }
    }
    files.sort();
    if files.len() > FILES_MAX {
        let what = format!("{} has more than {FILES_MAX} calendars, the rest is skipped", folder.display());
        browse_log::report(&Noteworthy::NoFolder { what });
        files.truncate(FILES_MAX);
    }
    Ok(files)
}

/// Returns the user that a file belongs to. Users are compared in lower case, so two files may name the same one.
fn user_of(path: &Path, others: &BTreeMap<String, PathBuf>) -> Result<String, String> {
    let Some(user) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_lowercase) else {
        return Err(": the name of the file is not UTF-8".to_owned());
    };
    if user.is_empty() || user.len() > USER_BYTES_MAX {
        return Err(format!(": the name of the file must be a mail address of up to {USER_BYTES_MAX} bytes"));
    }
    match others.get(&user) {
        Some(other) => Err(format!(": {} is of the same user", other.display())),
        None => Ok(user),
    }
}

fn read(path: &Path, zone: Zone) -> Result<Calendar, String> {
    let bytes = fs::metadata(path).map_err(|error| format!(": {error}"))?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!(": {bytes} bytes are over the limit of {FILE_BYTES_MAX}"));
    }
    let bytes = fs::read(path).map_err(|error| format!(": {error}"))?;
    let text = str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!(":{line}: not UTF-8")
    })?;
    let events = ics::read(text, zone).map_err(|broken| at_line(&broken))?;
    let now = Utc::now();
    let window = Window::new(now - TimeDelta::days(EXPAND_DAYS), now + TimeDelta::days(EXPAND_DAYS));
    let taken = expand(&events, window).map_err(|broken| at_line(&broken))?;
    Ok(Calendar { events, expanded: (window, taken) })
}

fn at_line(broken: &Broken) -> String {
    format!(":{}: {}", broken.line, broken.what)
}

fn report(path: &Path, why: &str) {
    browse_log::report(&Noteworthy::BadCalendar { what: format!("{}{why}", path.display()) });
}
