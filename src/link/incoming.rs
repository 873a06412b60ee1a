//! The Exchange side's end of the link: accepts the add-in's connection, and lets a newer one replace it.

use super::converse::{End, converse};
use super::line::{ASKS_MAX, LineOwner, LinkState};
use crate::calendar::Calendars;
use crate::channel::Channel;
use crate::shutdown::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// The links that add-ins established, one after the other.
#[derive(Debug)]
pub(crate) struct Links {
    line: LineOwner,
    epochs: AtomicU64,
}

impl Links {
    /// Starts without a link.
    pub(crate) fn new(line: LineOwner) -> Self {
        Self { line, epochs: AtomicU64::new(0) }
    }

    /// Returns the epoch of the next link.
    pub(crate) fn next_epoch(&self) -> u64 {
        self.epochs.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Runs a link from its handshake to its end.
    pub(crate) async fn hold(&self, channel: Channel, epoch: u64, calendars: Arc<Calendars>, mut shutdown: Shutdown) {
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        // The old link may be half-open, which only its keep-alive would detect: the newer one always wins.
        if !self.line.publish_up(epoch, asks) {
            tracing::info!(target: "calcon::link", epoch, reason = %End::Replaced, "link attempt failed");
            return;
        }
        tracing::info!(target: "calcon::link", epoch, "link up");
        let held = Held { line: &self.line, epoch };
        let end = tokio::select! {
            end = converse(channel, epoch, asked, calendars, shutdown.asked()) => end,
            () = self.line.replaced(epoch) => End::Replaced,
        };
        drop(held);
        tracing::info!(target: "calcon::link", epoch, reason = %end, "link down");
    }
}

/// Resets the link state on every path, even when its task is aborted.
struct Held<'a> {
    line: &'a LineOwner,
    epoch: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let why = "the add-in's connection ended; it dials again by itself".to_owned();
        self.line.publish_if_still(self.epoch, LinkState::Down { why });
    }
}
