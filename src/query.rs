//! The client side of a query: connect, send HELLO and the query, and read the reply.

pub use crate::answer::{Answer, Code, Query, Refusal, Source};

use crate::backoff::Backoff;
use crate::channel::{Channel, Opened};
use crate::credentials::Credentials;
use crate::error::{ChannelError, Error};
use crate::secret::Secret;
use crate::tls::Dialler;
use crate::wire::{self, Message, Role};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// Time limit of a query, from connecting to the answer.
pub const QUERY_DEADLINE: Duration = Duration::from_secs(10);
/// Number of attempts after refused connections, so that a storm of clients is served (Q181350).
const CONNECT_TRIES: u32 = 4;

/// The daemon to ask, and what proves who asks. From an address alone: one of this machine, without TLS.
#[derive(Debug, Clone)]
pub struct Server {
    address: String,
    dialler: Option<Dialler>,
    token: Option<Secret>,
}

impl From<&str> for Server {
    fn from(address: &str) -> Self {
        Self { address: address.to_owned(), dialler: None, token: None }
    }
}

impl From<&String> for Server {
    fn from(address: &String) -> Self {
        address.as_str().into()
    }
}

impl Server {
    /// The daemon at `address`, which is `host:port`, with `name` in its certificate.
    ///
    /// # Errors
    /// If the own certificate does not belong to its key, or `name` is no name.
    pub fn secured(address: &str, name: &str, credentials: &Credentials) -> Result<Self, rustls::Error> {
        Ok(Self { dialler: Some(Dialler::new(credentials, name)?), ..address.into() })
    }

    /// Shows this token. It is sent over TLS, and to this machine.
    pub fn with_token(self, token: Secret) -> Self {
        Self { token: Some(token), ..self }
    }

    async fn open(&self, stream: TcpStream) -> Result<Channel, Error> {
        let opened = Opened::report("dialled", &self.address);
        let Some(dialler) = &self.dialler else {
            let is_near = stream.peer_addr().map_err(ChannelError::from)?.ip().is_loopback();
            if self.token.is_some() && !is_near {
                let why = "a token is sent to another machine over TLS only: name the CA of the daemon, `--ca FILE`";
                return Err(Error::Settings(why.to_owned()));
            }
            return Ok(Channel::new(stream, opened).map_err(ChannelError::from)?);
        };
        stream.set_nodelay(true).map_err(ChannelError::from)?;
        let (stream, _) = dialler.connect(stream).await?;
        Ok(Channel::over(stream, opened))
    }
}

/// Queries a daemon: at an address of this machine, `host:port`, or at a [`Server`].
///
/// # Errors
/// [`Error::Refused`] if the daemon refuses to answer; otherwise why it could not be queried.
pub async fn ask(at: impl Into<Server>, query: &Query) -> Result<Answer, Error> {
    let at = &at.into();
    let question = |deadline_ms| Message::Query { id: 1, epoch: 0, deadline_ms, query: query.clone() };
    match in_time(at, question).await? {
        Message::Answer { id: 1, answer, .. } => Ok(answer),
        Message::Error { id: 1, refusal, .. } => Err(refusal.into()),
        other => Err(unexpected(&other, "ANSWER or ERROR to the question")),
    }
}

/// Returns the reply to a message, which is created from the milliseconds that the reply may take.
async fn in_time(at: &Server, question: impl FnOnce(u64) -> Message) -> Result<Message, Error> {
    let deadline = Instant::now() + QUERY_DEADLINE;
    let late = |_| Error::TimedOut { address: at.address.clone(), limit_secs: QUERY_DEADLINE.as_secs() };
    timeout(QUERY_DEADLINE, converse(at, question, deadline)).await.map_err(late)?
}

async fn converse(at: &Server, question: impl FnOnce(u64) -> Message, deadline: Instant) -> Result<Message, Error> {
    let failed = |source| Error::Connect { address: at.address.clone(), source };
    let mut channel = at.open(connect(&at.address).await.map_err(failed)?).await?;
    channel.reader.accept_answers();
    let (version, token) = (wire::VERSION, at.token.clone());
    channel.writer.send(&Message::Hello { version, role: Role::Client, epoch: 0, boot: 0, token }).await?;
    match channel.reader.expect(QUERY_DEADLINE).await? {
        Message::Hello { .. } => {}
        Message::Error { refusal, .. } => return Err(refusal.into()),
        other => return Err(unexpected(&other, "HELLO comes first")),
    }
    let deadline_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    channel.writer.send(&question(deadline_ms)).await?;
    Ok(channel.reader.expect(QUERY_DEADLINE).await?)
}

/// Connects; if the daemon's queue is full and the connection is refused, retries after a delay with jitter.
async fn connect(at: &str) -> io::Result<TcpStream> {
    let mut backoff = Backoff::default();
    for _ in 1..CONNECT_TRIES {
        match TcpStream::connect(at).await {
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset) => {
                sleep(backoff.next_wait()).await;
            }
            other => return other,
        }
    }
    TcpStream::connect(at).await
}

fn unexpected(message: &Message, expected: &'static str) -> Error {
    ChannelError::Unexpected { message: message.name(), expected }.into()
}
