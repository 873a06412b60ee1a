//! Closes sessions one after the other: each is audited, then its slot is freed. Also closes idle sessions.

use super::audit::{Audit, Closed};
use super::registry::Cause;
use super::service::{Core, KIND, Limits, Sessions, TARGET};
use super::table::Closing;
use crate::browse_log::{self, Event};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{interval, sleep, timeout};

/// Time limit of an attempt to audit.
pub const AUDIT_LIMIT: Duration = Duration::from_secs(2);
/// Maximum number of attempts.
const AUDIT_TRIES: u32 = 3;
/// Delay before the next attempt.
const AUDIT_PAUSE: Duration = Duration::from_millis(200);

/// The closing task.
#[derive(Debug)]
pub struct Closer {
    core: Arc<Core>,
    to_close: mpsc::UnboundedReceiver<Closing>,
}

impl Sessions {
    /// Creates the sessions and the [`Closer`], which must run as long as they exist.
    pub fn new(limits: Limits) -> (Self, Closer) {
        let (closing, to_close) = mpsc::unbounded_channel();
        let sessions = Self::closed_by(limits, closing);
        let core = Arc::clone(&sessions.core);
        (sessions, Closer { core, to_close })
    }
}

impl Closer {
    /// Closes sessions until the service, all its seats, and the last session are gone.
    pub async fn run(mut self, audit: impl Audit) {
        let mut sweeps = interval(self.core.limits.idle.max(Duration::from_secs(1)));
        loop {
            tokio::select! {
                closing = self.to_close.recv() => match closing {
                    Some(closing) => self.close(closing, &audit).await,
                    None => return,
                },
                _ = sweeps.tick() => self.sweep(),
            }
        }
    }

    fn sweep(&self) {
        for handle in self.core.table.sweep() {
            self.core.let_go(handle, Cause::Idle);
        }
    }

    /// Closes a session. A failed audit is reported and the session closed nevertheless: losing a slot forever would be
    /// worse than losing a line.
    async fn close(&self, closing: Closing, audit: &impl Audit) {
        let session = closing.handle();
        let record = self.core.registry().records.get(&session).cloned();
        if let Some(record) = record {
            let open_secs = record.since.elapsed().as_secs();
            let (holder, opened, uses) = (record.holder, record.opened, record.uses);
            let cause = record.cause.unwrap_or(Cause::Left);
            let closed = Closed { session, holder, opened, open_secs, uses, cause };
            if let Err(why) = record_patiently(&closed, audit).await {
                browse_log::report(&Event::NotAudited { what: format!("{closed}: {why}") });
            }
            let holder = closed.holder;
            tracing::info!(target: TARGET, kind = KIND, id = %session, holder, %cause, uses, "closed");
        }
        self.core.registry().records.remove(&session);
        self.core.table.closed(closing);
    }
}

async fn record_patiently(closed: &Closed, audit: &impl Audit) -> Result<(), String> {
    let mut attempt = 1;
    loop {
        let why = match timeout(AUDIT_LIMIT, audit.record(closed)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("nothing happened for {} s", AUDIT_LIMIT.as_secs()),
        };
        if attempt == AUDIT_TRIES {
            return Err(why);
        }
        attempt += 1;
        sleep(AUDIT_PAUSE).await;
    }
}
