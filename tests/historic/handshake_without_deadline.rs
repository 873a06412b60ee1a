//! Q201280, first mechanism: the reply to HELLO is awaited without a deadline.
//!
//! Connecting has a deadline, because that hangs when the other host is down; once connected, a reply was expected
//! within milliseconds. But the other host may lose power after it received our HELLO. None of our data is in flight
//! then, so nothing ever reveals that the connection is half-open.

use super::addin::{AddIn, RETRY, Talk, connect, down, hello};
use calcon::{
    Error,
    calendars::Calendars,
    channel::Channel,
    error::ChannelError,
    query::{Answer, Query, Refusal},
    wire::{Message, Role},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long the other host may take to accept our connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The link; `None` while it is down.
#[derive(Clone, Default)]
pub struct HandshakeWithoutDeadline(Arc<Mutex<Option<Arc<Talk>>>>);

impl AddIn for HandshakeWithoutDeadline {
    fn load(exchange: String, calendars: Arc<Calendars>) -> Self {
        let link = Self::default();
        tokio::spawn(link.clone().keep(exchange, calendars));
        link
    }

    async fn ask(&self, query: Query) -> Result<Answer, Refusal> {
        let talk = self.0.lock().unwrap().clone();
        match talk {
            Some(talk) => talk.ask(query).await,
            None => Err(down("there is no connection to the Exchange side")),
        }
    }
}

impl HandshakeWithoutDeadline {
    /// The add-in's task.
    async fn keep(self, exchange: String, calendars: Arc<Calendars>) {
        for epoch in 1.. {
            let reason = match attempt(&exchange, epoch).await {
                Ok(Channel { mut reader, writer, opened: _opened }) => {
                    let talk = Talk::new(epoch, Arc::clone(&calendars), writer);
                    *self.0.lock().unwrap() = Some(Arc::clone(&talk));
                    tracing::info!(epoch, "link up");
                    let Err(reason) = talk.hear_all(&mut reader).await;
                    *self.0.lock().unwrap() = None;
                    reason.to_string()
                }
                Err(error) => error.to_string(),
            };
            tracing::info!(epoch, reason, "link down");
            sleep(RETRY).await;
        }
    }
}

/// Connects and performs the handshake.
async fn attempt(exchange: &str, epoch: u64) -> Result<Channel, Error> {
    let late = |_| Error::TimedOut { address: exchange.to_owned(), limit_secs: CONNECT_LIMIT.as_secs() };
    let mut channel = timeout(CONNECT_LIMIT, connect(exchange)).await.map_err(late)??;
    channel.writer.send(&hello(Role::AddIn, epoch)).await?;
    match channel.reader.next().await? {
        Some(Message::Hello { role: Role::Exchange, .. }) => Ok(channel),
        Some(other) => Err(ChannelError::Unexpected { message: other.name(), expected: "HELLO comes first" }.into()),
        None => Err(ChannelError::Closed.into()),
    }
}
