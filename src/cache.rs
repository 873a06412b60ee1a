//! CALCON's cache of Notes users: a recent record is served directly, otherwise the Notes side is queried. If it does
//! not answer in time, the old record is served, and the late reply is still stored.
//!
//! The records are in memory, and nobody waits for the file that may keep them over restarts.

mod keeper;
mod records;
mod store;

pub use records::{RECORDS_MAX, SLOTS_TOTAL_MAX};

use crate::access::{Attributed, Identity};
use crate::answer::{Answer, Code, Query, Refusal, Source, WINDOW_DAYS_MAX, window_problem};
use crate::freebusy::Window;
use crate::shutdown::Shutdown;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use keeper::Shared;
use records::{Record, Span};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

/// Maximum number of concurrent queries to the other side, including late ones.
pub const FETCHES_MAX: usize = 1024;
/// How long to wait for a late reply in order to store it.
pub const LATE_LIMIT: Duration = Duration::from_secs(30);

/// How often the records are looked through for those to be read again.
const REFRESH_LOOK: Duration = Duration::from_secs(60);
/// A record that nobody has asked for within this time is not read again by itself.
const ASKED_RECENTLY: Duration = Duration::from_secs(24 * 60 * 60);

/// The cache policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// A record younger than this is served without querying.
    pub age_max: Duration,
    /// How long the Notes side may take before the old record is served.
    pub patience: Duration,
    /// Number of days that a record covers, from today; a query that reaches further extends it.
    pub window_days: u32,
    /// How often records that are asked for are read again before anyone asks; `None` for never.
    pub refresh: Option<Duration>,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self { age_max: Duration::from_secs(15 * 60), patience: Duration::from_secs(3), window_days: 60, refresh: None }
    }
}

/// Says whether an identity is still accepted.
pub type Trusts = Box<dyn Fn(&Identity) -> bool + Send + Sync>;

/// The cache.
pub struct Cache {
    policy: CachePolicy,
    trusts: Trusts,
    shared: Arc<Shared>,
    fetches: Arc<Semaphore>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cache").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Cache {
    /// Creates an empty cache. What was answered by somebody whom `trusts` no longer accepts is dropped.
    pub fn new(policy: CachePolicy, trusts: Trusts) -> Self {
        Self { policy, trusts, shared: Arc::default(), fetches: Arc::new(Semaphore::new(FETCHES_MAX)) }
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
        let (wide, span) = self.widened(query.window(), Utc::now());
        let old = self.known(&(query.user.clone(), span));
        if let Some(record) = &old
            && record.age() < self.policy.age_max
            && record.window.covers(&query.window())
        {
            return Ok(record.answer(&query, Source::Cached));
        }
        let old = old.filter(|record| !record.window.intersect(&query.window()).is_empty());
        // Without an old record there is nothing to fall back to early.
        let patience = if old.is_some() { deadline.min(now + self.policy.patience) } else { deadline };
        let fetched = self.fetch(query.about(wide), span, patience, ask);
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
        let (count, ages) = self.shared.lock().ages();
        (count, ages.map(|(oldest, newest)| (oldest.as_secs(), newest.as_secs())))
    }

    /// Keeps the records in a file, if there is to be one, until shutdown. Nobody waits for it.
    pub fn keep(
        self: &Arc<Self>,
        file: Option<PathBuf>,
        shutdown: Shutdown,
    ) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        if file.is_some() {
            shared.lock().note_changes();
        }
        async move {
            if let Some(file) = file {
                keeper::run(file, shared, shutdown).await;
            }
        }
    }

    /// Reads records again that are asked for, before anyone asks, until shutdown. `ask` queries the Notes side.
    pub async fn refresh<A, F>(self: Arc<Self>, ask: A, mut shutdown: Shutdown)
    where
        A: Fn(Query, Instant) -> F,
        F: Future<Output = Result<Attributed, Refusal>> + Send + 'static,
    {
        let Some(every) = self.policy.refresh else { return };
        loop {
            tokio::select! {
                () = sleep(every.min(REFRESH_LOOK)) => {}
                () = shutdown.asked() => return,
            }
            let due = self.shared.lock().due(every, ASKED_RECENTLY);
            for user in due {
                let today = Query::days(user, Utc::now(), 1);
                let (wide, span) = self.widened(today.window(), Utc::now());
                let until = Instant::now() + LATE_LIMIT;
                tokio::select! {
                    // What it says is stored; if there is no answer, the old record stays.
                    _ = self.fetch(today.about(wide), span, until, &ask) => {}
                    () = shutdown.asked() => return,
                }
            }
        }
    }

    /// Returns the window for the other side. It covers as much as a record does, so that the next query is answered
    /// from the cache. One far from today is sent unchanged: the other side would refuse a window that reaches from
    /// today to there.
    fn widened(&self, window: Window, now: DateTime<Utc>) -> (Window, Span) {
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        // One day more, to include a window of that many days from any hour of today.
        let days = i64::from(self.policy.window_days).saturating_add(1).min(WINDOW_DAYS_MAX);
        let hull = Window::new(today, today + TimeDelta::days(days)).hull(&window);
        if window_problem(hull).is_none() { (hull, Span::Today) } else { (window, Span::Apart) }
    }

    /// Returns the record of this key, unless whoever answered is no longer accepted: then it is dropped.
    fn known(&self, key: &(String, Span)) -> Option<Arc<Record>> {
        let record = self.shared.lock().asked(key)?;
        if (self.trusts)(&record.by) {
            return Some(record);
        }
        let by = &record.by;
        tracing::info!(user = key.0, %by, "record dropped: the settings do not accept who answered any more");
        self.shared.lock().forget(key);
        self.shared.changed.notify_one();
        None
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
        let mut records = self.shared.lock();
        match outcome {
            Ok(reply) => records.learn((user.to_owned(), span), Record::from_reply(reply, asked_at)),
            Err(refusal) if refusal.code == Code::UnknownUser => records.forget_user(user),
            Err(_) => {}
        }
        drop(records);
        self.shared.changed.notify_one();
    }
}

/// Returns whether the refusal supersedes any old record.
fn is_final(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::UnknownUser | Code::BadQuery)
}
