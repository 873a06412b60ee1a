//! EXCALCON, the add-in task of the Notes side: keeps the link while it is loaded (`load excalcon`, `tell excalcon quit`).

use crate::console::Task;
use crate::link::converse::Own;
use crate::link::line::{Line, LineOwner, LinkState};
use crate::link::{self, Target};
use crate::shutdown::Shutdown;
use std::pin::pin;
use tokio::sync::watch;

/// Its name on the console.
pub(crate) const NAME: &str = "excalcon";

/// The operator's view of the task.
#[derive(Debug)]
pub(crate) struct Excalcon {
    loaded: watch::Sender<bool>,
    server: String,
    line: Line,
}

impl Excalcon {
    /// Creates the view of the task that links to `server`, and what [`run`] needs. The task is loaded.
    pub(crate) fn new(server: String, line: Line) -> (Self, watch::Receiver<bool>) {
        let (loaded, receiver) = watch::channel(true);
        (Self { loaded, server, line }, receiver)
    }

    /// Returns the task as the console lists it.
    pub(crate) fn task(&self) -> Task {
        let status = match (*self.loaded.borrow(), self.line.state()) {
            (false, _) => "not loaded",
            (true, LinkState::Up { .. }) => "up",
            (true, LinkState::Dialling { .. }) => "dialling",
            (true, LinkState::Down { .. }) => "down",
        };
        let stats = self.line.stats();
        Task {
            server: self.server.clone(),
            requests: stats.requests,
            answer_ms_avg: stats.total_ms.checked_div(stats.answered).unwrap_or_default(),
            answer_ms_max: stats.max_ms,
            ..Task::new(NAME, status)
        }
    }

    /// Loads or stops it.
    pub(crate) fn load(&self, loaded: bool) {
        self.loaded.send_replace(loaded);
        tracing::info!(task = NAME, loaded, "task changed");
    }
}

/// Keeps the link whenever the task is loaded, until shutdown. `own` creates what answers the other side's queries.
pub(crate) async fn run<O: Own>(
    target: Target,
    own: impl Fn() -> O,
    line: LineOwner,
    mut loaded: watch::Receiver<bool>,
    mut shutdown: Shutdown,
) {
    let mut epoch = 0;
    loop {
        // An error means that the console is gone, which is so at shutdown only.
        tokio::select! {
            _ = loaded.wait_for(|loaded| *loaded) => {}
            () = shutdown.asked() => return,
        }
        let (switch, stop) = Shutdown::pair();
        let mut keeping = pin!(link::keep(&target, &own, &line, &mut epoch, stop));
        let stopping = tokio::select! {
            () = &mut keeping => return,
            _ = loaded.wait_for(|loaded| !*loaded) => false,
            () = shutdown.asked() => true,
        };
        // The queries that are on their way are answered first.
        switch.stop();
        keeping.await;
        if stopping {
            return;
        }
        line.publish(LinkState::Down { why: "the add-in is not loaded: `calcon load excalcon` starts it".to_owned() });
    }
}
