//! Q199817: from any location but Office, the sessions that CALCON opens on the Notes server rise and are not closed.
//!
//! Inferred: a question opens a session, then the database of the calendars. Only from Office does a database on the
//! server open; from elsewhere the question ends right there, by an early return, and the close below it is skipped.

use crate::addin::{hello, reply};
use calcon::{
    Error, NotesSettings,
    calendar::Calendars,
    channel::{Channel, Opened},
    error::ChannelError,
    profile::Location,
    query::{Answer, Code, Query, Refusal},
    session::{Closer, Sessions, audit::AuditFile},
    wire::{Message, Role},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

const CLIENT_LIMIT: Duration = Duration::from_secs(60);
/// How long the server takes to open and to close a session.
const WORK: Duration = Duration::from_millis(2);

/// How a question comes by its session.
pub trait Server: Clone + Send + Sync + 'static {
    fn start() -> Self;

    fn answer(&self, database: Database, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// The calendars as a database on the server.
#[derive(Clone)]
pub struct Database {
    calendars: Arc<Calendars>,
    location: Location,
}

impl Database {
    fn open(self) -> Result<Arc<Calendars>, Refusal> {
        match self.location {
            Location::Office => Ok(self.calendars),
            away => Err(Refusal::new(Code::Unreadable, format!("no database on the server opens from {away}"))),
        }
    }
}

/// As it was: who opens a session has to close it.
#[derive(Clone, Default)]
pub struct EarlyReturn(Arc<AtomicU64>);

impl Server for EarlyReturn {
    fn start() -> Self {
        Self::default()
    }

    async fn answer(&self, database: Database, query: Query) -> Result<Answer, Refusal> {
        let session = self.open_session().await;
        let calendars = database.open()?;
        let answer = calendars.answer(query).await;
        self.close_session(session).await;
        answer
    }
}

impl EarlyReturn {
    async fn open_session(&self) -> u64 {
        sleep(WORK).await;
        let id = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(kind = "notes.session", id, "opened");
        id
    }

    async fn close_session(&self, id: u64) {
        sleep(WORK).await;
        tracing::info!(kind = "notes.session", id, "closed");
    }
}

/// As it is: the session is held for a scope, and whoever leaves the scope has released it.
#[derive(Clone)]
pub struct Scoped(Sessions);

impl Server for Scoped {
    fn start() -> Self {
        let (sessions, closer): (Sessions, Closer) = Sessions::new(Default::default());
        tokio::spawn(async { closer.run(AuditFile::open(None).expect("no file is opened")).await });
        Self(sessions)
    }

    async fn answer(&self, database: Database, query: Query) -> Result<Answer, Refusal> {
        let seat = self.0.seat("CALCON");
        let work = |_| async { database.open()?.answer(query).await };
        seat.scoped(Instant::now() + CLIENT_LIMIT, work).await?
    }
}

/// Runs the Notes side for clients.
pub async fn serve<S: Server>(settings: NotesSettings, location: Location) -> Result<(), Error> {
    let failed = |source| Error::Listen { address: settings.listen.clone(), source };
    let database = Database { calendars: Calendars::open(&settings.calendars, settings.time_zone)?, location };
    let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
    let server = S::start();
    loop {
        let (stream, _) = listener.accept().await.map_err(failed)?;
        tokio::spawn(client(stream, server.clone(), database.clone()));
    }
}

async fn client(stream: TcpStream, server: impl Server, database: Database) -> Result<(), ChannelError> {
    let mut channel = Channel::new(stream, Opened::report("accepted", "a client"))?;
    channel.reader.expect(CLIENT_LIMIT).await?;
    channel.writer.send(&hello(Role::Notes, 0)).await?;
    while let Message::Query { id, epoch, query, .. } = channel.reader.expect(CLIENT_LIMIT).await? {
        let outcome = server.answer(database.clone(), query).await;
        channel.writer.send(&reply(id, epoch, outcome)).await?;
    }
    Ok(())
}
