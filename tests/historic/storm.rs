//! Q181350: the Notes server has a backlog of five, and accepts a client only after it has served the previous one.
//!
//! It could serve all of them, a moment each. But hundreds that connect at once fill its queue long before it accepts
//! them, and all clients that are rejected return at the same time.

use calcon::{
    Error, NotesSettings,
    calendars::Calendars,
    channel::{Channel, Opened},
    error::ChannelError,
    query::{Answer, Query},
    wire::{Message, Role},
};
use refrain::{Overflow, Sysctl, World};
use std::{
    io::ErrorKind::ConnectionRefused,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use crate::world::{Calendars as Side, notes, of_its_own};

/// The backlog that the Notes server requested.
pub const BACKLOG: u32 = 5;
/// The backlog of the historic workaround.
const BACKLOG_REMEDY: u32 = 511;
/// How long the server takes to look up an answer on its disk.
const LOOK_UP: Duration = Duration::from_millis(15);
/// How long a client may be idle.
const CLIENT_LIMIT: Duration = Duration::from_secs(5);
/// How long a refused client waits before it retries: the same for all.
const RETRY: Duration = Duration::from_secs(5);
/// How soon every client is served: longer than the server needs for the maximum number of clients.
const BOUND: Duration = Duration::from_secs(10);

/// All clients connect at once; `overflow` is what the server's system does when the queue is full.
pub async fn every_client_is_served(world: World, clients: u16, overflow: Overflow, backlog: u32) {
    let settings = move || NotesSettings { backlog, ..notes() };
    world.host("notes", move || serve(settings())).sysctl(Sysctl::default().overflow(overflow));
    // The server's process needs a moment to listen.
    sleep(Duration::from_millis(100)).await;
    let storm = Arc::new(Storm::default());
    for _ in 0..clients {
        tokio::spawn(world.client("office").run(Arc::clone(&storm).client()));
    }
    world.eventually(BOUND, "every client is served", || async { storm.left(clients) }).await;
}

/// The historic workaround: the queue holds all clients, and each is served in turn.
#[refrain::test(runs = 20, without_holds)]
async fn a_larger_backlog_lets_every_client_in(world: World, #[any(1..=300u16)] clients: u16, refuses: bool) {
    let overflow = if refuses { Overflow::Reset } else { Overflow::DropSyn };
    every_client_is_served(world, clients, overflow, BACKLOG_REMEDY).await;
}

/// The progress of the clients.
#[derive(Debug, Default)]
struct Storm {
    served: AtomicU32,
    refused: AtomicU32,
}

impl Storm {
    /// Returns an error with the number of unserved clients and of refusals, unless all were served.
    fn left(&self, clients: u16) -> Result<(), String> {
        let (left, refused) = (u32::from(clients) - self.served.load(Relaxed), self.refused.load(Relaxed));
        match left {
            0 => Ok(()),
            _ => Err(format!("{left} of {clients} clients are not served, {refused} connects were refused")),
        }
    }

    /// A client that retries until it has its answer.
    async fn client(self: Arc<Self>) {
        loop {
            match ask().await {
                Ok(_) => {
                    self.served.fetch_add(1, Relaxed);
                    return;
                }
                Err(Error::Connect { source, .. }) if source.kind() == ConnectionRefused => {
                    self.refused.fetch_add(1, Relaxed);
                }
                Err(error) => tracing::info!(%error, "a client is not answered"),
            }
            sleep(RETRY).await;
        }
    }
}

/// Sends one query, and waits for the answer without a limit.
async fn ask() -> Result<Answer, Error> {
    let at = Side::Notes.address();
    let failed = |source| Error::Connect { address: at.to_owned(), source };
    let stream = TcpStream::connect(at).await.map_err(failed)?;
    let mut channel = Channel::new(stream, Opened::report("dialled", at)).map_err(failed)?;
    let query: Query = of_its_own(Side::Notes);
    let deadline_ms = BOUND.as_millis() as u64;
    channel.writer.send(&Message::hello(Role::Client)).await?;
    channel.writer.send(&Message::Query { id: 1, epoch: 0, deadline_ms, query }).await?;
    loop {
        match channel.reader.next().await? {
            Some(Message::Hello { .. }) => {}
            Some(Message::Answer { answer, .. }) => return Ok(answer),
            Some(other) => {
                return Err(
                    ChannelError::Unexpected { message: other.name(), expected: "ANSWER to the question" }.into()
                );
            }
            None => return Err(ChannelError::Closed.into()),
        }
    }
}

/// Runs the Notes side, without an add-in.
async fn serve(settings: NotesSettings) -> Result<(), Error> {
    let failed = |source| Error::Listen { address: settings.listen.clone(), source };
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    let socket = TcpSocket::new_v4().map_err(failed)?;
    socket.bind(settings.listen.parse().expect("an address")).map_err(failed)?;
    let listener = socket.listen(settings.backlog).map_err(failed)?;
    loop {
        let (stream, peer) = listener.accept().await.map_err(failed)?;
        if let Err(reason) = client(stream, peer, &calendars).await {
            tracing::debug!(%reason, "a client is gone");
        }
    }
}

/// Serves one client. Meanwhile no other client is accepted.
async fn client(stream: TcpStream, peer: SocketAddr, calendars: &Arc<Calendars>) -> Result<(), ChannelError> {
    let mut channel = Channel::new(stream, Opened::report("accepted", &peer.to_string()))?;
    channel.reader.expect(CLIENT_LIMIT).await?;
    channel.writer.send(&Message::hello(Role::Notes)).await?;
    if let Message::Query { id, epoch, query, .. } = channel.reader.expect(CLIENT_LIMIT).await? {
        sleep(LOOK_UP).await;
        let reply = match calendars.answer(query).await {
            Ok(answer) => Message::Answer { id, epoch, answer },
            Err(refusal) => Message::Error { id, epoch, refusal },
        };
        channel.writer.send(&reply).await?;
    }
    Ok(())
}
