//! The records of the cache, within the limits of their number and size, and which of them have changed.

use crate::access::{Attributed, Identity};
use crate::answer::{Answer, Query, SLOTS_MAX, Source};
use crate::freebusy::{Slot, Window, clip};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Maximum number of records; beyond it the oldest is evicted.
pub const RECORDS_MAX: usize = 10_000;
/// Maximum number of slots in all records together; beyond it the oldest is evicted. They take about 28 bytes each.
pub const SLOTS_TOTAL_MAX: usize = 1_000_000;

/// Which of a user's two records a query uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Span {
    /// From today, for the policy's number of days, and further if a query reached further.
    Today,
    /// The window of the last query that was too far from today to be covered by the same record.
    Apart,
}

/// A user, and which record.
pub(super) type Key = (String, Span);

/// The last known state of a user.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) window: Window,
    pub(super) slots: Vec<Slot>,
    /// When we queried, or the record was read from the file.
    pub(super) since: Instant,
    /// Its age at that time, at the most.
    pub(super) age_then: Duration,
    /// Who answered.
    pub(super) by: Identity,
}

/// A change of a record: `None` if it is gone.
pub(super) type Change = (Key, Option<Arc<Record>>);

/// The records.
#[derive(Debug, Default)]
pub(super) struct Records {
    entries: BTreeMap<Key, Entry>,
    /// The keys of what has changed, if somebody wants to know. There are no more of them than records and those that are gone.
    changed: Option<BTreeSet<Key>>,
}

#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    /// When somebody last asked for it.
    asked: Instant,
}

impl Record {
    pub(super) fn from_reply(reply: &Attributed, asked_at: Instant) -> Self {
        let Attributed { answer, by } = reply;
        let slots = answer.slots.iter().take(SLOTS_MAX).copied().collect();
        let age_then = Duration::from_secs(answer.age_secs);
        Self { window: answer.window(), slots, since: asked_at, age_then, by: by.clone() }
    }

    /// Returns how long ago the calendar was read, at the most.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed().saturating_add(self.age_then)
    }

    pub(super) fn answer(&self, query: &Query, source: Source) -> Answer {
        let slots = clip(query.window(), &self.slots);
        let age_secs = self.age().as_secs();
        Answer { user: query.user.clone(), from: query.from, to: query.to, slots, source, age_secs }
    }
}

impl Records {
    /// Notes what changes from now on.
    pub(super) fn note_changes(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// Returns a record that somebody asks for.
    pub(super) fn asked(&mut self, key: &Key) -> Option<Arc<Record>> {
        let entry = self.entries.get_mut(key)?;
        entry.asked = Instant::now();
        Some(Arc::clone(&entry.record))
    }

    /// Stores a record, unless a newer one is there.
    pub(super) fn learn(&mut self, key: Key, record: Record) {
        if self.entries.get(&key).is_some_and(|known| known.record.age() < record.age()) {
            return;
        }
        let asked = self.entries.get(&key).map_or_else(Instant::now, |known| known.asked);
        self.note(&key);
        self.entries.insert(key, Entry { record: Arc::new(record), asked });
        while self.is_full()
            && let Some(key) =
                self.entries.iter().max_by_key(|(_, entry)| entry.record.age()).map(|(key, _)| key.clone())
        {
            self.forget(&key);
        }
    }

    pub(super) fn forget(&mut self, key: &Key) {
        if self.entries.remove(key).is_some() {
            self.note(key);
        }
    }

    /// Forgets all records of a user.
    pub(super) fn forget_user(&mut self, user: &str) {
        for span in [Span::Today, Span::Apart] {
            self.forget(&(user.to_owned(), span));
        }
    }

    /// Takes what has changed since the last time.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let keys = self.changed.as_mut().map(std::mem::take).unwrap_or_default();
        let change = |key: Key| {
            let record = self.entries.get(&key).map(|entry| Arc::clone(&entry.record));
            (key, record)
        };
        keys.into_iter().map(change).collect()
    }

    /// Returns every record, as what has changed, and forgets what did.
    pub(super) fn take_all(&mut self) -> Vec<Change> {
        self.take_changes();
        self.entries.iter().map(|(key, entry)| (key.clone(), Some(Arc::clone(&entry.record)))).collect()
    }

    /// Returns the users whose record from today is older than `age`, and was asked for within `recently`.
    pub(super) fn due(&self, age: Duration, recently: Duration) -> Vec<String> {
        let is_due = |entry: &Entry| entry.record.age() >= age && entry.asked.elapsed() <= recently;
        let due = self.entries.iter().filter(|((_, span), entry)| *span == Span::Today && is_due(entry));
        due.map(|((user, _), _)| user.clone()).collect()
    }

    /// Returns the number of records, and the ages of the oldest and of the newest one.
    pub(super) fn ages(&self) -> (usize, Option<(Duration, Duration)>) {
        let ages = self.entries.values().map(|entry| entry.record.age());
        (self.entries.len(), ages.clone().max().zip(ages.min()))
    }

    fn is_full(&self) -> bool {
        self.entries.len() > RECORDS_MAX
            || self.entries.values().map(|entry| entry.record.slots.len()).sum::<usize>() > SLOTS_TOTAL_MAX
    }

    fn note(&mut self, key: &Key) {
        if let Some(changed) = &mut self.changed {
            changed.insert(key.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freebusy::State;
    use chrono::DateTime;

    #[test]
    fn the_oldest_records_give_way_to_the_memory_of_new_ones() {
        let mut records = Records::default();
        let at = |secs| DateTime::from_timestamp(1_785_000_000 + secs, 0).expect("in range");
        let slots =
            (0..SLOTS_MAX as i64).map(|n| Slot { from: at(n), to: at(n + 1), state: State::Busy }).collect::<Vec<_>>();
        let window = Window::new(at(0), at(SLOTS_MAX as i64));
        let users = SLOTS_TOTAL_MAX / SLOTS_MAX + 3;
        for n in 0..users {
            let age_then = Duration::from_secs((users - n) as u64 * 60);
            let (slots, since, by) = (slots.clone(), Instant::now(), Identity::loopback());
            let record = Record { window, slots, since, age_then, by };
            records.learn((format!("{n:04}@notes.example"), Span::Today), record);
        }
        assert_eq!(records.entries.len(), SLOTS_TOTAL_MAX / SLOTS_MAX);
        assert_eq!(records.entries.keys().next().map(|(user, _)| user.as_str()), Some("0003@notes.example"));
    }

    #[test]
    fn an_older_record_does_not_replace_a_newer_one() {
        let mut records = Records::default();
        records.note_changes();
        let at = DateTime::from_timestamp(1_785_000_000, 0).expect("in range");
        let record = |secs| Record {
            window: Window::new(at, at),
            slots: Vec::new(),
            since: Instant::now(),
            age_then: Duration::from_secs(secs),
            by: Identity::loopback(),
        };
        let key = ("ada@notes.example".to_owned(), Span::Today);
        records.learn(key.clone(), record(100));
        assert_eq!(records.take_changes().len(), 1);
        records.learn(key.clone(), record(200));
        assert!(records.take_changes().is_empty());
        assert_eq!(records.asked(&key).map(|record| record.age().as_secs()), Some(100));
        records.forget_user("ada@notes.example");
        assert!(matches!(&records.take_changes()[..], [(_, None)]));
    }
}
