//! The records on disk, in a redb database. Each has a digest of its own, so that what the disk has altered is never taken for an answer.

use super::records::{Change, Key, RECORDS_MAX, Record, Span};
use crate::access::Identity;
use crate::answer::SLOTS_MAX;
use crate::freebusy::{Slot, Window};
use chrono::{DateTime, TimeDelta, Utc};
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, StorageError, TableDefinition};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::time::Instant;

/// Maximum size of the file, in bytes. What is longer was not written by us.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Maximum size of a record, in bytes: its slots take about 100 each.
const RECORD_BYTES_MAX: usize = SLOTS_MAX * 160;
/// How much of the file is kept in memory, in bytes.
const MEMORY_BYTES: usize = 4 << 20;
/// Maximum number of damaged files that are kept; the last one is replaced.
const DAMAGED_MAX: u32 = 9;
/// Its name changes with what its values mean.
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records 1");

/// Why the file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It has not what was written into it.
    Damaged(String),
    /// The system, or the disk, does not let us.
    Failed(String),
}

/// The file, which is open.
#[derive(Debug)]
pub(super) struct Store {
    database: Database,
}

/// A record, as it is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    user: String,
    span: Span,
    window: Window,
    slots: Vec<Slot>,
    /// When the calendar was read, at the earliest.
    read_at: DateTime<Utc>,
    name: String,
    fingerprint: String,
}

impl Store {
    /// Opens a file, or makes it, for this user alone. Another process cannot open it meanwhile.
    pub(super) fn open(path: &Path) -> Result<Self, Trouble> {
        let failed = |error: &dyn Display| Trouble::Failed(format!("{}: {error}", path.display()));
        match fs::metadata(path) {
            // Opening a named pipe would wait for a writer.
            Ok(found) if !found.is_file() => return Err(failed(&"it is no regular file")),
            Ok(found) if found.len() > FILE_BYTES_MAX => return Err(Trouble::Damaged("it is too long".to_owned())),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let backend = FileBackend::new(file.map_err(|error| failed(&error))?);
        Self::over(backend.map_err(|error| failed(&error))?)
    }

    /// Opens what a backend stores.
    pub(super) fn over(backend: impl StorageBackend) -> Result<Self, Trouble> {
        let mut builder = Database::builder();
        let builder = builder.set_cache_size(MEMORY_BYTES).set_check_integrity_on_open(true);
        Ok(Self { database: builder.create_with_backend(backend).map_err(of_opening)? })
    }

    /// Returns every record. Those of the future are left out, as their age is not known, and those whose window is over.
    pub(super) fn records(&self, now: DateTime<Utc>) -> Result<Vec<(Key, Record)>, Trouble> {
        let read = self.database.begin_read().map_err(trouble)?;
        let table = match read.open_table(TABLE) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(trouble(error)),
        };
        let mut records = Vec::new();
        for entry in table.iter().map_err(trouble)? {
            let (key, value) = entry.map_err(trouble)?;
            let stored = Stored::read(key.value(), value.value()).ok_or_else(|| {
                Trouble::Damaged(format!(
                    "the record of {:?} is not what was written",
                    String::from_utf8_lossy(key.value())
                ))
            })?;
            if records.len() == RECORDS_MAX {
                return Err(Trouble::Damaged("it has too many records".to_owned()));
            }
            records.extend(stored.restored(now));
        }
        Ok(records)
    }

    /// Writes changes: all of them, or none. They are on the disk when this returns.
    pub(super) fn write(&self, changes: &[Change], now: DateTime<Utc>) -> Result<(), Trouble> {
        self.change(changes, now, false)
    }

    /// Replaces all records.
    pub(super) fn replace(&self, records: &[Change], now: DateTime<Utc>) -> Result<(), Trouble> {
        self.change(records, now, true)
    }

    fn change(&self, changes: &[Change], now: DateTime<Utc>, replaces: bool) -> Result<(), Trouble> {
        let write = self.database.begin_write().map_err(trouble)?;
        {
            let mut table = write.open_table(TABLE).map_err(trouble)?;
            if replaces {
                table.retain(|_, _| false).map_err(trouble)?;
            }
            for (key, record) in changes {
                let at = key_bytes(key);
                match record {
                    Some(record) => drop(table.insert(&*at, &*Stored::of(key, record, now).bytes()).map_err(trouble)?),
                    None => drop(table.remove(&*at).map_err(trouble)?),
                }
            }
        }
        write.commit().map_err(trouble)
    }
}

/// Renames a damaged file, so that a new one can take its place; returns its new name.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{n}"));
        PathBuf::from(name)
    };
    let free = (1..DAMAGED_MAX).map(name).find(|name| fs::symlink_metadata(name).is_err());
    let name = free.unwrap_or_else(|| name(DAMAGED_MAX));
    fs::rename(path, &name)?;
    Ok(name)
}

impl Stored {
    fn of((user, span): &Key, record: &Record, now: DateTime<Utc>) -> Self {
        let age = TimeDelta::from_std(record.age()).unwrap_or(TimeDelta::MAX);
        Self {
            user: user.clone(),
            span: *span,
            window: record.window,
            slots: record.slots.clone(),
            read_at: now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC),
            name: record.by.name().to_owned(),
            fingerprint: record.by.fingerprint().to_owned(),
        }
    }

    /// Returns the digest, and what it is of.
    fn bytes(&self) -> Vec<u8> {
        // Plain data can always be serialized.
        let text = serde_json::to_vec(self).unwrap_or_default();
        [digest(&SHA256, &text).as_ref(), &text].concat()
    }

    fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        let (expected, text) = value.split_at_checked(SHA256_OUTPUT_LEN)?;
        if value.len() > RECORD_BYTES_MAX || digest(&SHA256, text).as_ref() != expected {
            return None;
        }
        let stored: Self = serde_json::from_slice(text).ok()?;
        let is_at = *key == *key_bytes(&(stored.user.clone(), stored.span));
        (is_at && stored.slots.len() <= SLOTS_MAX).then_some(stored)
    }

    fn restored(self, now: DateTime<Utc>) -> Option<(Key, Record)> {
        let age_then = now.signed_duration_since(self.read_at).to_std().ok()?;
        let by = Identity::recorded(&self.name, &self.fingerprint);
        let record = Record { window: self.window, slots: self.slots, since: Instant::now(), age_then, by };
        (self.window.to > now).then_some(((self.user, self.span), record))
    }
}

fn key_bytes((user, span): &Key) -> Vec<u8> {
    let span = match span {
        Span::Today => "today",
        Span::Apart => "apart",
    };
    format!("{user} {span}").into_bytes()
}

fn of_opening(error: DatabaseError) -> Trouble {
    match error {
        DatabaseError::UpgradeRequired(_) | DatabaseError::RepairAborted => Trouble::Damaged(error.to_string()),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
            Trouble::Damaged("it is no database".to_owned())
        }
        error => trouble(error),
    }
}

fn trouble(error: impl Into<redb::Error>) -> Trouble {
    match error.into() {
        error @ (redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableIsMultimap(_)) => Trouble::Damaged(error.to_string()),
        error => Trouble::Failed(error.to_string()),
    }
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
