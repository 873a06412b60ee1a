//! The Notes side around a historic add-in: serves clients, and queries over its link. Only the link has a bug.

use crate::world::keys;
use calcon::{
    Error, NotesSettings,
    calendars::Calendars,
    channel::{Channel, Opened, Reader, Writer},
    error::ChannelError,
    query::{Answer, Code, Query, Refusal},
    wire::{self, Message, Role},
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

/// How long a client may be idle.
const CLIENT_LIMIT: Duration = Duration::from_secs(60);
/// How long the other side may take to answer a query.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The Exchange side sends a PING every 5 s: if it is silent for longer, it is gone.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// The delay between two attempts of the add-in.
pub const RETRY: Duration = Duration::from_secs(1);

/// An add-in (EXCALCON) and its link to the Exchange side.
pub trait AddIn: Clone + Send + Sync + 'static {
    /// Starts the add-in's task: `load excalcon <exchange>`. The other side's queries are about `calendars`.
    fn load(exchange: String, calendars: Arc<Calendars>) -> Self;

    /// Queries the Exchange side.
    fn ask(&self, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// Runs the Notes side.
pub async fn serve<A: AddIn>(settings: NotesSettings) -> Result<(), Error> {
    let failed = |source| Error::Listen { address: settings.listen.clone(), source };
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
    let add_in = A::load(settings.exchange.clone(), Arc::clone(&calendars));
    loop {
        let (stream, peer) = accepted(&listener).await;
        let (calendars, add_in) = (Arc::clone(&calendars), add_in.clone());
        tokio::spawn(async move {
            if let Err(reason) = client(stream, peer, calendars, add_in).await {
                tracing::debug!(%reason, "a client is gone");
            }
        });
    }
}

async fn client(
    stream: TcpStream,
    peer: SocketAddr,
    calendars: Arc<Calendars>,
    add_in: impl AddIn,
) -> Result<(), ChannelError> {
    let mut channel = Channel::new(stream, Opened::report("accepted", &peer.to_string()))?;
    channel.reader.expect(CLIENT_LIMIT).await?;
    channel.writer.send(&hello(Role::Notes, 0)).await?;
    loop {
        let Message::Query { id, epoch, query, .. } = channel.reader.expect(CLIENT_LIMIT).await? else {
            return Ok(());
        };
        let outcome = match calendars.answer(query.clone()).await {
            Err(refusal) if refusal.code == Code::UnknownUser => add_in.ask(query).await,
            own => own,
        };
        channel.writer.send(&reply(id, epoch, outcome)).await?;
    }
}

/// The conversation over a link that is up: our queries, and the replies to the other side's.
#[derive(Debug)]
pub struct Talk {
    epoch: u64,
    calendars: Arc<Calendars>,
    writer: tokio::sync::Mutex<Writer>,
    open: Mutex<Open>,
}

/// Our pending queries.
#[derive(Debug, Default)]
struct Open {
    asked: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Result<Answer, Refusal>>>,
}

impl Talk {
    /// Starts a conversation.
    pub fn new(epoch: u64, calendars: Arc<Calendars>, writer: Writer) -> Arc<Talk> {
        Arc::new(Talk { epoch, calendars, writer: tokio::sync::Mutex::new(writer), open: Mutex::default() })
    }

    /// Queries the other side.
    pub async fn ask(&self, query: Query) -> Result<Answer, Refusal> {
        let (reply, answered) = oneshot::channel();
        let id = {
            let mut open = self.open.lock().unwrap();
            open.asked += 1;
            let id = open.asked;
            open.waiting.insert(id, reply);
            id
        };
        let deadline_ms = ANSWER_LIMIT.as_millis() as u64;
        let said = self.say(&Message::Query { id, epoch: self.epoch, deadline_ms, query }).await;
        let outcome = match said {
            Err(error) => Err(down(&error.to_string())),
            Ok(()) => match timeout(ANSWER_LIMIT, answered).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(down("it was lost while the other side was asked")),
                Err(_) => Err(Refusal::new(Code::TimedOut, "the other side did not answer in time")),
            },
        };
        self.open.lock().unwrap().waiting.remove(&id);
        outcome
    }

    /// Sends a message.
    pub async fn say(&self, message: &Message) -> Result<(), ChannelError> {
        self.writer.lock().await.send(message).await
    }

    /// Handles the other side's messages until the connection ends; returns the reason.
    pub async fn hear_all(&self, reader: &mut Reader) -> Result<Infallible, ChannelError> {
        loop {
            self.hear(reader.expect(SILENCE_LIMIT).await?).await?;
        }
    }

    /// Handles a message from the other side.
    pub async fn hear(&self, message: Message) -> Result<(), ChannelError> {
        match message {
            Message::Query { id, epoch, query, .. } => {
                let outcome = self.calendars.answer(query).await;
                self.say(&reply(id, epoch, outcome)).await
            }
            Message::Answer { id, answer, .. } => self.answered(id, Ok(answer)),
            Message::Error { id, refusal, .. } => self.answered(id, Err(refusal)),
            Message::Ping { nonce } => self.say(&Message::Pong { nonce }).await,
            Message::Pong { .. } => Ok(()),
            Message::Hello { .. } | Message::Command { .. } | Message::Report { .. } => Err(ChannelError::Unexpected {
                message: message.name(),
                expected: "questions, replies and keep-alives",
            }),
        }
    }

    fn answered(&self, id: u64, outcome: Result<Answer, Refusal>) -> Result<(), ChannelError> {
        if let Some(asker) = self.open.lock().unwrap().waiting.remove(&id) {
            // The caller may have given up.
            let _ = asker.send(outcome);
        }
        Ok(())
    }
}

/// Connects to the Exchange side, and proves who it is: TLS did not exist then, and without it no link is accepted now.
pub async fn connect(exchange: &str) -> Result<Channel, Error> {
    let failed = |source| Error::Connect { address: exchange.to_owned(), source };
    let stream = TcpStream::connect(exchange).await.map_err(failed)?;
    let opened = Opened::report("dialled", exchange);
    let (stream, _) = keys::dialler().connect(stream).await?;
    Ok(Channel::over(stream, opened))
}

/// Returns the first message of each end.
pub fn hello(role: Role, epoch: u64) -> Message {
    // The later link of an add-in replaces the earlier one: without a number for its start, the time of each will do.
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970").as_micros() as u64;
    let boot = if role == Role::AddIn { now } else { 0 };
    Message::Hello { version: wire::VERSION, role, epoch, boot, token: None }
}

/// Returns event 5010 for a caller.
pub fn down(why: &str) -> Refusal {
    Refusal::new(Code::LinkDown, format!("the link to the other side is down ({why}); retried on the next request"))
}

/// Returns the reply to a query.
pub fn reply(id: u64, epoch: u64, outcome: Result<Answer, Refusal>) -> Message {
    match outcome {
        Ok(answer) => Message::Answer { id, epoch, answer },
        Err(refusal) => Message::Error { id, epoch, refusal },
    }
}

/// Delay after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts the next connection. When the system is out of file descriptors, retries until there is one.
pub async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
