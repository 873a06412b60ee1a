//! Q201280, third mechanism: a disconnect that arrives during the attempt wakes no task.
//!
//! Several tasks need to know when a connection is lost: the add-in's, and those that wait for an answer. So all tasks
//! that wait at that moment are woken, like with `PulseEvent`. During the attempt the add-in's task waits for other
//! things; it starts to wait for the loss only afterwards, and then forever.

use super::addin::{AddIn, RETRY, SILENCE_LIMIT, Talk, connect, down, hello};
use calcon::{
    Error,
    calendars::Calendars,
    channel::{Channel, Opened, Reader},
    query::{Answer, Query, Refusal},
    wire::{Message, Role},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// How long the other host may take to accept our connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long the other side may take to reply to HELLO.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// How long the other side may take to reply to the first PING.
const PONG_LIMIT: Duration = Duration::from_secs(10);

/// The link; `None` while it is down.
#[derive(Clone, Default)]
pub struct LostDisconnect(Arc<Mutex<Option<Arc<Connection>>>>);

/// A connection and its events.
struct Connection {
    talk: Arc<Talk>,
    greeted: Notify,
    ponged: Notify,
    lost: Notify,
}

impl AddIn for LostDisconnect {
    fn load(exchange: String, calendars: Arc<Calendars>) -> Self {
        let link = Self::default();
        tokio::spawn(link.clone().keep(exchange, calendars));
        link
    }

    async fn ask(&self, query: Query) -> Result<Answer, Refusal> {
        let Some(connection) = self.0.lock().unwrap().clone() else {
            return Err(down("there is no connection to the Exchange side"));
        };
        tokio::select! {
            outcome = connection.talk.ask(query) => outcome,
            () = connection.lost.notified() => Err(down("it was lost while the other side was asked")),
        }
    }
}

impl LostDisconnect {
    /// The add-in's task.
    async fn keep(self, exchange: String, calendars: Arc<Calendars>) {
        for epoch in 1.. {
            // The reading task ends with the connection.
            let mut reading = JoinSet::new();
            match attempt(&exchange, epoch, &calendars, &mut reading).await {
                Ok(connection) => {
                    *self.0.lock().unwrap() = Some(Arc::clone(&connection));
                    tracing::info!(epoch, "link up");
                    connection.lost.notified().await;
                    *self.0.lock().unwrap() = None;
                    tracing::info!(epoch, "link down");
                }
                Err(reason) => tracing::info!(epoch, %reason, "link attempt failed"),
            }
            sleep(RETRY).await;
        }
    }
}

/// Connects, performs the handshake, and measures the round trip time.
async fn attempt(
    exchange: &str,
    epoch: u64,
    calendars: &Arc<Calendars>,
    reading: &mut JoinSet<()>,
) -> Result<Arc<Connection>, Error> {
    let late = |limit: Duration| Error::TimedOut { address: exchange.to_owned(), limit_secs: limit.as_secs() };
    let connected = timeout(CONNECT_LIMIT, connect(exchange)).await;
    let Channel { reader, writer, opened } = connected.unwrap_or_else(|_| Err(late(CONNECT_LIMIT)))?;
    let connection = Arc::new(Connection {
        talk: Talk::new(epoch, Arc::clone(calendars), writer),
        greeted: Notify::new(),
        ponged: Notify::new(),
        lost: Notify::new(),
    });
    reading.spawn(read_all(Arc::clone(&connection), reader, opened));
    connection.talk.say(&hello(Role::AddIn, epoch)).await?;
    timeout(HELLO_LIMIT, connection.greeted.notified()).await.map_err(|_| late(HELLO_LIMIT))?;
    measure(&connection).await;
    Ok(connection)
}

/// Measures the link's speed for `show tasks`. A slow link is better than none.
async fn measure(connection: &Connection) {
    let asked = Instant::now();
    // If the connection is lost, the reading task reports it.
    let _ = connection.talk.say(&Message::Ping { nonce: 1 }).await;
    match timeout(PONG_LIMIT, connection.ponged.notified()).await {
        Ok(()) => tracing::info!(round_trip_ms = asked.elapsed().as_millis() as u64, "link measured"),
        Err(_) => tracing::info!("link is slow"),
    }
}

/// Reads until the connection ends, and wakes the tasks that wait for what was read.
async fn read_all(connection: Arc<Connection>, mut reader: Reader, _opened: Opened) {
    let reason = loop {
        match reader.expect(SILENCE_LIMIT).await {
            Ok(Message::Hello { .. }) => connection.greeted.notify_one(),
            Ok(Message::Pong { .. }) => connection.ponged.notify_one(),
            Ok(message) => match connection.talk.hear(message).await {
                Ok(()) => {}
                Err(reason) => break reason,
            },
            Err(reason) => break reason,
        }
    };
    tracing::info!(%reason, "connection lost");
    connection.lost.notify_waiters();
}
