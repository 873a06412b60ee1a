//! CALCON's cache of Notes users: a recent record is served directly, otherwise the Notes side is queried. If it does
//! not answer in time, the old record is served, and the late reply is still stored.

use crate::access::{Attributed, Identity};
use crate::answer::{Answer, Code, Query, Refusal, SLOTS_MAX, Source, WINDOW_DAYS_MAX};
use crate::freebusy::{Slot, Window, clip};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Maximum number of records; beyond it the oldest is evicted.
pub const RECORDS_MAX: usize = 10_000;
/// Maximum number of slots in all records together; beyond it the oldest is evicted. They take about 28 bytes each.
pub const SLOTS_TOTAL_MAX: usize = 1_000_000;
/// Maximum number of concurrent queries to the other side, including late ones.
pub const FETCHES_MAX: usize = 1024;
/// How long to wait for a late reply in order to store it.
pub const LATE_LIMIT: Duration = Duration::from_secs(30);

/// The cache policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// A record younger than this is served without querying.
    pub age_max: Duration,
    /// How long the Notes side may take before the old record is served.
    pub patience: Duration,
    /// Number of days that a record covers, from today; a query that reaches further extends it.
    pub window_days: u32,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self { age_max: Duration::from_secs(15 * 60), patience: Duration::from_secs(3), window_days: 60 }
    }
}

/// The last known state of a user.
#[derive(Debug, Clone)]
struct Record {
    window: Window,
    slots: Vec<Slot>,
    /// When the calendar was read, at the earliest: when we queried, minus the age in the reply.
    read_at: Instant,
    /// Who answered.
    by: Identity,
}

/// Says whether an identity is still accepted.
pub type Trusts = Box<dyn Fn(&Identity) -> bool + Send + Sync>;

/// Which of a user's two records a query uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Span {
    /// From today, for the policy's number of days, and further if a query reached further.
    Today,
    /// The window of the last query that was too far from today to be covered by the same record.
    Apart,
}

/// The cache.
pub struct Cache {
    policy: CachePolicy,
    trusts: Trusts,
    records: Mutex<BTreeMap<(String, Span), Record>>,
    fetches: Arc<Semaphore>,
}

impl Cache {
    /// Creates an empty cache. What was answered by somebody whom `trusts` no longer accepts is dropped.
    pub fn new(policy: CachePolicy, trusts: Trusts) -> Self {
        Self { policy, trusts, records: Mutex::default(), fetches: Arc::new(Semaphore::new(FETCHES_MAX)) }
    }

    /// Answers from the record or with `ask`, which queries the Notes side and may complete later.
    ///
    /// # Errors
    /// The refusal of the Notes side, if it reports that there is no such user or if there is no old record.
    pub async fn answer<A, F>(self: &Arc<Self>, query: Query, deadline: Instant, ask: A) -> Result<Answer, Refusal>
    where
        A: FnOnce(Query, Instant) -> F,
        F: Future<Output = Result<Attributed, Refusal>> + Send + 'static,
    {
        let now = Instant::now();
        let (wide, span) = self.widened(&query, Utc::now());
        let old = self.known(&(query.user.clone(), span));
        if let Some(record) = &old
            && now.duration_since(record.read_at) < self.policy.age_max
            && record.window.covers(&query.window())
        {
            return Ok(record.answer(&query, Source::Cached));
        }
        let old = old.filter(|record| !record.window.intersect(&query.window()).is_empty());
        // Without an old record there is nothing to fall back to early.
        let patience = if old.is_some() { deadline.min(now + self.policy.patience) } else { deadline };
        let fetched = self.fetch(wide, span, patience, ask);
        let outcome = match timeout_at(patience, fetched).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refusal::new(Code::TimedOut, "the other side did not answer in time")),
        };
        match (outcome, old) {
            (Ok(reply), _) => Ok(Record::from_reply(&reply, now).answer(&query, Source::Live)),
            (Err(refusal), Some(record)) if !is_final(&refusal) => Ok(record.answer(&query, Source::Stale)),
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// Queries the other side in a separate task, so that a late reply is stored even if its caller has been served.
    async fn fetch<A, F>(
        self: &Arc<Self>,
        wide: Query,
        span: Span,
        patience: Instant,
        ask: A,
    ) -> Result<Attributed, Refusal>
    where
        A: FnOnce(Query, Instant) -> F,
        F: Future<Output = Result<Attributed, Refusal>> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.fetches).try_acquire_owned() else {
            return Err(Refusal::new(Code::Busy, format!("{FETCHES_MAX} questions wait for the other side already")));
        };
        let asked_at = Instant::now();
        let asking = ask(wide.clone(), asked_at + LATE_LIMIT);
        let cache = Arc::clone(self);
        let fetched = tokio::spawn(async move {
            let _place = place;
            let outcome = asking.await.and_then(|reply| cache.trusted(reply));
            cache.learn(&wide.user, span, &outcome, asked_at);
            if outcome.is_ok() && Instant::now() > patience {
                tracing::info!(user = wide.user, "late reply kept");
            }
            outcome
        });
        match fetched.await {
            Ok(outcome) => outcome,
            Err(error) => Err(Refusal::new(Code::Other, format!("asking the other side failed: {error}"))),
        }
    }

    /// Returns the number of records, and the ages of the oldest and of the newest one, in whole seconds.
    pub fn ages(&self) -> (usize, Option<(u64, u64)>) {
        let records = self.lock();
        let ages = records.values().map(|record| record.read_at.elapsed().as_secs());
        (records.len(), ages.clone().max().zip(ages.min()))
    }

    /// Returns the query for the other side. It covers as much as a record does, so that the next query is answered
    /// from the cache. A query far from today is sent unchanged: the other side would refuse a window that reaches from
    /// today to there.
    fn widened(&self, query: &Query, now: DateTime<Utc>) -> (Query, Span) {
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        // One day more, to include a window of that many days from any hour of today.
        let days = i64::from(self.policy.window_days).saturating_add(1).min(WINDOW_DAYS_MAX);
        let hull = Window::new(today, today + TimeDelta::days(days)).hull(&query.window());
        let wide = Query { user: query.user.clone(), from: hull.from, to: hull.to };
        if wide.checked().is_ok() { (wide, Span::Today) } else { (query.clone(), Span::Apart) }
    }

    /// Returns the record of this key, unless whoever answered is no longer accepted: then it is dropped.
    fn known(&self, key: &(String, Span)) -> Option<Record> {
        let mut records = self.lock();
        let by = &records.get(key)?.by;
        if !(self.trusts)(by) {
            tracing::info!(user = key.0, %by, "record dropped: the settings do not accept who answered any more");
            records.remove(key);
        }
        records.get(key).cloned()
    }

    fn trusted(&self, reply: Attributed) -> Result<Attributed, Refusal> {
        if (self.trusts)(&reply.by) {
            return Ok(reply);
        }
        let why = format!("the answer came from {}, which the settings do not accept any more", reply.by);
        Err(Refusal::new(Code::LinkDown, why))
    }

    /// Stores a reply, unless a later query was answered before it; removes a user that no longer exists.
    fn learn(&self, user: &str, span: Span, outcome: &Result<Attributed, Refusal>, asked_at: Instant) {
        let mut records = self.lock();
        match outcome {
            Ok(reply) => {
                let record = Record::from_reply(reply, asked_at);
                let key = (user.to_owned(), span);
                if records.get(&key).is_none_or(|known| known.read_at <= record.read_at) {
                    records.insert(key, record);
                }
            }
            Err(refusal) if refusal.code == Code::UnknownUser => records.retain(|(known, _), _| known != user),
            Err(_) => {}
        }
        let too_many = |records: &BTreeMap<_, Record>| {
            records.len() > RECORDS_MAX
                || records.values().map(|record| record.slots.len()).sum::<usize>() > SLOTS_TOTAL_MAX
        };
        while too_many(&records)
            && let Some(key) = records.iter().min_by_key(|(_, record)| record.read_at).map(|(key, _)| key.clone())
        {
            records.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, Span), Record>> {
        // Each change is a single insert or remove, so a panic elsewhere leaves the map consistent.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cache").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Record {
    fn from_reply(reply: &Attributed, asked_at: Instant) -> Self {
        let Attributed { answer, by } = reply;
        let read_at = asked_at.checked_sub(Duration::from_secs(answer.age_secs)).unwrap_or(asked_at);
        let slots = answer.slots.iter().take(SLOTS_MAX).copied().collect();
        Self { window: answer.window(), slots, read_at, by: by.clone() }
    }

    fn answer(&self, query: &Query, source: Source) -> Answer {
        let slots = clip(query.window(), &self.slots);
        let age_secs = self.read_at.elapsed().as_secs();
        Answer { user: query.user.clone(), from: query.from, to: query.to, slots, source, age_secs }
    }
}

/// Returns whether the refusal supersedes any old record.
fn is_final(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::UnknownUser | Code::BadQuery)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freebusy::State;

    #[test]
    fn the_oldest_records_give_way_to_the_memory_of_new_ones() {
        let cache = Cache::new(CachePolicy::default(), Box::new(|_| true));
        let at = |secs| DateTime::from_timestamp(1_785_000_000 + secs, 0).expect("in range");
        let slots =
            (0..SLOTS_MAX as i64).map(|n| Slot { from: at(n), to: at(n + 1), state: State::Busy }).collect::<Vec<_>>();
        let (from, to) = (at(0), at(SLOTS_MAX as i64));
        let began = Instant::now();
        let users = SLOTS_TOTAL_MAX / SLOTS_MAX + 3;
        for n in 0..users {
            let (user, slots) = (format!("{n:04}@notes.example"), slots.clone());
            let answer = Answer { user: user.clone(), from, to, slots, source: Source::Live, age_secs: 0 };
            let reply = Attributed { answer, by: Identity::loopback() };
            cache.learn(&user, Span::Today, &Ok(reply), began + Duration::from_secs(n as u64));
        }
        let records = cache.lock();
        assert_eq!(records.len(), SLOTS_TOTAL_MAX / SLOTS_MAX);
        assert_eq!(records.keys().next().map(|(user, _)| user.as_str()), Some("0003@notes.example"));
    }
}
