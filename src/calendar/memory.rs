//! Limits the memory of all calendars together: of those that are being read, and of those that are kept. The ones that were not asked
//! about for the longest time are forgotten, and read again when they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// What the kept calendars may occupy in all, in bytes.
pub(super) const KEPT_BYTES_MAX: usize = 64 << 20;
/// Maximum number of calendars that are read or expanded at once: leaves processors to the rest.
const READERS_MAX: usize = 4;
/// What the large files among these may have in all, in bytes.
const LARGE_BYTES_MAX: u32 = 16 << 20;
/// The size from which a file is large, in bytes. A smaller one does not wait for large ones.
const LARGE_BYTES: u64 = 1 << 20;

/// Contents that can be forgotten.
pub(super) trait Forget: Send + Sync {
    /// Forgets them, unless they are in use now.
    fn forget(&self);
}

/// What calendars occupy.
#[derive(Debug)]
pub(super) struct Memory {
    readers: Arc<Semaphore>,
    large: Arc<Semaphore>,
    kept: Mutex<Uses>,
}

/// The kept calendars, by when they were used.
#[derive(Default)]
struct Uses {
    bytes: usize,
    count: u64,
    by_last_use: BTreeMap<u64, Weak<dyn Forget>>,
}

/// The place of a calendar that is read or expanded, until it is dropped.
#[derive(Debug)]
pub(super) struct Reading {
    _large: Option<OwnedSemaphorePermit>,
    _reader: OwnedSemaphorePermit,
}

/// The place of a kept calendar, until it is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    memory: Arc<Memory>,
    bytes: usize,
    last_use: u64,
}

impl Memory {
    /// Starts with nothing kept.
    pub(super) fn new() -> Arc<Self> {
        let [readers, large] = [READERS_MAX, LARGE_BYTES_MAX as usize].map(|most| Arc::new(Semaphore::new(most)));
        Arc::new(Self { readers, large, kept: Mutex::default() })
    }

    /// Waits until a file of this size may be read or expanded.
    pub(super) async fn reading(&self, file_bytes: u64) -> Result<Reading, AcquireError> {
        let share = u32::try_from(file_bytes).unwrap_or(u32::MAX).min(LARGE_BYTES_MAX / 2);
        let large = match file_bytes >= LARGE_BYTES {
            true => Some(Arc::clone(&self.large).acquire_many_owned(share).await?),
            false => None,
        };
        Ok(Reading { _large: large, _reader: Arc::clone(&self.readers).acquire_owned().await? })
    }

    /// Returns whether this much can be kept without forgetting anything.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.kept().bytes.saturating_add(bytes) <= KEPT_BYTES_MAX
    }

    /// Makes room for contents, and accounts for them.
    pub(super) fn keep(self: &Arc<Self>, bytes: usize, contents: Weak<dyn Forget>) -> Kept {
        let oldest: Vec<Weak<dyn Forget>> = match self.has_room(bytes) {
            true => Vec::new(),
            false => self.kept().by_last_use.values().cloned().collect(),
        };
        // Nothing is locked while something is forgotten: that gives its place back.
        for other in oldest {
            if self.has_room(bytes) {
                break;
            }
            if let Some(other) = other.upgrade() {
                other.forget();
            }
        }
        let mut kept = self.kept();
        kept.bytes += bytes;
        let last_use = kept.insert(contents);
        Kept { memory: Arc::clone(self), bytes, last_use }
    }

    fn kept(&self) -> MutexGuard<'_, Uses> {
        // Nothing panics while it is locked.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uses {
    fn insert(&mut self, contents: Weak<dyn Forget>) -> u64 {
        self.count += 1;
        self.by_last_use.insert(self.count, contents);
        self.count
    }
}

impl Kept {
    /// Notes that the calendar is used now.
    pub(super) fn touch(&mut self) {
        let mut kept = self.memory.kept();
        if let Some(contents) = kept.by_last_use.remove(&self.last_use) {
            self.last_use = kept.insert(contents);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut kept = self.memory.kept();
        kept.bytes -= self.bytes;
        kept.by_last_use.remove(&self.last_use);
    }
}

impl std::fmt::Debug for Uses {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Uses").field("bytes", &self.bytes).field("kept", &self.by_last_use.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Contents = Mutex<Option<Kept>>;

    impl Forget for Contents {
        fn forget(&self) {
            if let Ok(mut kept) = self.try_lock() {
                drop(kept.take());
            }
        }
    }

    fn add(memory: &Arc<Memory>, bytes: usize) -> Arc<Contents> {
        let contents = Arc::new(Contents::default());
        let weak: Weak<Contents> = Arc::downgrade(&contents);
        *contents.lock().expect("locked") = Some(memory.keep(bytes, weak));
        contents
    }

    fn is_kept(contents: &Contents) -> bool {
        contents.lock().expect("locked").is_some()
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_is_forgotten_first() {
        let memory = Memory::new();
        let part = KEPT_BYTES_MAX / 3;
        let [one, two, three] = [(); 3].map(|()| add(&memory, part));
        one.lock().expect("locked").as_mut().expect("kept").touch();
        let four = add(&memory, part);
        assert_eq!([&one, &two, &three, &four].map(|contents| is_kept(contents)), [true, false, true, true]);
        drop((one, three, four));
        assert_eq!(memory.kept().bytes, 0);
    }

    #[test]
    fn what_is_in_use_is_not_forgotten() {
        let memory = Memory::new();
        let one = add(&memory, KEPT_BYTES_MAX);
        let used = one.lock().expect("locked");
        let two = add(&memory, 1);
        assert!(used.is_some() && is_kept(&two));
        drop(used);
        let three = add(&memory, 1);
        assert!(!is_kept(&one) && is_kept(&three));
    }
}
