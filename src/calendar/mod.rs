//! The source of free/busy: answers queries about the users who have a calendar in this side's directory.

mod event;
mod expand;
mod folder;
mod ics;
mod moment;
mod outline;

pub use moment::{UnknownTimeZone, Zone};

use crate::answer::{Answer, Code, Query, Refusal, SLOTS_MAX, Source};
use crate::error::Error;
use crate::freebusy::{merge_overlapping, slots};
use folder::Folder;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often the directory is checked: a change is noticed after at most this time.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The calendars of one side.
#[derive(Debug)]
pub struct Calendars {
    shelf: Mutex<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    folder: Folder,
    looked_at: Instant,
}

impl Calendars {
    /// Reads a directory: each file `user@domain.ics` is the calendar of that user. Times without a time zone are in
    /// `zone`. A file that cannot be read is reported and skipped.
    ///
    /// # Errors
    /// [`Error::Calendars`] if the directory cannot be listed.
    pub fn open(folder: &Path, zone: Zone) -> Result<Arc<Self>, Error> {
        let mut folder = Folder::new(folder, zone);
        folder.look().map_err(|source| Error::Calendars { folder: folder.path().to_owned(), source })?;
        tracing::info!(users = folder.len(), folder = %folder.path().display(), "calendars read");
        Ok(Arc::new(Self { shelf: Mutex::new(Shelf { folder, looked_at: Instant::now() }) }))
    }

    /// Answers a validated query about a user of this side.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] if the user has no file here, [`Code::Unreadable`] if the file is unusable,
    /// [`Code::BadQuery`] if the answer would have too many slots.
    pub fn answer(self: &Arc<Self>, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send + use<> {
        let calendars = Arc::clone(self);
        let now = Instant::now();
        async move {
            // Reads files and expands rules, which may take a while: not on a thread that serves sockets.
            match tokio::task::spawn_blocking(move || calendars.answer_at(now, &query)).await {
                Ok(outcome) => outcome,
                Err(error) => Err(Refusal::new(Code::Other, format!("reading the calendar failed: {error}"))),
            }
        }
    }

    fn answer_at(&self, now: Instant, query: &Query) -> Result<Answer, Refusal> {
        // After a panic during a check, the next check reads the remaining files.
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(shelf.looked_at) >= LOOK_EVERY {
            shelf.looked_at = now;
            shelf.folder.look_again();
        }
        let taken = shelf.folder.taken(&query.user, query.window())?;
        let slots = slots(query.window(), &merge_overlapping(&taken));
        if slots.len() > SLOTS_MAX {
            let why = format!("the answer has {} slots, the limit is {SLOTS_MAX}: ask for less at once", slots.len());
            return Err(Refusal::new(Code::BadQuery, why));
        }
        Ok(Answer {
            user: query.user.clone(),
            from: query.from,
            to: query.to,
            slots,
            source: Source::Live,
            age_secs: 0,
        })
    }
}

/// Returns whether an outcome means that this side has no such user.
pub(crate) fn is_unknown(outcome: &Result<Answer, Refusal>) -> bool {
    matches!(outcome, Err(refusal) if refusal.code == Code::UnknownUser)
}
