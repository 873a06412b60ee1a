//! Ends a daemon that does not end by itself, so that SIGTERM is obeyed within a second always: what drains may wait for a thread that
//! is blocked, such as by a log that nobody reads.

use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long a daemon may take to end after SIGTERM or Ctrl-C. Longer than all its limits of draining together.
const STOP_LIMIT: Duration = Duration::from_millis(900);

/// Starts watching, on a thread of its own: those of the daemon may all be blocked. Without that thread nothing is watched.
pub(crate) fn start() {
    let watch = || {
        if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
            runtime.block_on(stop());
            thread::sleep(STOP_LIMIT);
            // Not reported: writing it may block.
            std::process::exit(0);
        }
    };
    // If there is none, that is no reason not to serve.
    let _ = thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
}

/// Waits for a signal to stop.
#[cfg(unix)]
async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Waits for a signal to stop.
#[cfg(not(unix))]
async fn stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
