//! The Exchange side (CALCON): answers clients about its own users and, through the cache, about the Notes users; takes
//! the add-in's link.

use crate::answer::{Answer, Query, Refusal};
use crate::cache::Cache;
use crate::calendar::{Calendars, is_unknown};
use crate::channel::Channel;
use crate::client;
use crate::console::{self, Command, Report};
use crate::error::{ChannelError, Error};
use crate::link::incoming::Links;
use crate::link::line::{Line, line};
use crate::server;
use crate::settings::ExchangeSettings;
use crate::shutdown::{self, Shutdown};
use crate::wire::{self, Message, Role};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Runs the Exchange side until SIGTERM or Ctrl-C.
///
/// # Errors
/// If it cannot start: the directory cannot be listed, or the port is not available.
pub async fn serve(settings: ExchangeSettings) -> Result<(), Error> {
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    // Until here SIGTERM ends the process at once: a file system that hangs cannot prevent it.
    let (shutdown, _signals) = shutdown::on_signal()?;
    tokio::spawn(Arc::clone(&calendars).read_all());
    let (owner, line) = line("the add-in has not dialled yet");
    let cache = Arc::new(Cache::new(settings.cache.clone()));
    let places = Semaphore::new(client::CLIENTS_MAX);
    let side = Arc::new(Side { calendars, links: Links::new(owner), line, cache, places });
    let listener = server::listen(&settings.listen, settings.backlog).await?;
    server::run(listener, shutdown.clone(), |channel, peer| {
        let (side, shutdown) = (Arc::clone(&side), shutdown.clone());
        async move { side.connection(channel, peer, shutdown).await }
    })
    .await;
    Ok(())
}

/// State shared by the connections of this side.
struct Side {
    calendars: Arc<Calendars>,
    links: Links,
    line: Line,
    cache: Arc<Cache>,
    places: Semaphore,
}

impl Side {
    async fn connection(&self, channel: Channel, peer: SocketAddr, shutdown: Shutdown) {
        let id = channel.opened.id();
        server::report_end(id, self.converse(channel, peer, shutdown).await);
    }

    async fn converse(
        &self,
        mut channel: Channel,
        peer: SocketAddr,
        mut shutdown: Shutdown,
    ) -> Result<(), ChannelError> {
        let Some(role) = client::greeting(&mut channel, &mut shutdown).await? else {
            return Ok(());
        };
        let epoch = if role == Role::AddIn { self.links.next_epoch() } else { 0 };
        channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Exchange, epoch }).await?;
        if role == Role::AddIn {
            self.links.hold(channel, epoch, Arc::clone(&self.calendars), shutdown).await;
            return Ok(());
        }
        let answer = |query, deadline| self.answer(query, deadline);
        let obey = |command| self.obey(peer, &command);
        client::serve(channel, shutdown, &self.places, answer, obey).await
    }

    /// Executes a command of an operator.
    fn obey(&self, peer: SocketAddr, command: &Command) -> Result<Report, Refusal> {
        console::permit(peer.ip(), command)?;
        match command {
            Command::SyncNow => {
                self.calendars.sync();
                Ok(Report::Started)
            }
            _ => Err(console::no_sessions()),
        }
    }

    /// Answers from our own calendars, otherwise from the cache or over the link.
    async fn answer(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        let own = self.calendars.answer(query.clone()).await;
        if !is_unknown(&own) {
            return own;
        }
        let line = self.line.clone();
        let ask = |query, deadline| async move { line.ask(query, deadline).await };
        self.cache.answer(query, deadline, ask).await
    }
}
