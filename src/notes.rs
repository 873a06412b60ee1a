//! The Notes side: answers clients about its own users and, over the link that its add-in task (EXCALCON) keeps, about
//! the Exchange users.

use crate::answer::{Answer, Query, Refusal};
use crate::calendar::{Calendars, is_unknown};
use crate::channel::Channel;
use crate::client;
use crate::error::{ChannelError, Error};
use crate::link;
use crate::link::line::{Line, line};
use crate::server;
use crate::settings::NotesSettings;
use crate::shutdown::{self, Shutdown};
use crate::wire::{self, Message, Role};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// How long a question waits for a link that is being dialled.
pub const LINK_PATIENCE: Duration = Duration::from_secs(5);

/// Runs the Notes side until SIGTERM or ctrl-c.
///
/// # Errors
/// When it cannot start: the folder cannot be listed, or the port cannot be had.
pub async fn serve(settings: NotesSettings) -> Result<(), Error> {
    let (shutdown, _signals) = shutdown::on_signal()?;
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    let (owner, line) = line("it has not been dialled yet");
    let places = Semaphore::new(client::CLIENTS_MAX);
    let side = Arc::new(Side { calendars: Arc::clone(&calendars), line, places });
    let listener = server::listen(&settings.listen).await?;
    // The link ends after the clients are served: what they asked may need it.
    let (link_switch, link_shutdown) = Shutdown::pair();
    let mut add_in = JoinSet::new();
    add_in.spawn(link::keep(settings.exchange, calendars, owner, link_shutdown));
    let clients = server::run(listener, shutdown.clone(), |channel| {
        let (side, shutdown) = (Arc::clone(&side), shutdown.clone());
        async move { side.connection(channel, shutdown).await }
    });
    tokio::select! {
        () = clients => {}
        ended = add_in.join_next() => raise_panic(ended),
    }
    link_switch.stop();
    match timeout(server::DRAIN_LIMIT, add_in.join_next()).await {
        Ok(ended) => raise_panic(ended),
        Err(_) => tracing::warn!("link cut off at the end of the drain limit"),
    }
    Ok(())
}

/// The add-in task ends only when told to. A panic in it is our bug: without a link this side is of half use, so it
/// shall not look alive.
fn raise_panic(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// What the connections of this side share.
struct Side {
    calendars: Arc<Calendars>,
    line: Line,
    places: Semaphore,
}

impl Side {
    async fn connection(&self, channel: Channel, shutdown: Shutdown) {
        let id = channel.opened.id();
        server::report_end(id, self.converse(channel, shutdown).await);
    }

    async fn converse(&self, mut channel: Channel, mut shutdown: Shutdown) -> Result<(), ChannelError> {
        let Some(role) = client::greeting(&mut channel, &mut shutdown).await? else {
            return Ok(());
        };
        channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Notes, epoch: 0 }).await?;
        if role == Role::AddIn {
            return Err(ChannelError::Unexpected { message: "add-in", expected: "the add-in dials `calcon exchange`" });
        }
        client::serve(channel, shutdown, &self.places, |query, deadline| self.answer(query, deadline)).await
    }

    /// Answers from our own calendars, else over the link.
    async fn answer(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        let own = self.calendars.answer(query.clone()).await;
        if !is_unknown(&own) {
            return own;
        }
        self.line.ask_patiently(query, Instant::now() + LINK_PATIENCE, deadline).await
    }
}
