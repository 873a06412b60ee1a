//! Tells every part of a daemon that it shall stop, once the operator says so.

use crate::error::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A part's view: whether to stop.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Gives the word to stop. Dropping it gives the word as well, so that nobody waits for ever.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<bool>);

impl Shutdown {
    /// A switch and the view of it.
    pub fn pair() -> (StopSwitch, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (StopSwitch(sender), Shutdown(receiver))
    }

    /// Returns once the word is given; at once, if it was given before.
    pub async fn asked(&mut self) {
        // An error means that the switch is gone, which is the word too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl StopSwitch {
    /// Gives the word.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Stops at SIGTERM or ctrl-c. The task that waits for them lives as long as the set that is returned.
///
/// # Errors
/// [`Error::Signals`] when the system does not let us wait for them.
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
