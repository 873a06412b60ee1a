//! The client's side of a question or a command: connect, say HELLO, ask, and take the reply.

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

/// How long a question may take, from connecting to the answer.
pub const QUERY_DEADLINE: Duration = Duration::from_secs(10);
/// How often a refused connection is tried, so that a storm of clients passes (Q181350).
const CONNECT_TRIES: u32 = 4;

/// Asks the daemon at `at`, which is `host:port`.
///
/// # Errors
/// [`Error::Refused`] when the daemon says why there is no answer; else why the daemon could not be asked.
pub async fn ask(at: &str, query: &Query) -> Result<Answer, Error> {
    let question = |deadline_ms| Message::Query { id: 1, epoch: 0, deadline_ms, query: query.clone() };
    match in_time(at, question).await? {
        Message::Answer { id: 1, answer, .. } => Ok(answer),
        Message::Error { id: 1, refusal, .. } => Err(refusal.into()),
        other => Err(unexpected(&other, "ANSWER or ERROR to the question")),
    }
}

/// Has the daemon at `at`, which is `host:port`, do a command.
///
/// # Errors
/// As [`ask`].
pub async fn command(at: &str, command: Command) -> Result<Report, Error> {
    match in_time(at, |_| Message::Command { id: 1, command }).await? {
        Message::Report { id: 1, report } => Ok(report),
        Message::Error { id: 1, refusal, .. } => Err(refusal.into()),
        other => Err(unexpected(&other, "REPORT or ERROR to the command")),
    }
}

/// The reply to a message, which is made from the milliseconds that its answer may take.
async fn in_time(at: &str, question: impl FnOnce(u64) -> Message) -> Result<Message, Error> {
    let deadline = Instant::now() + QUERY_DEADLINE;
    let late = |_| Error::TimedOut { address: at.to_owned(), limit_secs: QUERY_DEADLINE.as_secs() };
    timeout(QUERY_DEADLINE, converse(at, question, deadline)).await.map_err(late)?
}

async fn converse(at: &str, question: impl FnOnce(u64) -> Message, deadline: Instant) -> Result<Message, Error> {
    let failed = |source| Error::Connect { address: at.to_owned(), source };
    let stream = connect(at).await.map_err(failed)?;
    let mut channel = Channel::new(stream, Opened::report("dialled", at)).map_err(failed)?;
    channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Client, epoch: 0 }).await?;
    match channel.reader.expect(QUERY_DEADLINE).await? {
        Message::Hello { .. } => {}
        other => return Err(unexpected(&other, "HELLO comes first")),
    }
    let deadline_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    channel.writer.send(&question(deadline_ms)).await?;
    Ok(channel.reader.expect(QUERY_DEADLINE).await?)
}

/// Connects; when the daemon's queue is full and it refuses, tries again after a wait with chance in it.
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
