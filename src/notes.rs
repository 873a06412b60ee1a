//! The Notes side: answers clients about its own users and, over the link that its add-in task (EXCALCON) maintains,
//! about the Exchange users.

use crate::answer::{Answer, Query, Refusal};
use crate::browse_log::{self, Event};
use crate::calendar::{Calendars, is_unknown};
use crate::channel::Channel;
use crate::client;
use crate::console::{self, Command, Report};
use crate::error::{ChannelError, Error};
use crate::excalcon::{self, Excalcon};
use crate::link::converse::Own;
use crate::link::line::{Line, line};
use crate::profile;
use crate::server;
use crate::session::audit::AuditFile;
use crate::session::{Seat, Sessions};
use crate::settings::NotesSettings;
use crate::shutdown::{self, Shutdown};
use crate::wire::{self, Message, Role};
use std::future::Future;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// How long a query waits for a link that is being dialled.
pub const LINK_PATIENCE: Duration = Duration::from_secs(5);

/// How long a query waits for a session when all are in use.
pub const SESSION_PATIENCE: Duration = Duration::from_secs(5);

/// How long the link and the sessions may take to end after the clients have been served.
const DRAIN_LIMIT: Duration = Duration::from_millis(250);

/// Runs the Notes side until SIGTERM or Ctrl-C.
///
/// # Errors
/// If it cannot start: the profile is unusable, the directory cannot be listed, the audit cannot be written, or the
/// port is not available.
pub async fn serve(settings: NotesSettings) -> Result<(), Error> {
    settings.notes_ini.as_deref().map(check_profile).transpose()?;
    let audit = AuditFile::open(settings.session_log.as_deref())
        .map_err(|source| Error::Audit { file: settings.session_log.clone().unwrap_or_default(), source })?;
    let calendars = Calendars::open(&settings.calendars, settings.time_zone)?;
    // Until here SIGTERM ends the process at once: a file system that hangs cannot prevent it.
    let (shutdown, _signals) = shutdown::on_signal()?;
    tokio::spawn(Arc::clone(&calendars).read_all());
    let (owner, line) = line("it has not been dialled yet");
    let places = Semaphore::new(client::CLIENTS_MAX);
    let (sessions, closer) = Sessions::new(settings.sessions);
    let (excalcon, loaded) = Excalcon::new(settings.exchange.clone(), line.clone());
    let side = Arc::new(Side { calendars: Arc::clone(&calendars), line, places, sessions: sessions.clone(), excalcon });
    let listener = server::listen(&settings.listen, settings.backlog).await?;
    // The link shuts down after the clients are served: their queries may need it.
    let (link_switch, link_shutdown) = Shutdown::pair();
    let mut tasks = JoinSet::new();
    let holder = format!("CALCON {}", settings.exchange);
    let answers = move || CalendarAnswers { calendars: Arc::clone(&calendars), seat: Arc::new(sessions.seat(&holder)) };
    tasks.spawn(excalcon::run(settings.exchange, answers, owner, loaded, link_shutdown));
    tasks.spawn(closer.run(audit));
    let clients = server::run(listener, shutdown.clone(), |channel, peer| {
        let (side, shutdown) = (Arc::clone(&side), shutdown.clone());
        async move { side.connection(channel, peer, shutdown).await }
    });
    tokio::select! {
        () = clients => {}
        ended = tasks.join_next() => raise_panic(ended),
    }
    // No new session is opened from now on, so the closer ends after closing the remaining ones.
    drop(side);
    link_switch.stop();
    drain(tasks).await;
    Ok(())
}

/// Refuses a profile with which no session can be opened (Q245545).
fn check_profile(ini: &Path) -> Result<(), Error> {
    match profile::read(ini) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let why = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            browse_log::report(&Event::NoSession { why: why.clone() });
            Err(Error::Settings(why))
        }
    }
}

async fn drain(mut tasks: JoinSet<()>) {
    let drained = timeout(DRAIN_LIMIT, async {
        while let Some(ended) = tasks.join_next().await {
            raise_panic(Some(ended));
        }
    });
    if drained.await.is_err() {
        tracing::warn!(tasks = tasks.len(), "link or sessions cut off at the end of the drain limit");
    }
}

/// Propagates a panic of the add-in or the closer, which otherwise end only at shutdown. Without them this side is only
/// half functional, so it must not appear to be alive.
fn raise_panic(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// State shared by the connections of this side.
struct Side {
    calendars: Arc<Calendars>,
    line: Line,
    places: Semaphore,
    sessions: Sessions,
    excalcon: Excalcon,
}

/// Answers the Exchange side's queries, each under the session that it has while its link is up.
#[derive(Debug, Clone)]
struct CalendarAnswers {
    calendars: Arc<Calendars>,
    seat: Arc<Seat>,
}

impl Own for CalendarAnswers {
    async fn answer(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        under_session(&self.seat, deadline, || self.calendars.answer(query)).await
    }
}

/// Answers a query while its session is held.
async fn under_session<F>(seat: &Seat, deadline: Instant, answer: impl FnOnce() -> F) -> Result<Answer, Refusal>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    seat.scoped(deadline.min(Instant::now() + SESSION_PATIENCE), |_| answer()).await?
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
        channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Notes, epoch: 0 }).await?;
        if role == Role::AddIn {
            return Err(ChannelError::Unexpected { message: "add-in", expected: "the add-in dials `calcon exchange`" });
        }
        let seat = self.sessions.seat(format!("client {}", peer.ip()));
        let answer = |query, deadline| under_session(&seat, deadline, move || self.answer(query, deadline));
        let obey = |command| self.obey(peer, &command);
        client::serve(channel, shutdown, &self.places, answer, obey).await
    }

    /// Executes a command of an operator.
    fn obey(&self, peer: SocketAddr, command: &Command) -> Result<Report, Refusal> {
        console::permit(peer.ip(), command)?;
        match command {
            Command::ShowUsers => Ok(console::users(&self.sessions)),
            Command::Drop { session } => console::drop_session(&self.sessions, session),
            Command::ShowTasks => Ok(self.excalcon.tasks()),
            Command::Load { task } => self.excalcon.load(task, true),
            Command::Quit { task } => self.excalcon.load(task, false),
            Command::SyncNow => {
                self.calendars.sync();
                Ok(Report::Started)
            }
        }
    }

    /// Answers from our own calendars, otherwise over the link.
    async fn answer(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        let own = self.calendars.answer(query.clone()).await;
        if !is_unknown(&own) {
            return own;
        }
        self.line.ask_patiently(query, Instant::now() + LINK_PATIENCE, deadline).await
    }
}
