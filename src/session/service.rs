//! Provides sessions: one per holder, shared by all its connections, for the duration of a query.

use super::registry::{Cause, Registry, User};
use super::table::{Closing, Handle, Refused, State, Table};
use crate::answer::{Code, Refusal};
use crate::browse_log::{self, Event};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

/// Upper limit of [`Limits::sessions_max`]: the list of all sessions must fit into a frame.
pub const SESSIONS_MAX: usize = 4096;

/// The kind of resource in reports: each that is opened is closed.
pub(super) const KIND: &str = "notes.session";
/// The target of these reports.
pub(super) const TARGET: &str = "calcon::session";

/// The configured limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of sessions, including those being closed (Notes: `Server_MaxSessions`).
    pub sessions_max: usize,
    /// How long a session may be unused: it is closed after once to twice this time.
    pub idle: Duration,
}

impl Default for Limits {
    /// 1,024 sessions, 15 minutes.
    fn default() -> Self {
        Self { sessions_max: 1024, idle: Duration::from_secs(15 * 60) }
    }
}

/// The sessions of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub(super) core: Arc<Core>,
    /// To the closer. Bounded by the size of the table, because each slot closes once at a time.
    closing: mpsc::UnboundedSender<Closing>,
}

/// State shared by the service and its closer.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) table: Table,
    pub(super) registry: Mutex<Registry<Hold>>,
    pub(super) limits: Limits,
    /// Wakes those who wait for their session to be dropped.
    dropped: Notify,
}

/// A connection's seat at the server. The session behind it is opened by the first query, and closed when the last
/// connection of the same holder has ended.
#[derive(Debug)]
pub struct Seat {
    sessions: Sessions,
    holder: String,
}

/// Holds a session, and releases it when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    sessions: Sessions,
    handle: Handle,
}

impl Sessions {
    /// Creates sessions, none of them open. Those to be closed go to `closing`, whose receiver must close them.
    pub(super) fn closed_by(limits: Limits, closing: mpsc::UnboundedSender<Closing>) -> Self {
        let limits = Limits { sessions_max: limits.sessions_max.clamp(1, SESSIONS_MAX), ..limits };
        let (table, registry) = (Table::new(limits.sessions_max), Mutex::new(Registry::new()));
        Self { core: Arc::new(Core { table, registry, limits, dropped: Notify::new() }), closing }
    }

    /// Adds a connection of this holder.
    pub fn seat(&self, holder: impl Into<String>) -> Seat {
        let holder = holder.into();
        self.core.registry().sit(&holder);
        Seat { sessions: self.clone(), holder }
    }

    /// Returns the limits in effect.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// Returns how many sessions were opened so far, and how many of them are not closed yet.
    pub(crate) fn numbers(&self) -> (u64, usize) {
        let registry = self.core.registry();
        (registry.opened, registry.records.len())
    }

    /// Returns every session that is open or closing, by slot.
    pub fn users(&self) -> Vec<User> {
        let registry = self.core.registry();
        let now = Instant::now();
        let user = |view: super::table::View| {
            let record = registry.records.get(&view.handle)?;
            let secs = |since: Instant| now.saturating_duration_since(since).as_secs();
            Some(User {
                session: view.handle.to_string(),
                holder: record.holder.clone(),
                closing: view.state == State::Closing,
                in_use: view.holds.saturating_sub(u32::from(record.cause.is_none())),
                uses: record.uses,
                open_secs: secs(record.since),
                idle_secs: secs(record.last_used),
            })
        };
        self.core.table.sessions().filter_map(user).collect()
    }

    /// Drops a session: no further query uses it, and it is closed after the current ones.
    ///
    /// # Errors
    /// [`Refused::Stale`] if it is closed, [`Refused::Closing`] if it is being closed.
    pub fn drop_session(&self, handle: Handle) -> Result<(), Refused> {
        self.core.table.revoke(handle)?;
        self.core.let_go(handle, Cause::Dropped);
        self.core.dropped.notify_waiters();
        Ok(())
    }

    /// Waits until a session that the caller holds is dropped. Until it releases the session, that is not closed.
    pub(crate) async fn until_dropped(&self, handle: Handle) {
        loop {
            let mut dropped = pin!(self.core.dropped.notified());
            // Before the look: what is dropped after it wakes us.
            dropped.as_mut().enable();
            if !self.core.table.sessions().any(|view| view.handle == handle && view.state == State::Open) {
                return;
            }
            dropped.await;
        }
    }

    /// Holds the session of a holder, opening it if necessary; `None` while every slot is taken.
    fn hold(&self, holder: &str) -> Option<Hold> {
        let mut registry = self.core.registry();
        let current = registry.holders.get(holder)?.session.as_ref().map(|hold| hold.handle);
        let acquired = current.filter(|handle| self.core.table.acquire(*handle).is_ok());
        let handle = match acquired {
            Some(handle) => handle,
            None => self.open(&mut registry, holder)?,
        };
        registry.used(handle);
        Some(Hold { sessions: self.clone(), handle })
    }

    /// Opens a session for a holder, and acquires it. Its previous one, if any, is being closed.
    fn open(&self, registry: &mut Registry<Hold>, holder: &str) -> Option<Handle> {
        let handle = self.core.table.open()?;
        let first = Hold { sessions: self.clone(), handle };
        tracing::info!(target: TARGET, kind = KIND, id = %handle, holder, "opened");
        registry.opened(handle, holder);
        registry.holders.get_mut(holder)?.session = Some(first);
        self.core.table.acquire(handle).ok().map(|()| handle)
    }
}

impl Core {
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry<Hold>> {
        // Every change under this lock is completed before anything can panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the holder's share of a revoked session, so that it closes after the queries that use it.
    pub(super) fn let_go(&self, handle: Handle, cause: Cause) {
        let mut registry = self.registry();
        let Some(holder) = registry.caused(handle, cause).map(str::to_owned) else { return };
        let session = registry.holders.get_mut(&holder).map(|holder| &mut holder.session);
        // If the holder has another session by now, that one stays.
        let hold = session.and_then(|session| session.take_if(|hold| hold.handle == handle));
        drop(registry);
        drop(hold);
    }
}

impl Seat {
    /// Runs a future under the holder's session, which cannot be closed meanwhile. Waits for a slot until the deadline.
    ///
    /// # Errors
    /// [`Code::Busy`] if no slot was free in time (event 5009).
    pub async fn scoped<F: Future>(
        &self,
        deadline: Instant,
        work: impl FnOnce(Handle) -> F,
    ) -> Result<F::Output, Refusal> {
        let hold = match self.sessions.hold(&self.holder) {
            Some(hold) => hold,
            None => self.wait(deadline).await?,
        };
        tracing::debug!(target: TARGET, kind = KIND, id = %hold.handle, "acquired");
        Ok(work(hold.handle).await)
    }

    async fn wait(&self, deadline: Instant) -> Result<Hold, Refusal> {
        let mut waiting = self.sessions.core.table.waiting();
        let slot = poll_fn(|context| waiting.poll(context, || self.sessions.hold(&self.holder)));
        timeout_at(deadline, slot).await.map_err(|_| {
            let event = Event::SessionsInUse { sessions_max: self.sessions.core.limits.sessions_max };
            browse_log::report(&event);
            Refusal::new(Code::Busy, event.to_string())
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut registry = self.sessions.core.registry();
        let hold = registry.leave(&self.holder);
        if let Some(hold) = &hold {
            registry.caused(hold.handle, Cause::Left);
            // The holder's current queries keep the session until they end.
            let _ = self.sessions.core.table.revoke(hold.handle);
        }
        // Dropping the hold may lock the registry.
        drop(registry);
        drop(hold);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        tracing::debug!(target: TARGET, kind = KIND, id = %self.handle, "released");
        match self.sessions.core.table.release(self.handle) {
            Ok(None) => {}
            // The closer is gone only when the server is.
            Ok(Some(closing)) => drop(self.sessions.closing.send(closing)),
            Err(reason) => tracing::error!(session = %self.handle, %reason, "released twice: please report this"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_sessions_is_within_what_a_list_can_show() {
        let sessions_max = |sessions_max| {
            let (sessions, _closer) = Sessions::new(Limits { sessions_max, ..Limits::default() });
            assert_eq!(sessions.limits().idle, Limits::default().idle);
            sessions.limits().sessions_max
        };
        assert_eq!([0, 1, 7, SESSIONS_MAX, usize::MAX].map(sessions_max), [1, 1, 7, SESSIONS_MAX, SESSIONS_MAX]);
    }
}
