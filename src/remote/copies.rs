//! The copies of calendars that are kept, within a limit of memory: those that were not asked about for the longest time are forgotten.

use super::caldav::sync::CalendarCopy;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all copies may occupy together, in bytes.
pub const KEPT_BYTES_MAX: usize = 64 << 20;

/// Copies, by the place of their calendar.
#[derive(Debug, Default)]
pub(super) struct Copies(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_place: BTreeMap<String, (Arc<CalendarCopy>, u64)>,
    bytes: usize,
    uses: u64,
}

impl Copies {
    /// Returns the copy of a calendar, if there is one.
    pub(super) fn get(&self, place: &str) -> Option<Arc<CalendarCopy>> {
        let mut kept = self.kept();
        kept.uses += 1;
        let now = kept.uses;
        let (copy, last_use) = kept.by_place.get_mut(place)?;
        *last_use = now;
        Some(Arc::clone(copy))
    }

    /// Keeps a copy in place of an earlier one. Of two questions at once either copy is right: each is of its token.
    pub(super) fn keep(&self, place: &str, copy: Arc<CalendarCopy>) {
        let mut kept = self.kept();
        kept.remove(place);
        kept.bytes += size(place, &copy);
        kept.uses += 1;
        let now = kept.uses;
        kept.by_place.insert(place.to_owned(), (copy, now));
        while kept.bytes > KEPT_BYTES_MAX
            && let Some(oldest) =
                kept.by_place.iter().min_by_key(|(_, (_, use_))| *use_).map(|(place, _)| place.clone())
        {
            kept.remove(&oldest);
        }
    }

    /// Forgets a copy.
    pub(super) fn forget(&self, place: &str) {
        self.kept().remove(place);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, place: &str) {
        if let Some((copy, _)) = self.by_place.remove(place) {
            self.bytes -= size(place, &copy);
        }
    }
}

fn size(place: &str, copy: &CalendarCopy) -> usize {
    place.len() + copy.bytes()
}

#[cfg(test)]
mod tests {
    use super::super::caldav::multistatus::Multistatus;
    use super::*;

    fn copy(bytes: usize) -> Arc<CalendarCopy> {
        let (objects, token) = (vec![("a".to_owned(), "x".repeat(bytes))], Some("t".to_owned()));
        Arc::new(
            CalendarCopy::default().changed(Multistatus { objects, token, ..Multistatus::default() }).expect("good"),
        )
    }

    #[test]
    fn what_was_not_asked_about_for_the_longest_time_is_forgotten_first() {
        let copies = Copies::default();
        let part = copy(KEPT_BYTES_MAX / 8 - 4096);
        let place = |n: usize| n.to_string();
        (0..8).for_each(|n| copies.keep(&place(n), Arc::clone(&part)));
        assert!(copies.get("0").is_some());
        copies.keep("8", part);
        let kept: Vec<usize> = (0..9).filter(|n| copies.get(&place(*n)).is_some()).collect();
        assert_eq!(kept, [0, 2, 3, 4, 5, 6, 7, 8]);
        (0..9).for_each(|n| copies.forget(&place(n)));
        assert_eq!(copies.kept().bytes, 0);
    }
}
