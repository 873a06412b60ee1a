//! The Notes side for clients, with a historic way to obtain a session.

use super::addin::{accepted, hello, reply};
use calcon::{
    Error, NotesSettings,
    calendars::Calendars,
    channel::{Channel, Opened},
    error::ChannelError,
    profile::Location,
    query::{Answer, Code, Query, Refusal},
    wire::{Message, Role},
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};

const CLIENT_LIMIT: Duration = Duration::from_secs(60);

/// How a query obtains its session.
pub trait Server: Clone + Send + Sync + 'static {
    /// Starts the server.
    fn start() -> Self;

    /// Answers a query under a session.
    fn answer(&self, database: Database, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// The calendars as a database on the server.
#[derive(Clone)]
pub struct Database {
    calendars: Arc<Calendars>,
    location: Location,
}

impl Database {
    /// Opens it, for a query that has a session.
    pub fn open(self) -> Result<Arc<Calendars>, Refusal> {
        match self.location {
            Location::Office => Ok(self.calendars),
            away => Err(Refusal::new(Code::Unreadable, format!("no database on the server opens from {away}"))),
        }
    }
}

/// Runs the Notes side for clients.
pub async fn serve<S: Server>(settings: NotesSettings, location: Location) -> Result<(), Error> {
    let failed = |source| Error::Listen { address: settings.listen.clone(), source };
    let database = Database { calendars: Calendars::open(&settings.calendars, settings.time_zone)?, location };
    let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
    let server = S::start();
    loop {
        let (stream, _) = accepted(&listener).await;
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
