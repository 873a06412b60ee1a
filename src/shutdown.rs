//! Signals shutdown to every part of a daemon.

use crate::error::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A part's view of the shutdown signal.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Starts the shutdown. Dropping it does so as well, so that no part waits forever.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<bool>);

impl Shutdown {
    /// Creates a switch and a view of it.
    pub fn pair() -> (StopSwitch, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (StopSwitch(sender), Shutdown(receiver))
    }

    /// Waits until shutdown starts.
    pub async fn asked(&mut self) {
        // An error means that the switch was dropped, which starts the shutdown, too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl StopSwitch {
    /// Starts the shutdown.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Starts the shutdown on SIGTERM or Ctrl-C. The returned set owns the task that waits for them.
///
/// # Errors
/// [`Error::Signals`] if the signals cannot be handled.
pub fn on_signal() -> Result<(Shutdown, JoinSet<()>), Error> {
    let (switch, shutdown) = Shutdown::pair();
    let mut waiting = JoinSet::new();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
        waiting.spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = tokio::signal::ctrl_c() => "ctrl-c",
            };
            tracing::info!(signal = name, "stopping");
            switch.stop();
        });
    }
    #[cfg(not(unix))]
    waiting.spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!(signal = "ctrl-c", "stopping");
        switch.stop();
    });
    Ok((shutdown, waiting))
}
