//! iCalendar: free/busy time from it, and a directory of such files, which answers queries about the users who have one there.

mod budget;
mod components;
mod definition;
mod event;
mod expand;
mod file;
mod folder;
mod ics;
mod memory;
mod moment;
mod recurrence;
mod text;

pub use moment::{UnknownTimeZone, Zone};
pub use text::{slots_of, slots_of_all, slots_published};

use crate::answer::{Answer, Code, Query, Refusal, SLOTS_MAX, Source};
use crate::error::Error;
use folder::Folder;
use memory::Memory;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

/// How often the directory is checked: a change is noticed after at most this time.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The calendars of a directory. It is looked at again now and then: files may appear, change and go, and queries about the
/// users of others go on.
#[derive(Debug)]
pub struct Files {
    folder: Folder,
    looked_at: Mutex<Instant>,
    /// Locked by whoever checks the directory: one at a time, even if the file system hangs.
    looking: Arc<AsyncMutex<()>>,
    /// Locked by whoever reads all files.
    reading: AsyncMutex<()>,
    memory: Arc<Memory>,
}

impl Files {
    /// Lists a directory: each file `user@domain.ics` is the calendar of that user. Times without a time zone are in
    /// `zone`. A file is read when it is asked about, or by [`Files::read_all`]; one that cannot be read is reported and
    /// skipped.
    ///
    /// # Errors
    /// [`Error::Calendars`] if the directory cannot be listed.
    pub fn open(folder: &Path, zone: Zone) -> Result<Arc<Self>, Error> {
        let folder = Folder::new(folder, zone);
        folder.look().map_err(|source| Error::Calendars { folder: folder.path().to_owned(), source })?;
        tracing::info!(users = folder.len(), folder = %folder.path().display(), "calendars listed");
        Ok(Arc::new(Self {
            folder,
            looked_at: Mutex::new(Instant::now()),
            looking: Arc::default(),
            reading: AsyncMutex::default(),
            memory: Memory::new(),
        }))
    }

    /// Reads every file that nobody has read, so that its problems are reported and its user need not wait.
    pub async fn read_all(self: Arc<Self>) {
        // Files that appear meanwhile are read after the next check of the directory.
        let Ok(_reading) = self.reading.try_lock() else { return };
        for file in self.folder.unread() {
            // Its problems are reported where they are found.
            let _ = file.read_ahead(&self.memory).await;
        }
    }

    /// Answers a validated query about a user of this side.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] if the user has no file here, [`Code::Unreadable`] if the file is unusable,
    /// [`Code::BadQuery`] if the answer would have too many slots.
    pub fn answer(self: &Arc<Self>, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send + use<> {
        let calendars = Arc::clone(self);
        async move {
            calendars.look_if_due().await;
            let Some(file) = calendars.folder.file(&query.user) else {
                return Err(Refusal::new(Code::UnknownUser, format!("nobody has a calendar of {}", query.user)));
            };
            let slots = file.slots(query.window(), &calendars.memory).await?;
            if slots.len() > SLOTS_MAX {
                let count = slots.len();
                let why = format!("the answer has {count} slots, the limit is {SLOTS_MAX}: ask for less at once");
                return Err(Refusal::new(Code::BadQuery, why));
            }
            let Query { user, from, to } = query;
            Ok(Answer { user, from, to, slots, source: Source::Live, age_secs: 0 })
        }
    }

    /// Starts a check of the directory, and reads what has changed.
    pub fn sync(self: &Arc<Self>) {
        let calendars = Arc::clone(self);
        tokio::spawn(async move { calendars.look().await });
    }

    /// Checks the directory, unless that was done recently or is being done.
    async fn look_if_due(self: &Arc<Self>) {
        let now = Instant::now();
        let due = {
            let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
            let due = now.saturating_duration_since(*looked_at) >= LOOK_EVERY;
            if due {
                *looked_at = now;
            }
            due
        };
        if due {
            self.look().await;
        }
    }

    async fn look(self: &Arc<Self>) {
        let Ok(looking) = Arc::clone(&self.looking).try_lock_owned() else { return };
        let calendars = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            let _looking = looking;
            calendars.folder.look_again();
        });
        if let Err(error) = looked.await {
            tracing::error!(%error, "checking the calendars panicked: please report this");
        }
        if !self.folder.unread().is_empty() {
            // The query does not wait for the calendars of others.
            tokio::spawn(Arc::clone(self).read_all());
        }
    }
}
