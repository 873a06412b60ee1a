//! Serves a client's connection: its queries, one after the other. Also answers any query within its deadline.

mod counts;
mod places;

pub(crate) use counts::Counted;
pub(crate) use places::{CLIENTS_MAX, Places, Share, Writing};

use crate::answer::{Answer, Code, Query, Refusal, USER_BYTES_MAX};
use crate::channel::Channel;
use crate::error::ChannelError;
use crate::secret::Secret;
use crate::shutdown::Shutdown;
use crate::wire::{Message, Role};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a new connection may take to send HELLO.
pub const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may be idle.
pub const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// Maximum deadline of a query.
pub const DEADLINE_MAX: Duration = Duration::from_secs(60);
/// Reserved from the caller's deadline, so that a refusal arrives before the caller gives up.
const ANSWER_MARGIN: Duration = Duration::from_millis(500);

/// What a peer says that it is.
#[derive(Debug)]
pub enum Greeting {
    /// A client, with its token.
    Client(Option<Secret>),
    /// An add-in: when it started, and its number for this link.
    AddIn {
        /// In microseconds since 1970.
        boot: u64,
        /// The attempt.
        epoch: u64,
    },
}

/// Reads the first message of a connection: what the peer says it is; `None` if shutdown starts before.
///
/// # Errors
/// If it sends something else first, or nothing in time.
pub async fn greeting(channel: &mut Channel, shutdown: &mut Shutdown) -> Result<Option<Greeting>, ChannelError> {
    let message = tokio::select! {
        message = channel.reader.expect(HELLO_LIMIT) => message?,
        () = shutdown.asked() => return Ok(None),
    };
    match message {
        Message::Hello { role: Role::Client, token, .. } => Ok(Some(Greeting::Client(token))),
        Message::Hello { role: Role::AddIn, boot, epoch, .. } => Ok(Some(Greeting::AddIn { boot, epoch })),
        other => Err(ChannelError::Unexpected { message: other.name(), expected: "HELLO of a client or an add-in" }),
    }
}

/// Answers queries until the client disconnects, is idle for too long, or shutdown starts. A client in excess of the
/// limit gets a refusal for its first query. `permit` says before each query whether the client may still ask.
///
/// # Errors
/// Returns why the connection had to be closed.
pub async fn serve<A, F>(
    mut channel: Channel,
    mut shutdown: Shutdown,
    share: Share<'_>,
    permit: impl Fn() -> Result<(), Refusal>,
    answer: A,
) -> Result<(), ChannelError>
where
    A: Fn(Query, Instant) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let Some(_place) = share.client() else {
        return turn_away(channel).await;
    };
    loop {
        let idle_until = Instant::now() + IDLE_LIMIT;
        let message = tokio::select! {
            read = timeout_at(idle_until, channel.reader.next()) => match read {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(ChannelError::Silent { limit_secs: IDLE_LIMIT.as_secs() }),
            },
            () = shutdown.asked() => return Ok(()),
        };
        let (reply, _writing) = match message {
            Message::Query { id, epoch, deadline_ms, query } => {
                if let Err(refusal) = permit() {
                    // It may have been revoked since it said HELLO.
                    let _ = channel.writer.send(&reply(id, epoch, Err(refusal.clone()))).await;
                    return Err(ChannelError::Denied(refusal));
                }
                let (outcome, writing) = tokio::select! {
                    // First: shutdown ends the link, too, which is no answer to a query.
                    biased;
                    () = shutdown.asked() => return Ok(()),
                    answered = in_place(&share, deadline_ms, query, &answer) => answered,
                };
                (reply(id, epoch, outcome), writing)
            }
            Message::Command { id, .. } => {
                let text = "commands are given at the console, on the machine of the daemon";
                (Message::Error { id, epoch: 0, refusal: Refusal::new(Code::Denied, text) }, None)
            }
            Message::Ping { nonce } => (Message::Pong { nonce }, None),
            other => {
                return Err(ChannelError::Unexpected { message: other.name(), expected: "clients send QUERY" });
            }
        };
        channel.writer.send(&reply).await?;
    }
}

/// Answers a client's query. A long answer that has to wait for its place is made again when it has one: meanwhile it occupies
/// nothing.
async fn in_place<A, F>(
    share: &Share<'_>,
    deadline_ms: u64,
    query: Query,
    answer: &A,
) -> (Result<Answer, Refusal>, Option<Writing>)
where
    A: Fn(Query, Instant) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let began = Instant::now();
    let deadline = began + limit(deadline_ms);
    let outcome = within("client", deadline_ms, query.clone(), answer).await;
    share.counts().count(&outcome, began.elapsed());
    let slots = match &outcome {
        Ok(long) => long.slots.len(),
        Err(_) => return (outcome, None),
    };
    if let Ok(writing) = share.try_write(slots) {
        return (outcome, writing);
    }
    drop(outcome);
    let Ok(Some(writing)) = timeout_at(deadline, share.write(slots)).await else {
        let text = "too many long answers are being written: ask again later, or for less at once";
        return (Err(Refusal::new(Code::Busy, text)), None);
    };
    let left = deadline.saturating_duration_since(Instant::now()) + ANSWER_MARGIN;
    (within("client", left.as_millis() as u64, query, answer).await, Some(writing))
}

async fn turn_away(mut channel: Channel) -> Result<(), ChannelError> {
    if let Message::Query { id, epoch, .. } = channel.reader.expect(HELLO_LIMIT).await? {
        let refusal = Refusal::new(Code::Busy, format!("{CLIENTS_MAX} clients are being served: ask again later"));
        channel.writer.send(&reply(id, epoch, Err(refusal))).await?;
    }
    Ok(())
}

/// Returns the message with the outcome of a query.
pub fn reply(id: u64, epoch: u64, outcome: Result<Answer, Refusal>) -> Message {
    match outcome {
        Ok(answer) => Message::Answer { id, epoch, answer },
        Err(refusal) => Message::Error { id, epoch, refusal },
    }
}

/// Validates and answers a query within its deadline, and reports the outcome. `asker` is for the report.
pub async fn within<A, F>(asker: &'static str, deadline_ms: u64, query: Query, answer: &A) -> Result<Answer, Refusal>
where
    A: Fn(Query, Instant) -> F,
    F: Future<Output = Result<Answer, Refusal>>,
{
    let limit = limit(deadline_ms);
    let deadline = Instant::now() + limit;
    let asked = query.user.clone();
    let outcome = match query.checked() {
        Ok(query) => match timeout_at(deadline, answer(query, deadline)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Refusal::new(Code::TimedOut, format!("no answer within {} ms", limit.as_millis()))),
        },
        Err(refusal) => Err(refusal),
    };
    let user = &asked[..asked.floor_char_boundary(USER_BYTES_MAX)];
    match &outcome {
        Ok(answer) => {
            let (source, age_secs, slots) = (answer.source, answer.age_secs, answer.slots.len());
            tracing::info!(asker, user, %source, age_secs, slots, "query answered");
        }
        Err(refusal) => {
            tracing::info!(asker, user, code = ?refusal.code, reason = %refusal.text, "query refused");
        }
    }
    outcome
}

/// Returns how long answering may take, so that a refusal arrives before the caller gives up.
fn limit(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms).min(DEADLINE_MAX).saturating_sub(ANSWER_MARGIN)
}
