//! CALCON's records of Notes users: a young one is served, else the Notes side is asked for a limited time; when it
//! does not answer in time the old record is served, and a late reply is still kept.

use crate::answer::{Answer, Code, Query, Refusal, SLOTS_MAX, Source, WINDOW_DAYS_MAX};
use crate::freebusy::{Slot, Window, clip};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Most records; beyond it the oldest record goes.
pub const RECORDS_MAX: usize = 10_000;
/// Most questions to the other side at once, late ones included.
pub const FETCHES_MAX: usize = 1024;
/// How long a late reply is waited for, to be kept.
pub const LATE_LIMIT: Duration = Duration::from_secs(30);

/// How the cache decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// A record younger than this is served without asking.
    pub age_max: Duration,
    /// How long the Notes side may take before the old record is served.
    pub patience: Duration,
    /// How many days a record spans, from today; a question that reaches further makes it longer.
    pub window_days: u32,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self { age_max: Duration::from_secs(15 * 60), patience: Duration::from_secs(3), window_days: 60 }
    }
}

/// What was last heard about a user.
#[derive(Debug, Clone)]
struct Record {
    window: Window,
    slots: Vec<Slot>,
    /// When the calendar was read, as early as it can have been: when we asked, less the age that the reply told.
    read_at: Instant,
}

/// Which of the two records of a user a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Span {
    /// From today, for as many days as the policy says, and further if a question reached further.
    Today,
    /// The window of the last question that was too far from today to be asked about together with it.
    Apart,
}

/// The records.
#[derive(Debug)]
pub struct Cache {
    policy: CachePolicy,
    records: Mutex<BTreeMap<(String, Span), Record>>,
    fetches: Arc<Semaphore>,
}

impl Cache {
    /// No record yet.
    pub fn new(policy: CachePolicy) -> Self {
        Self { policy, records: Mutex::default(), fetches: Arc::new(Semaphore::new(FETCHES_MAX)) }
    }

    /// Answers from the record or by `ask`, which asks the Notes side and may be left to end later.
    ///
    /// # Errors
    /// The refusal of the Notes side, when it says that there is no such user or when there is no old record.
    pub async fn answer<A, F>(self: &Arc<Self>, query: Query, deadline: Instant, ask: A) -> Result<Answer, Refusal>
    where
        A: FnOnce(Query, Instant) -> F,
        F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
    {
        let now = Instant::now();
        let (wide, span) = self.widened(&query, Utc::now());
        let old = self.lock().get(&(query.user.clone(), span)).cloned();
        if let Some(record) = &old
            && now.duration_since(record.read_at) < self.policy.age_max
            && record.window.covers(&query.window())
        {
            return Ok(record.answer(&query, Source::Cached));
        }
        let old = old.filter(|record| !record.window.intersect(&query.window()).is_empty());
        // Without an old record there is nothing to serve early.
        let patience = if old.is_some() { deadline.min(now + self.policy.patience) } else { deadline };
        let fetched = self.fetch(wide, span, patience, ask);
        let outcome = match timeout_at(patience, fetched).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refusal::new(Code::TimedOut, "the other side did not answer in time")),
        };
        match (outcome, old) {
            (Ok(answer), _) => {
                let record = Record::from_reply(&answer, now);
                Ok(record.answer(&query, Source::Live))
            }
            (Err(refusal), Some(record)) if !is_final(&refusal) => Ok(record.answer(&query, Source::Stale)),
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// Asks the other side in a task of its own, so that a late reply is kept although its asker has been served.
    async fn fetch<A, F>(
        self: &Arc<Self>,
        wide: Query,
        span: Span,
        patience: Instant,
        ask: A,
    ) -> Result<Answer, Refusal>
    where
        A: FnOnce(Query, Instant) -> F,
        F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.fetches).try_acquire_owned() else {
            return Err(Refusal::new(Code::Busy, format!("{FETCHES_MAX} questions wait for the other side already")));
        };
        let asked_at = Instant::now();
        let asking = ask(wide.clone(), asked_at + LATE_LIMIT);
        let cache = Arc::clone(self);
        let fetched = tokio::spawn(async move {
            let _place = place;
            let outcome = asking.await;
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

    /// The question to the other side: as much as a record spans, so that the next question finds its answer here.
    /// A question far from today is asked as it is: the other side would refuse a window that reaches from today to
    /// there.
    fn widened(&self, query: &Query, now: DateTime<Utc>) -> (Query, Span) {
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        // One day more, so that a window of that many days from any hour of today is inside.
        let days = i64::from(self.policy.window_days).saturating_add(1).min(WINDOW_DAYS_MAX);
        let hull = Window::new(today, today + TimeDelta::days(days)).hull(&query.window());
        let wide = Query { user: query.user.clone(), from: hull.from, to: hull.to };
        if wide.checked().is_ok() { (wide, Span::Today) } else { (query.clone(), Span::Apart) }
    }

    /// Keeps a reply, unless a later question was answered before it; forgets a user that is gone.
    fn learn(&self, user: &str, span: Span, outcome: &Result<Answer, Refusal>, asked_at: Instant) {
        let mut records = self.lock();
        match outcome {
            Ok(answer) => {
                let record = Record::from_reply(answer, asked_at);
                let key = (user.to_owned(), span);
                if records.get(&key).is_none_or(|known| known.read_at <= record.read_at) {
                    records.insert(key, record);
                }
            }
            Err(refusal) if refusal.code == Code::UnknownUser => records.retain(|(known, _), _| known != user),
            Err(_) => {}
        }
        if records.len() > RECORDS_MAX
            && let Some(key) = records.iter().min_by_key(|(_, record)| record.read_at).map(|(key, _)| key.clone())
        {
            records.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, Span), Record>> {
        // Each change is one insert or one remove: a panic elsewhere leaves the map whole.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn from_reply(answer: &Answer, asked_at: Instant) -> Self {
        let read_at = asked_at.checked_sub(Duration::from_secs(answer.age_secs)).unwrap_or(asked_at);
        let slots = answer.slots.iter().take(SLOTS_MAX).copied().collect();
        Self { window: answer.window(), slots, read_at }
    }

    fn answer(&self, query: &Query, source: Source) -> Answer {
        let slots = clip(query.window(), &self.slots);
        let age_secs = self.read_at.elapsed().as_secs();
        Answer { user: query.user.clone(), from: query.from, to: query.to, slots, source, age_secs }
    }
}

/// Whether the other side knows better than any old record.
fn is_final(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::UnknownUser | Code::BadQuery)
}
