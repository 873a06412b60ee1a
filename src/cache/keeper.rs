//! Keeps the records in a file: reads them at the start, and writes what changes, on threads that may block.

use super::records::{Change, Key, Record, Records};
use super::store::{Store, Trouble, set_aside};
use crate::browse_log::{self, Event};
use crate::shutdown::Shutdown;
use chrono::Utc;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How long changes are collected before they are written together.
const COLLECT: Duration = Duration::from_secs(1);
/// How long the last changes may take to be written at a stop.
const LAST_LIMIT: Duration = Duration::from_millis(300);
/// The first and the longest wait after a failure.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The records, and how their keeper is told that some have changed.
#[derive(Debug, Default)]
pub(super) struct Shared {
    records: Mutex<Records>,
    pub(super) changed: Notify,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Records> {
        // Each change is a single insert or remove, so a panic elsewhere leaves the map consistent.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the records in a file until shutdown. A damaged file is set aside; what the system does not permit is tried again.
pub(super) async fn run(path: PathBuf, shared: Arc<Shared>, mut shutdown: Shutdown) {
    let [mut wait, longest] = RETRY;
    let mut is_first = true;
    loop {
        match open(&path, is_first).await {
            Ok((store, records)) => {
                if is_first {
                    tracing::info!(records = records.len(), file = %path.display(), "cache read");
                    restore(&shared, records);
                }
                let replaces = !std::mem::take(&mut is_first);
                match write_changes(store, &shared, replaces, &mut shutdown).await {
                    Ok(()) => return,
                    Err(why) => report(&why),
                }
            }
            Err(Trouble::Damaged(why)) => match set_aside(&path) {
                Ok(name) => {
                    report(&format!("{}: {why}: set aside as {}, and made anew", path.display(), name.display()));
                    continue;
                }
                Err(error) => report(&format!("{}: {why}, and cannot be renamed: {error}", path.display())),
            },
            Err(Trouble::Failed(why)) => report(&why),
        }
        tokio::select! {
            () = sleep(wait) => wait = (wait * 2).min(longest),
            () = shutdown.asked() => return,
        }
    }
}

fn report(what: &str) {
    browse_log::report(&Event::CacheFile { what: what.to_owned() });
}

/// Opens the file, and reads the records if they are wanted.
async fn open(path: &Path, reads: bool) -> Result<(Store, Vec<(Key, Record)>), Trouble> {
    let path = path.to_owned();
    let opened = spawn_blocking(move || {
        let store = Store::open(&path)?;
        let records = if reads { store.records(Utc::now())? } else { Vec::new() };
        Ok((store, records))
    });
    // redb panics at some of what a disk makes of its pages.
    opened.await.unwrap_or_else(|error| Err(Trouble::Damaged(format!("it cannot be read: {error}"))))
}

fn restore(shared: &Shared, restored: Vec<(Key, Record)>) {
    let mut records = shared.lock();
    for (key, record) in restored {
        records.learn(key, record);
    }
}

/// Writes what changes until shutdown: together, at most once in [`COLLECT`].
///
/// # Errors
/// Why something could not be written. Then the file has to be opened again, and gets all records.
async fn write_changes(
    store: Store,
    shared: &Arc<Shared>,
    mut replaces: bool,
    shutdown: &mut Shutdown,
) -> Result<(), String> {
    let mut store = store;
    loop {
        let stops = tokio::select! {
            () = shutdown.asked() => true,
            () = shared.changed.notified(), if !replaces => tokio::select! {
                () = sleep(COLLECT) => false,
                () = shutdown.asked() => true,
            },
            () = std::future::ready(()), if replaces => false,
        };
        let changes = if replaces { shared.lock().take_all() } else { shared.lock().take_changes() };
        let written = write(store, changes, replaces);
        if stops {
            // What is not written in time is asked for again after the next start.
            return timeout(LAST_LIMIT, written).await.map_or(Ok(()), |written| written.map(drop));
        }
        store = written.await?;
        replaces = false;
    }
}

async fn write(store: Store, changes: Vec<Change>, replaces: bool) -> Result<Store, String> {
    let written = spawn_blocking(move || {
        let written = match replaces {
            true => store.replace(&changes, Utc::now()),
            false if changes.is_empty() => Ok(()),
            false => store.write(&changes, Utc::now()),
        };
        match written {
            Ok(()) => Ok(store),
            Err(Trouble::Damaged(why) | Trouble::Failed(why)) => Err(format!("the cache cannot be written: {why}")),
        }
    });
    written.await.unwrap_or_else(|error| Err(format!("the cache cannot be written: {error}")))
}
