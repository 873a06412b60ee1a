//! LME-NOTES-NTSMEX, the task of the Notes side that needs a session: it has the calendars read ahead, every minute (Q245545).
//!
//! It runs inside its session: there is no way to start it without one, and the session cannot be closed before it has stopped.
//! So whenever it runs, `show users` lists its identity.

use crate::access::Current;
use crate::backoff::Backoff;
use crate::browse_log::{self, Event};
use crate::calendars::Calendars;
use crate::console::Task;
use crate::problem::{Cause, Problem};
use crate::profile;
use crate::session::{Handle, Sessions};
use crate::shutdown::Shutdown;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, sleep, timeout};

/// Its name on the console.
pub(crate) const NAME: &str = "ntsmex";
/// The kind of its runs in reports; the id of one is that of its session.
const KIND: &str = "calcon.ntsmex";
/// How long it waits for a session when all are in use.
const SESSION_PATIENCE: Duration = Duration::from_secs(5);
/// How often the calendars are read ahead.
const READ_EVERY: Duration = Duration::from_secs(60);
/// How long reading the profile may take: the file system may hang.
const PROFILE_LIMIT: Duration = Duration::from_secs(5);
/// The maximum delay before it tries again to open a session.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A run that lasted this long was good: the back-off starts again from the minimum.
const GOOD_RUN: Duration = Duration::from_secs(10);

/// What the task needs.
pub(crate) struct Needs {
    /// The Notes.ini.
    pub(crate) profile: PathBuf,
    /// The name that its ID file must have.
    pub(crate) identity: String,
    /// Where it gets its session.
    pub(crate) sessions: Sessions,
    /// Says whether the identity is still accepted.
    pub(crate) access: Current,
    /// What it has read ahead.
    pub(crate) calendars: Arc<Calendars>,
}

/// The operator's view of the task.
#[derive(Debug)]
pub(crate) struct Ntsmex {
    loaded: watch::Sender<bool>,
    state: watch::Receiver<State>,
}

/// What the task does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It is not loaded, or this side is stopping.
    NotLoaded,
    /// It opens a session.
    Starting,
    /// It has no session, and tries again.
    Waiting {
        /// Why it has none.
        why: String,
    },
    /// It runs.
    Running {
        /// The name under which `show users` lists it.
        holder: String,
        /// Its session.
        session: Handle,
    },
}

/// Creates the view of a task, which is loaded, and the task itself.
pub(crate) fn load(needs: Needs, shutdown: Shutdown) -> (Ntsmex, impl Future<Output = ()>) {
    let (loaded, is_loaded) = watch::channel(true);
    let (publish, state) = watch::channel(State::NotLoaded);
    (Ntsmex { loaded, state }, run(needs, publish, is_loaded, shutdown))
}

impl Ntsmex {
    /// Returns the task as the console lists it.
    pub(crate) fn task(&self) -> Task {
        let (status, holder, session, why) = match &*self.state.borrow() {
            State::NotLoaded => ("not loaded", None, None, None),
            State::Starting => ("starting", None, None, None),
            State::Waiting { why } => ("waiting", None, None, Some(why.clone())),
            State::Running { holder, session } => ("running", Some(holder.clone()), Some(session.to_string()), None),
        };
        Task { holder, session, why, ..Task::new(NAME, status) }
    }

    /// Loads or stops it.
    pub(crate) fn load(&self, loaded: bool) {
        self.loaded.send_replace(loaded);
        tracing::info!(task = NAME, loaded, "task changed");
    }
}

/// Runs the task whenever it is loaded and has a session, until shutdown.
async fn run(needs: Needs, state: watch::Sender<State>, mut loaded: watch::Receiver<bool>, mut shutdown: Shutdown) {
    loop {
        // An error means that the console is gone, which is so at shutdown only.
        let is_loaded = tokio::select! {
            is_loaded = loaded.wait_for(|loaded| *loaded) => is_loaded.is_ok(),
            () = shutdown.asked() => false,
        };
        if !is_loaded {
            return;
        }
        tokio::select! {
            never = needs.supervise(&state) => match never {},
            _ = loaded.wait_for(|loaded| !*loaded) => {}
            () = shutdown.asked() => {}
        }
        state.send_replace(State::NotLoaded);
    }
}

impl Needs {
    /// Starts the task again whenever it has ended, and says each time why it has no session.
    async fn supervise(&self, state: &watch::Sender<State>) -> Infallible {
        let mut backoff = Backoff::up_to(RETRY_MAX);
        loop {
            state.send_replace(State::Starting);
            let began = Instant::now();
            let why = match self.start(state).await {
                Ok(never) => match never {},
                Err(why) => why,
            };
            if began.elapsed() >= GOOD_RUN {
                backoff = Backoff::up_to(RETRY_MAX);
            }
            browse_log::report(&Event::NoSession { why: why.clone() });
            state.send_replace(State::Waiting { why });
            sleep(backoff.next_wait()).await;
        }
    }

    /// Opens a session and runs the task inside it; returns why there is none, or none any more.
    async fn start(&self, state: &watch::Sender<State>) -> Result<Infallible, String> {
        let identity = self.identify().await?;
        let seat = self.sessions.seat(&identity);
        let deadline = Instant::now() + SESSION_PATIENCE;
        let ran = seat.scoped(deadline, |session| self.work(session, &identity, state)).await;
        Err(ran.unwrap_or_else(|refusal| refusal.text))
    }

    /// Returns the name in the ID file, if the profile and the server accept it.
    async fn identify(&self) -> Result<String, String> {
        let (ini, expected) = (self.profile.clone(), self.identity.clone());
        let read = timeout(PROFILE_LIMIT, spawn_blocking(move || profile::read(&ini, &expected))).await;
        let read = read.map_err(|_| format!("reading {} takes too long", self.profile.display()))?;
        let profile = read.map_err(|error| error.to_string())?.map_err(|problems| {
            problems.iter().filter(|problem| is_of_id_file(problem)).for_each(|problem| {
                browse_log::report(&Event::IdFile { what: problem.to_string() });
            });
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })?;
        match self.access.get().is_listed(&profile.identity) {
            true => Err(revoked(&profile.identity)),
            false => Ok(profile.identity),
        }
    }

    /// Does the task's work, as long as its session is open to it; returns why it is not any more.
    async fn work(&self, session: Handle, identity: &str, state: &watch::Sender<State>) -> String {
        let _running = Running::report(session, identity);
        state.send_replace(State::Running { holder: identity.to_owned(), session });
        let mut reads = interval(READ_EVERY);
        let reading = async {
            loop {
                reads.tick().await;
                self.calendars.sync();
            }
        };
        tokio::select! {
            () = reading => "it has ended".to_owned(),
            () = self.sessions.until_dropped(session) => format!("an operator has dropped the session of {identity}"),
            () = self.access.until(|access| access.is_listed(identity)) => revoked(identity),
        }
    }
}

fn is_of_id_file(problem: &Problem) -> bool {
    matches!(problem.cause, Cause::KeyFilename | Cause::MissingRight)
}

fn revoked(identity: &str) -> String {
    format!("{identity} is not accepted: take it from `revoked`, and `calcon reload`")
}

/// A run of the task: reports its start, and its end on every path.
struct Running(Handle);

impl Running {
    fn report(session: Handle, holder: &str) -> Self {
        tracing::info!(kind = KIND, id = %session, holder, "opened");
        Self(session)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        tracing::info!(kind = KIND, id = %self.0, "closed");
    }
}
