//! Q201280, second mechanism: a cancelled attempt leaves the state at "connecting" forever.
//!
//! The attempt sets the state when it begins and when it ends; a query wakes the add-in's task only if no attempt is in
//! progress. Then the whole attempt was given a deadline. When that expires, the attempt is dropped before it could
//! record its end: to every query it still seems to be in progress.

use super::addin::{AddIn, Talk, connect, down, hello};
use calcon::{
    Error,
    calendars::Calendars,
    channel::Channel,
    error::ChannelError,
    query::{Answer, Query, Refusal},
    wire::{Message, Role},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// How long an attempt may take, from connecting to the reply to HELLO.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);
/// How long a query waits for a link that is being set up.
const PATIENCE: Duration = Duration::from_secs(4);

/// The state of the link.
#[derive(Clone)]
enum State {
    Down,
    Connecting,
    Up(Arc<Talk>),
}

/// The link. It is set up when a query needs it.
#[derive(Clone)]
pub struct CancelledAttempt {
    state: watch::Sender<State>,
    wanted: Arc<Notify>,
}

impl AddIn for CancelledAttempt {
    fn load(exchange: String, calendars: Arc<Calendars>) -> Self {
        let link = Self { state: watch::Sender::new(State::Down), wanted: Arc::default() };
        link.wanted.notify_one();
        tokio::spawn(link.clone().keep(exchange, calendars));
        link
    }

    async fn ask(&self, query: Query) -> Result<Answer, Refusal> {
        let mut state = self.state.subscribe();
        if let State::Down = *state.borrow() {
            self.wanted.notify_one();
        }
        let up = timeout(PATIENCE, state.wait_for(|state| matches!(state, State::Up(_)))).await;
        match up.ok().and_then(Result::ok).map(|state| state.clone()) {
            Some(State::Up(talk)) => talk.ask(query).await,
            _ => Err(down("it is still being set up")),
        }
    }
}

impl CancelledAttempt {
    /// The add-in's task: makes an attempt whenever a query needs the link while it is down.
    async fn keep(self, exchange: String, calendars: Arc<Calendars>) {
        for epoch in 1.. {
            self.wanted.notified().await;
            let reason = match timeout(ATTEMPT_LIMIT, self.attempt(&exchange, epoch)).await {
                Ok(Ok(channel)) => self.hold(channel, epoch, &calendars).await.to_string(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the Exchange side takes too long".to_owned(),
            };
            tracing::info!(epoch, reason, "link down");
        }
    }

    async fn attempt(&self, exchange: &str, epoch: u64) -> Result<Channel, Error> {
        self.state.send_replace(State::Connecting);
        let dialled = dial(exchange, epoch).await;
        if dialled.is_err() {
            self.state.send_replace(State::Down);
        }
        dialled
    }

    async fn hold(&self, channel: Channel, epoch: u64, calendars: &Arc<Calendars>) -> ChannelError {
        let Channel { mut reader, writer, opened: _opened } = channel;
        let talk = Talk::new(epoch, Arc::clone(calendars), writer);
        self.state.send_replace(State::Up(Arc::clone(&talk)));
        tracing::info!(epoch, "link up");
        let Err(reason) = talk.hear_all(&mut reader).await;
        self.state.send_replace(State::Down);
        reason
    }
}

/// Connects and performs the handshake.
async fn dial(exchange: &str, epoch: u64) -> Result<Channel, Error> {
    let mut channel = connect(exchange).await?;
    channel.writer.send(&hello(Role::AddIn, epoch)).await?;
    match channel.reader.next().await? {
        Some(Message::Hello { role: Role::Exchange, .. }) => Ok(channel),
        Some(other) => Err(ChannelError::Unexpected { message: other.name(), expected: "HELLO comes first" }.into()),
        None => Err(ChannelError::Closed.into()),
    }
}
