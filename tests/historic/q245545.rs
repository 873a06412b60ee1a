//! Q245545: two processes of the Notes Connector do not run for want of a session, and nothing says what is wrong.
//!
//! Inferred, of the task: it waits a limited time for its session and then starts, whether or not there is one. Inferred, of the
//! check: it looks whether the file that `KeyFilename` names is there, and not whose ID that is.

use super::addin::{accepted, hello, reply};
use crate::ntsmex::{
    Notes, Preflight, RUN, Visit, a_task_runs_only_with_its_session, profiles, visits, what_the_check_passes_starts,
};
use crate::world::Calendars as Side;
use calcon::calendars::Calendars;
use calcon::channel::{Channel, Opened};
use calcon::error::ChannelError;
use calcon::session::audit::AuditFile;
use calcon::session::{Handle, Sessions};
use calcon::wire::{Message, Role};
use calcon::{Error, NotesSettings};
use refrain::World;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

/// The name of the task at the server.
const IDENTITY: &str = "CN=Calcon";
/// How long the task waits for its session.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the task looks whether its session is still open.
const LOOK: Duration = Duration::from_millis(100);
/// How often an operator drops every session.
const DROPS: Duration = Duration::from_secs(4);
const DROPS_MAX: u32 = 8;
/// How long a client may be idle.
const CLIENT_LIMIT: Duration = Duration::from_secs(60);

/// The task waits for its session, and then starts.
#[refrain::test(runs = 500, expect = "safety", without_holds, snapshot)]
async fn a_task_starts_without_its_session(world: World, #[any(visits())] visits: Vec<Visit>) {
    a_task_runs_only_with_its_session(world, StartsAnyway::default(), visits).await;
}

/// The check looks for the file, and not into it.
#[refrain::test(runs = 100, expect = "stall", snapshot)]
async fn a_check_passes_the_wrong_id_file(world: World, #[any(profiles())] profile: String) {
    what_the_check_passes_starts::<LooksForTheFile>(world, &profile).await;
}

/// Looks whether the ID file is there.
struct LooksForTheFile;

impl Preflight for LooksForTheFile {
    fn passes(settings: &NotesSettings) -> bool {
        let ini = settings.notes_ini.as_deref().expect("there is a profile");
        let text = std::fs::read_to_string(ini).expect("it can be read");
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).expect("it is set");
        let id_file = ini.parent().unwrap_or(Path::new("")).join(value("KeyFilename="));
        id_file.is_file() && value("Location=").starts_with("Office")
    }
}

/// A Notes server with today's sessions, and the task of then.
#[derive(Clone, Default)]
struct StartsAnyway {
    /// What its operator sees.
    runs: Arc<AtomicBool>,
}

impl Notes for StartsAnyway {
    async fn serve(self, settings: NotesSettings) -> Result<(), Error> {
        let failed = |source| Error::Listen { address: settings.listen.clone(), source };
        let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
        let (sessions, closer) = Sessions::new(settings.sessions);
        tokio::spawn(closer.run(AuditFile::open(None).expect("no file is opened")));
        tokio::spawn(drop_all(sessions.clone()));
        tokio::spawn(self.task(sessions.clone()));
        let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
        loop {
            let (stream, _) = accepted(&listener).await;
            tokio::spawn(client(stream, Arc::clone(&calendars), sessions.clone()));
        }
    }

    async fn connect(&self) -> Result<Channel, Error> {
        let address = Side::Notes.address();
        let failed = |source| Error::Connect { address: address.to_owned(), source };
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        Channel::new(stream, Opened::report("dialled", address)).map_err(failed)
    }

    fn runs(&self) -> Result<(), String> {
        if self.runs.load(Ordering::Relaxed) { Ok(()) } else { Err("it does not".to_owned()) }
    }
}

impl StartsAnyway {
    /// The task's supervisor.
    async fn task(self, sessions: Sessions) {
        loop {
            let seat = sessions.seat(IDENTITY);
            let deadline = Instant::now() + PATIENCE;
            let inside = |session| self.work(&sessions, Some(session));
            if seat.scoped(deadline, inside).await.is_err() {
                // The bug: it starts all the same.
                self.work(&sessions, None).await;
            }
        }
    }

    /// Does the task's work until its session is dropped.
    async fn work(&self, sessions: &Sessions, session: Option<Handle>) {
        let id = session.map_or("none".to_owned(), |session| session.to_string());
        tracing::info!(kind = RUN, id, "opened");
        self.runs.store(true, Ordering::Relaxed);
        while session.is_none() || sessions.users().iter().any(|user| user.session == id && !user.closing) {
            sleep(LOOK).await;
        }
        self.runs.store(false, Ordering::Relaxed);
        tracing::info!(kind = RUN, id, "closed");
    }
}

/// The operator.
async fn drop_all(sessions: Sessions) {
    for _ in 0..DROPS_MAX {
        sleep(DROPS).await;
        for user in sessions.users() {
            let session = u64::from_str_radix(&user.session, 16).expect("a number");
            // It may be closing.
            let _ = sessions.drop_session(Handle::from_number(session));
        }
    }
}

async fn client(stream: TcpStream, calendars: Arc<Calendars>, sessions: Sessions) -> Result<(), ChannelError> {
    let mut channel = Channel::new(stream, Opened::report("accepted", "a client"))?;
    channel.reader.expect(CLIENT_LIMIT).await?;
    channel.writer.send(&hello(Role::Notes, 0)).await?;
    let seat = sessions.seat("a client");
    while let Message::Query { id, epoch, query, .. } = channel.reader.expect(CLIENT_LIMIT).await? {
        let deadline = Instant::now() + PATIENCE;
        let outcome = seat.scoped(deadline, |_| calendars.answer(query)).await;
        channel.writer.send(&reply(id, epoch, outcome.and_then(|answered| answered))).await?;
    }
    Ok(())
}
