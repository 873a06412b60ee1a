//! The directory of .ics files, each the calendar of one user. Checks for changes on request.

use super::file::File;
use super::moment::Zone;
use crate::answer::USER_BYTES_MAX;
use crate::browse_log::{self, Event as Noteworthy};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum number of calendars in a directory; further ones, by name, are reported and skipped.
const FILES_MAX: usize = 20_000;

/// The calendars of a directory, by user.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    zone: Zone,
    /// Locked only to look a user up and to replace the list: never while a file is opened.
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    files: BTreeMap<String, Arc<File>>,
    /// What has been reported about the directory, so that it is reported once.
    reported: BTreeSet<String>,
}

impl Folder {
    /// Creates a directory that has not been listed yet.
    pub(super) fn new(path: &Path, zone: Zone) -> Self {
        Self { path: path.to_owned(), zone, list: Mutex::default() }
    }

    /// Returns its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of users with a calendar.
    pub(super) fn len(&self) -> usize {
        self.list().files.len()
    }

    /// Returns the calendar of a user.
    pub(super) fn file(&self, user: &str) -> Option<Arc<File>> {
        self.list().files.get(user).cloned()
    }

    /// Returns the files that nobody has read.
    pub(super) fn unread(&self) -> Vec<Arc<File>> {
        self.list().files.values().filter(|file| file.is_unread()).cloned().collect()
    }

    /// Lists new and changed files, and forgets those that are gone.
    ///
    /// # Errors
    /// If the directory cannot be listed; everything known is kept.
    pub(super) fn look(&self) -> io::Result<()> {
        let (paths, mut problems) = calendar_files(&self.path)?;
        let mut found = BTreeMap::new();
        for path in paths {
            match user_of(&path, &found) {
                Ok(user) => drop(found.insert(user, path)),
                Err(why) => problems.push(Noteworthy::BadCalendar { what: format!("{}: {why}", path.display()) }),
            }
        }
        let known = self.list().files.clone();
        let file = |(user, path): (String, PathBuf)| {
            let same = known.get(&user).filter(|file| file.is_at(&path)).cloned();
            (user.clone(), same.unwrap_or_else(|| File::of(user, path, self.zone.clone())))
        };
        let files = found.into_iter().map(file).collect();
        let mut list = self.list();
        list.files = files;
        list.report(problems);
        Ok(())
    }

    /// Like [`Folder::look`], but reports a directory that cannot be listed.
    pub(super) fn look_again(&self) {
        if let Err(error) = self.look() {
            let what = format!("{}: {error}", self.path.display());
            self.list().report(vec![Noteworthy::NoFolder { what }]);
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Each change is a single assignment, so a panic elsewhere leaves the list consistent.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    /// Reports the problems that were not found by the previous look as well.
    fn report(&mut self, problems: Vec<Noteworthy>) {
        let new = problems.iter().filter(|problem| !self.reported.contains(&problem.to_string()));
        new.for_each(browse_log::report);
        self.reported = problems.iter().map(ToString::to_string).collect();
    }
}

/// Returns the .ics files of a directory, sorted by name: the order of a directory listing is arbitrary.
fn calendar_files(folder: &Path) -> io::Result<(Vec<PathBuf>, Vec<Noteworthy>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics")) {
            files.push(path);
        }
    }
    files.sort();
    let mut problems = Vec::new();
    if files.len() > FILES_MAX {
        let what = format!("{} has more than {FILES_MAX} calendars, the rest is skipped", folder.display());
        problems.push(Noteworthy::NoFolder { what });
        files.truncate(FILES_MAX);
    }
    Ok((files, problems))
}

/// Returns the user that a file belongs to. Users are compared in lower case, so two files may name the same one.
fn user_of(path: &Path, others: &BTreeMap<String, PathBuf>) -> Result<String, String> {
    let Some(user) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_lowercase) else {
        return Err("the name of the file is not UTF-8".to_owned());
    };
    if user.is_empty() || user.len() > USER_BYTES_MAX {
        return Err(format!("the name of the file must be a mail address of up to {USER_BYTES_MAX} bytes"));
    }
    match others.get(&user) {
        Some(other) => Err(format!("{} is of the same user", other.display())),
        None => Ok(user),
    }
}
