//! The client side of a query or command: connect, send HELLO and the request, and read the reply.

pub use crate::answer::{Answer, Code, Query, Refusal, Source};

use crate::backoff::Backoff;
use crate::channel::{Channel, Opened};
use crate::console::{Command, Report};
use crate::error::{ChannelError, Error};
use crate::wire::{self, Message, Role};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// Time limit of a query, from connecting to the answer.
pub const QUERY_DEADLINE: Duration = Duration::from_secs(10);
/// Number of attempts after refused connections, so that a storm of clients is served (Q181350).
const CONNECT_TRIES: u32 = 4;

/// Queries the daemon at `at`, which is `host:port`.
///
/// # Errors
/// [`Error::Refused`] if the daemon refuses to answer; otherwise why it could not be queried.
pub async fn ask(at: &str, query: &Query) -> Result<Answer, Error> {
    let question = |deadline_ms| Message::Query { id: 1, epoch: 0, deadline_ms, query: query.clone() };
    match in_time(at, question).await? {
        Message::Answer { id: 1, answer, .. } => Ok(answer),
        Message::Error { id: 1, refusal, .. } => Err(refusal.into()),
        other => Err(unexpected(&other, "ANSWER or ERROR to the question")),
    }
}

/// Sends a command to the daemon at `at`, which is `host:port`.
///
/// # Errors
/// Like [`ask`].
pub async fn command(at: &str, command: Command) -> Result<Report, Error> {
    match in_time(at, |_| Message::Command { id: 1, command }).await? {
        Message::Report { id: 1, report } => Ok(report),
        Message::Error { id: 1, refusal, .. } => Err(refusal.into()),
        other => Err(unexpected(&other, "REPORT or ERROR to the command")),
    }
}

/// Returns the reply to a message, which is created from the milliseconds that the reply may take.
async fn in_time(at: &str, question: impl FnOnce(u64) -> Message) -> Result<Message, Error> {
    let deadline = Instant::now() + QUERY_DEADLINE;
    let late = |_| Error::TimedOut { address: at.to_owned(), limit_secs: QUERY_DEADLINE.as_secs() };
    timeout(QUERY_DEADLINE, converse(at, question, deadline)).await.map_err(late)?
}

async fn converse(at: &str, question: impl FnOnce(u64) -> Message, deadline: Instant) -> Result<Message, Error> {
    let failed = |source| Error::Connect { address: at.to_owned(), source };
    let stream = connect(at).await.map_err(failed)?;
    let mut channel = Channel::new(stream, Opened::report("dialled", at)).map_err(failed)?;
    channel.reader.accept_answers();
    channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Client, epoch: 0 }).await?;
    match channel.reader.expect(QUERY_DEADLINE).await? {
        Message::Hello { .. } => {}
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
