//! The access settings in effect: read at start, and again at each reload.

use super::Access;
use crate::browse_log::{self, Event};
use crate::error::Error;
use std::fmt;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

/// Reads the access settings. Called at start and at each reload, on a thread that may block.
#[derive(Clone)]
pub struct Source(Arc<Read>);

type Read = dyn Fn() -> Result<Access, Error> + Send + Sync;

impl Source {
    /// Wraps a function that reads them.
    pub fn new(read: impl Fn() -> Result<Access, Error> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Lets the programs of this machine in.
    pub fn loopback() -> Self {
        Self::new(|| Ok(Access::loopback()))
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`Error::Settings`] with what is wrong.
    pub fn read(&self) -> Result<Access, Error> {
        self.0()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Source(..)")
    }
}

/// The settings in effect. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Current {
    source: Source,
    access: Arc<watch::Sender<Arc<Access>>>,
}

impl Current {
    /// Reads the settings for the first time.
    ///
    /// # Errors
    /// [`Error::Settings`] with what is wrong.
    pub fn open(source: Source) -> Result<Self, Error> {
        let access = Arc::new(source.read()?);
        Ok(Self { source, access: Arc::new(watch::Sender::new(access)) })
    }

    /// Returns the settings in effect.
    pub fn get(&self) -> Arc<Access> {
        Arc::clone(&self.access.borrow())
    }

    /// Reads the settings again. New connections use them; a link goes on, unless its identity is no longer accepted.
    ///
    /// # Errors
    /// [`Error::Settings`] with what is wrong; the previous settings stay in effect.
    pub async fn reload(&self) -> Result<(), Error> {
        let source = self.source.clone();
        let read = spawn_blocking(move || source.read()).await;
        let read = read.unwrap_or_else(|error| Err(Error::Settings(format!("cannot read the settings: {error}"))));
        let outcome = read.and_then(|access| {
            if access.is_secured() != self.get().is_secured() {
                let why = "TLS is switched on or off at a start only: restart the daemon";
                return Err(Error::Settings(why.to_owned()));
            }
            self.access.send_replace(Arc::new(access));
            Ok(())
        });
        match &outcome {
            Ok(()) => tracing::info!("access settings reloaded"),
            Err(error) => browse_log::report(&Event::NotReloaded { why: error.to_string() }),
        }
        outcome
    }

    /// Reads the settings again at each SIGHUP. The returned set owns the task that waits for it.
    ///
    /// # Errors
    /// [`Error::Signals`] if the signal cannot be handled.
    pub(crate) fn reload_on_hangup(&self) -> Result<JoinSet<()>, Error> {
        let mut hangups = signal(SignalKind::hangup()).map_err(Error::Signals)?;
        let (current, mut waiting) = (self.clone(), JoinSet::new());
        waiting.spawn(async move {
            while hangups.recv().await.is_some() {
                // What is wrong is in the log.
                let _ = current.reload().await;
            }
        });
        Ok(waiting)
    }

    /// Waits until the settings in effect fulfil a condition.
    pub(crate) async fn until(&self, condition: impl Fn(&Access) -> bool) {
        // Cannot fail, because we own the sender.
        let _ = self.access.subscribe().wait_for(|access| condition(access)).await;
    }
}
