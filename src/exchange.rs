//! The Exchange side (CALCON): answers about its own users and, through the cache, about the Notes users; takes the add-in's link.

use crate::access::{Current, Peer};
use crate::answer::{Answer, Query, Refusal};
use crate::cache::Cache;
use crate::calendars::{Calendars, is_unknown};
use crate::channel::Channel;
use crate::client::{self, Greeting, Places};
use crate::console::{self, Command, Report};
use crate::error::{ChannelError, Error};
use crate::face::{self, Status};
use crate::link::incoming::{Links, Rank};
use crate::link::line::{Line, line};
use crate::operator::{self, Console};
use crate::server::{self, Entrance};
use crate::settings::ExchangeSettings;
use crate::shutdown::{self, Shutdown};
use crate::wire::{self, Message, Role};
use std::sync::Arc;
use tokio::time::Instant;

/// Runs the Exchange side until SIGTERM or Ctrl-C.
///
/// # Errors
/// If it cannot start: the directory cannot be listed, the certificates cannot be used, or the port is not available.
pub async fn serve(settings: ExchangeSettings) -> Result<(), Error> {
    let access = Current::open(settings.access)?;
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    // Until here SIGTERM ends the process at once: a file system that hangs cannot prevent it.
    let (shutdown, _signals) = shutdown::on_signal()?;
    let _reloads = access.reload_on_hangup()?;
    tokio::spawn(Arc::clone(&calendars).read_all());
    let (owner, line) = line("the add-in has not dialled yet");
    let trusting = access.clone();
    let cache = Arc::new(Cache::new(settings.cache, Box::new(move |identity| trusting.get().trusts(identity))));
    let asked = line.clone();
    let refreshed = Arc::clone(&cache).refresh(
        move |query, deadline| {
            let line = asked.clone();
            async move { line.ask(query, deadline).await }
        },
        shutdown.clone(),
    );
    let kept = cache.keep(settings.cache_file, shutdown.clone());
    let places = Places::default();
    let side = Arc::new(Side { calendars, access: access.clone(), links: Links::new(owner), line, cache, places });
    let listener = server::listen(&settings.listen, settings.backlog, &access).await?;
    let http = face::listen(settings.http_listen.as_deref(), settings.backlog, &access).await?;
    // After the port: of two daemons with the same settings, one gets no further than that.
    let console = Console::listen(settings.console.as_deref(), "exchange").await?;
    let operated = Arc::clone(&side);
    let commands = console.run(shutdown.clone(), move |command| Arc::clone(&operated).obey(command));
    let (entrance, served, faced) = (Entrance::new(access), shutdown.clone(), Arc::clone(&side));
    let faces = face::run(http, entrance.clone(), shutdown.clone(), || faced);
    let clients = server::run(listener, entrance, shutdown, move |accepted, peer| {
        let (side, shutdown) = (Arc::clone(&side), served.clone());
        async move { side.converse(accepted.into(), peer, shutdown).await }
    });
    tokio::join!(clients, commands, faces, kept, refreshed);
    Ok(())
}

/// State shared by the connections of this side.
struct Side {
    calendars: Arc<Calendars>,
    access: Current,
    links: Links,
    line: Line,
    cache: Arc<Cache>,
    places: Places,
}

impl Side {
    async fn converse(&self, mut channel: Channel, peer: Peer, mut shutdown: Shutdown) -> Result<(), ChannelError> {
        match client::greeting(&mut channel, &mut shutdown).await? {
            Some(Greeting::AddIn { boot, epoch }) => self.link(channel, peer, Rank { boot, epoch }, shutdown).await,
            Some(Greeting::Client(token)) => {
                let permit = || self.access.get().admit_client(&peer, token.as_ref()).map(drop);
                if let Err(refusal) = permit() {
                    return server::turn_away(channel, refusal).await;
                }
                channel.writer.send(&Message::hello(Role::Exchange)).await?;
                let answer = |query, deadline| self.answer(query, deadline);
                client::serve(channel, shutdown, self.places.of(peer.address.ip()), permit, answer).await
            }
            None => Ok(()),
        }
    }

    /// Runs a link, if its peer is the add-in and no newer link is up. With the number 0 the peer only asks whether it would be let
    /// in, as `calcon check` does: that affects no link.
    async fn link(&self, mut channel: Channel, peer: Peer, rank: Rank, shutdown: Shutdown) -> Result<(), ChannelError> {
        let admitted = self.access.get().admit_add_in(&peer);
        let asks_only = rank.epoch == 0;
        let next_epoch = || if asks_only { Ok(0) } else { self.links.next_epoch(rank) };
        let admitted = admitted.and_then(|identity| Ok((identity, next_epoch()?)));
        let (identity, epoch) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => return server::turn_away(channel, refusal).await,
        };
        let hello = Message::Hello { version: wire::VERSION, role: Role::Exchange, epoch, boot: 0, token: None };
        channel.writer.send(&hello).await?;
        if asks_only {
            return Ok(());
        }
        let calendars = Arc::clone(&self.calendars);
        self.links.hold(channel, (epoch, rank), (identity, &self.access), calendars, shutdown).await;
        Ok(())
    }

    /// Executes a command of an operator.
    async fn obey(self: Arc<Self>, command: Command) -> Result<Report, Refusal> {
        match command {
            Command::SyncNow => {
                self.calendars.sync();
                Ok(Report::Started)
            }
            Command::Reload => operator::reload(&self.access).await,
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

impl face::Side for Side {
    type Seat = ();

    fn seat(&self, _name: &str) {}

    async fn ask(&self, _seat: &(), query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        self.answer(query, deadline).await
    }

    fn status(&self) -> Status {
        let (records, ages) = self.cache.ages();
        let (oldest_secs, newest_secs) = ages.unzip();
        let cache = Some(face::Cache { records, oldest_secs, newest_secs });
        Status { side: "exchange", link: face::Link::of(&self.line.state()), sessions: None, cache }
    }

    fn places(&self) -> &Places {
        &self.places
    }

    fn access(&self) -> &Current {
        &self.access
    }
}
