//! The conversation over a link: both ends send queries, answer queries, and check that the peer is alive.

use super::line::Ask;
use crate::answer::{Answer, Code, Query, Refusal};
use crate::calendars::Calendars;
use crate::channel::{Channel, Writer};
use crate::client;
use crate::error::ChannelError;
use crate::wire::Message;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

/// The interval between PINGs.
pub const PING_EVERY: Duration = Duration::from_secs(5);
/// How long the peer may take to reply with PONG. A half-open connection cannot be detected in another way.
pub const PONG_LIMIT: Duration = Duration::from_secs(5);
/// Maximum number of our queries that wait for their replies.
const PENDING_MAX: usize = 1024;
/// Maximum number of the peer's queries that we answer concurrently.
const ANSWERING_MAX: usize = 256;
/// Maximum number of messages that wait to be written.
const OUTGOING_MAX: usize = 1024;
/// Maximum number of slots in the answers among them. They take 28 bytes each.
const OUTGOING_SLOTS_MAX: usize = 512 * 1024;

/// Answers the peer's queries from our own calendars only: queries from the link are never forwarded back over it.
pub(crate) trait Own: Clone + Send + Sync + 'static {
    /// Answers a query before the deadline.
    fn answer(&self, query: Query, deadline: Instant) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

impl Own for Arc<Calendars> {
    fn answer(&self, query: Query, _: Instant) -> impl Future<Output = Result<Answer, Refusal>> + Send {
        Calendars::answer(self, query)
    }
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    /// The connection is unusable.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The peer is silent: the connection may be half-open.
    #[error("no PONG within {} s", PONG_LIMIT.as_secs())]
    NoPong,
    /// The peer does not keep up.
    #[error("more than {OUTGOING_MAX} messages wait to be written")]
    Congested,
    /// A newer link has replaced it.
    #[error("replaced by a newer link")]
    Replaced,
    /// The peer was let in, and by the settings as they are now it would not be.
    #[error("the settings do not accept the other side any more")]
    NotTrusted,
    /// Shutdown.
    #[error("this side is stopping")]
    Stopped,
}

/// Runs the conversation until the link ends; pending queries then fail. At shutdown, pending queries are answered
/// first.
pub(crate) async fn converse(
    channel: Channel,
    epoch: u64,
    mut asked: mpsc::Receiver<Ask>,
    own: impl Own,
    stop: impl Future<Output = ()>,
) -> End {
    // In this order, so that the connection reports its end after both halves are dropped.
    let Channel { opened: _opened, mut reader, writer } = channel;
    reader.accept_answers();
    let (outgoing, to_write) = mpsc::channel(OUTGOING_MAX);
    let mut talk = Talk::new(epoch, outgoing, own);
    let mut writing = pin!(write_all(writer, to_write, Arc::clone(&talk.outgoing_slots)));
    let mut stop = pin!(stop);
    let mut stopping = false;
    let mut pings = interval(PING_EVERY);
    let end = loop {
        let silent_at = talk.pong_due.unwrap_or_else(Instant::now);
        let step = tokio::select! {
            heard = reader.next() => match heard {
                Ok(Some(message)) => talk.hear(message),
                Ok(None) => Err(ChannelError::Closed.into()),
                Err(error) => Err(error.into()),
            },
            ask = asked.recv() => match ask {
                Some(ask) => talk.ask(ask),
                None => Err(End::Replaced),
            },
            Some(reply) = talk.answering.join_next() => talk.answered(reply),
            _ = pings.tick() => talk.ping(),
            () = sleep_until(silent_at), if talk.pong_due.is_some() => Err(End::NoPong),
            written = &mut writing => Err(written.into()),
            () = &mut stop, if !stopping => {
                stopping = true;
                Ok(())
            }
        };
        if let Err(end) = step {
            break end;
        }
        if stopping && talk.is_idle() {
            break End::Stopped;
        }
    };
    if matches!(end, End::Stopped) {
        // Dropping the sender lets the writer end once everything is written.
        drop(talk);
        let _ = timeout(crate::channel::WRITE_LIMIT, writing).await;
    }
    end
}

/// Writes the queued messages; returns the error that stops it.
async fn write_all(
    mut writer: Writer,
    mut to_write: mpsc::Receiver<Message>,
    outgoing_slots: Arc<AtomicUsize>,
) -> ChannelError {
    while let Some(message) = to_write.recv().await {
        if let Err(error) = writer.send(&message).await {
            return error;
        }
        outgoing_slots.fetch_sub(slots_of(&message), Ordering::Relaxed);
    }
    ChannelError::Closed
}

fn slots_of(message: &Message) -> usize {
    if let Message::Answer { answer, .. } = message { answer.slots.len() } else { 0 }
}

/// The pending work of both ends.
struct Talk<O> {
    epoch: u64,
    outgoing: mpsc::Sender<Message>,
    outgoing_slots: Arc<AtomicUsize>,
    own: O,
    pending: BTreeMap<u64, oneshot::Sender<Result<Answer, Refusal>>>,
    queries: u64,
    answering: JoinSet<Message>,
    pings: u64,
    pong_due: Option<Instant>,
}

impl<O: Own> Talk<O> {
    fn new(epoch: u64, outgoing: mpsc::Sender<Message>, own: O) -> Self {
        let (pending, answering, outgoing_slots) = (BTreeMap::new(), JoinSet::new(), Arc::default());
        Self { epoch, outgoing, outgoing_slots, own, pending, queries: 0, answering, pings: 0, pong_due: None }
    }

    fn is_idle(&self) -> bool {
        self.answering.is_empty() && self.pending.values().all(|reply| reply.is_closed())
    }

    fn say(&self, message: Message) -> Result<(), End> {
        self.outgoing_slots.fetch_add(slots_of(&message), Ordering::Relaxed);
        // Must not wait: an end that waits to write does not read, and two such ends deadlock.
        self.outgoing.try_send(message).map_err(|_| End::Congested)
    }

    fn ask(&mut self, ask: Ask) -> Result<(), End> {
        self.pending.retain(|_, reply| !reply.is_closed());
        if self.pending.len() >= PENDING_MAX {
            let refusal = Refusal::new(Code::Busy, format!("{PENDING_MAX} questions wait for the other side already"));
            // If the caller has given up, nobody needs the refusal.
            let _ = ask.reply.send(Err(refusal));
            return Ok(());
        }
        self.queries += 1;
        let deadline_ms = ask.deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
        self.pending.insert(self.queries, ask.reply);
        self.say(Message::Query { id: self.queries, epoch: self.epoch, deadline_ms, query: ask.query })
    }

    fn hear(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Query { id, epoch, deadline_ms, query } => {
                if self.answering.len() >= ANSWERING_MAX {
                    let refusal = Refusal::new(Code::Busy, format!("{ANSWERING_MAX} questions are being answered"));
                    return self.say(client::reply(id, epoch, Err(refusal)));
                }
                let own = self.own.clone();
                self.answering.spawn(async move {
                    let answer = |query, deadline| own.answer(query, deadline);
                    client::reply(id, epoch, client::within("link", deadline_ms, query, &answer).await)
                });
                Ok(())
            }
            Message::Answer { id, epoch, answer } => self.replied(id, epoch, Ok(answer)),
            Message::Error { id, epoch, refusal } => self.replied(id, epoch, Err(refusal)),
            Message::Ping { nonce } => self.say(Message::Pong { nonce }),
            Message::Pong { nonce } => {
                if nonce == self.pings {
                    self.pong_due = None;
                }
                Ok(())
            }
            Message::Hello { .. } => {
                Err(ChannelError::Unexpected { message: "HELLO", expected: "one HELLO a connection" }.into())
            }
            Message::Command { .. } | Message::Report { .. } => {
                let expected = "commands come from clients, not over the link";
                Err(ChannelError::Unexpected { message: message.name(), expected }.into())
            }
        }
    }

    fn replied(&mut self, id: u64, epoch: u64, outcome: Result<Answer, Refusal>) -> Result<(), End> {
        if epoch != self.epoch {
            tracing::warn!(target: "calcon::link", epoch = self.epoch, of = epoch, id, "reply of an old epoch refused");
            return Ok(());
        }
        match self.pending.remove(&id) {
            // If the caller has given up, nobody needs the reply.
            Some(reply) => drop(reply.send(outcome)),
            None => tracing::debug!(target: "calcon::link", epoch, id, "reply to no open question"),
        }
        Ok(())
    }

    fn answered(&mut self, reply: Result<Message, tokio::task::JoinError>) -> Result<(), End> {
        match reply {
            Ok(Message::Answer { id, epoch, answer })
                if self.outgoing_slots.load(Ordering::Relaxed) + answer.slots.len() > OUTGOING_SLOTS_MAX =>
            {
                drop(answer);
                let refusal = Refusal::new(Code::Busy, format!("{OUTGOING_SLOTS_MAX} slots wait to be written"));
                self.say(client::reply(id, epoch, Err(refusal)))
            }
            Ok(reply) => self.say(reply),
            Err(error) => {
                // The caller times out at its deadline; the link itself is fine.
                tracing::error!(%error, "answering a question panicked: please report this");
                Ok(())
            }
        }
    }

    fn ping(&mut self) -> Result<(), End> {
        if self.pong_due.is_none() {
            self.pings += 1;
            self.pong_due = Some(Instant::now() + PONG_LIMIT);
            self.say(Message::Ping { nonce: self.pings })?;
        }
        Ok(())
    }
}
