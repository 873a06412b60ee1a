//! The Exchange side's end of the link: accepts the add-in's connection, and lets only a newer one replace it.
//!
//! Whether a link is newer is up to the add-in: it started later, or it is a later attempt of the same one. By the order of
//! arrival, two add-ins would replace each other forever, and a message that was delayed would replace a link that works.

use super::converse::{End, converse};
use super::line::{ASKS_MAX, LineOwner, LinkState};
use crate::access::{Current, Identity};
use crate::answer::{Code, Refusal};
use crate::calendars::Calendars;
use crate::channel::Channel;
use crate::shutdown::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// The links that add-ins established, one after the other.
#[derive(Debug)]
pub(crate) struct Links {
    line: LineOwner,
    epochs: AtomicU64,
    held: Mutex<Option<Holder>>,
}

/// The place of a link in the order of those of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// When its add-in started, in microseconds since 1970.
    pub(crate) boot: u64,
    /// The add-in's number for it.
    pub(crate) epoch: u64,
}

/// The link that is up.
#[derive(Debug)]
struct Holder {
    rank: Rank,
    epoch: u64,
    /// Dropped to end it.
    _replaced: oneshot::Sender<()>,
}

impl Links {
    /// Starts without a link.
    pub(crate) fn new(line: LineOwner) -> Self {
        Self { line, epochs: AtomicU64::new(0), held: Mutex::default() }
    }

    /// Checks that a link of this rank may be established now, and returns its epoch.
    ///
    /// # Errors
    /// [`Code::Denied`] if one that is as new is up. If that one is half-open, its keep-alive ends it soon.
    pub(crate) fn next_epoch(&self, rank: Rank) -> Result<u64, Refusal> {
        newer(rank, self.held().as_ref())?;
        Ok(self.epochs.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Runs a link from its handshake to its end.
    pub(crate) async fn hold(
        &self,
        channel: Channel,
        (epoch, rank): (u64, Rank),
        (identity, access): (Identity, &Current),
        calendars: Arc<Calendars>,
        mut shutdown: Shutdown,
    ) {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let replaced = match self.take(epoch, rank, identity.clone(), asks) {
            Ok(replaced) => replaced,
            Err(refusal) => {
                tracing::info!(target: "calcon::link", epoch, reason = %refusal, "link attempt failed");
                return;
            }
        };
        tracing::info!(target: "calcon::link", epoch, peer = %identity, "link up");
        let held = Held { links: self, epoch };
        let end = tokio::select! {
            end = converse(channel, epoch, asked, calendars, shutdown.asked()) => end,
            _ = replaced => End::Replaced,
            () = access.until(|access| !access.trusts(&identity)) => End::NotTrusted,
        };
        drop(held);
        tracing::info!(target: "calcon::link", epoch, reason = %end, "link down");
    }

    /// Makes a link the one that is up; returns what resolves when another one replaces it.
    fn take(
        &self,
        epoch: u64,
        rank: Rank,
        peer: Identity,
        asks: mpsc::Sender<super::line::Ask>,
    ) -> Result<oneshot::Receiver<()>, Refusal> {
        let mut held = self.held();
        newer(rank, held.as_ref())?;
        if let Some(old) = &*held {
            tracing::info!(
                target: "calcon::link", epoch, of = old.epoch, %peer, boot = rank.boot, attempt = rank.epoch,
                "link replaced by a newer one"
            );
        }
        let (_replaced, replaced) = oneshot::channel();
        *held = Some(Holder { rank, epoch, _replaced });
        self.line.publish(LinkState::Up { peer, asks });
        Ok(replaced)
    }

    fn held(&self) -> MutexGuard<'_, Option<Holder>> {
        // Nothing panics while it is locked.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn newer(rank: Rank, held: Option<&Holder>) -> Result<(), Refusal> {
    match held {
        Some(held) if held.rank >= rank => {
            let which = if held.rank.boot > rank.boot { "an add-in that started later" } else { "a later attempt" };
            Err(Refusal::new(Code::Denied, format!("{which} has the link: only a newer one replaces it")))
        }
        _ => Ok(()),
    }
}

/// Resets the link state on every path, even when its task is aborted.
struct Held<'a> {
    links: &'a Links,
    epoch: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self.links.held();
        // A replaced link must not affect its successor.
        if held.take_if(|held| held.epoch == self.epoch).is_some() {
            let why = "the add-in's connection ended; it dials again by itself".to_owned();
            self.links.line.publish(LinkState::Down { why });
        }
    }
}
