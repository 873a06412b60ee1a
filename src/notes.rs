//! The Notes side: answers about its own users and, over the link that its add-in task (EXCALCON) maintains, about the Exchange users.

use crate::access::{Current, Peer};
use crate::answer::{Answer, Code, Query, Refusal};
use crate::calendars::{Calendars, is_unknown};
use crate::channel::Channel;
use crate::client::{self, Greeting, Places};
use crate::console::{self, Command, Report};
use crate::error::{ChannelError, Error};
use crate::excalcon::{self, Excalcon};
use crate::face::{self, Status};
use crate::link::Target;
use crate::link::converse::Own;
use crate::link::line::{Line, line};
use crate::ntsmex::{self, Ntsmex};
use crate::operator::{self, Console};
use crate::server::{self, Entrance};
use crate::session::audit::AuditFile;
use crate::session::{Seat, Sessions};
use crate::settings::NotesSettings;
use crate::shutdown::{self, Shutdown};
use crate::wire::{Message, Role};
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
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
/// If it cannot start: the directory cannot be listed, the audit cannot be written, or the
/// port is not available.
pub async fn serve(settings: NotesSettings) -> Result<(), Error> {
    let access = Current::open(settings.access.clone())?;
    let audit = AuditFile::open(settings.session_log.as_deref())
        .map_err(|source| Error::Audit { file: settings.session_log.clone().unwrap_or_default(), source })?;
    let calendars = Calendars::open(&settings.calendars, settings.time_zone.clone())?;
    // Until here SIGTERM ends the process at once: a file system that hangs cannot prevent it.
    let (shutdown, _signals) = shutdown::on_signal()?;
    let _reloads = access.reload_on_hangup()?;
    tokio::spawn(Arc::clone(&calendars).read_all());
    let (owner, line) = line("it has not been dialled yet");
    let places = Places::default();
    let (sessions, closer) = Sessions::new(settings.sessions.clone());
    let (excalcon, loaded) = Excalcon::new(settings.exchange.clone(), line.clone());
    // The link and the neighbour shut down after the clients are served: their queries may need the link.
    let (link_switch, link_shutdown) = Shutdown::pair();
    let needs = needs(&settings, &sessions, &access, &calendars);
    let (ntsmex, neighbour) = needs.map(|needs| ntsmex::load(needs, link_shutdown.clone())).unzip();
    let (own, seats) = (Arc::clone(&calendars), sessions.clone());
    let side = Arc::new(Side { calendars: own, access, line, places, sessions: seats, excalcon, ntsmex });
    let listener = server::listen(&settings.listen, settings.backlog, &side.access).await?;
    let http = face::listen(settings.http_listen.as_deref(), settings.backlog, &side.access).await?;
    // After the port: of two daemons with the same settings, one gets no further than that.
    let console = Console::listen(settings.console.as_deref(), "notes").await?;
    let mut tasks = JoinSet::new();
    let holder = format!("CALCON {}", settings.exchange);
    let answers = move || CalendarAnswers { calendars: Arc::clone(&calendars), seat: Arc::new(sessions.seat(&holder)) };
    let target = Target { exchange: settings.exchange, access: side.access.clone(), boot: boot() };
    tasks.spawn(excalcon::run(target, answers, owner, loaded, link_shutdown));
    tasks.spawn(closer.run(audit));
    neighbour.into_iter().for_each(|neighbour| drop(tasks.spawn(neighbour)));
    let (operated, served, served_until) = (Arc::clone(&side), Arc::clone(&side), shutdown.clone());
    let commands = console.run(shutdown.clone(), move |command| Arc::clone(&operated).obey(command));
    let entrance = Entrance::new(side.access.clone());
    let faces = face::run(http, entrance.clone(), shutdown.clone(), || Arc::clone(&side));
    let clients = server::run(listener, entrance, shutdown, move |accepted, peer| {
        let (side, shutdown) = (Arc::clone(&served), served_until.clone());
        async move { side.converse(accepted.into(), peer, shutdown).await }
    });
    tokio::select! {
        _ = async { tokio::join!(clients, commands, faces) } => {}
        ended = tasks.join_next() => raise_panic(ended),
    }
    // No new session is opened from now on, so the closer ends after closing the remaining ones.
    drop(side);
    link_switch.stop();
    drain(tasks).await;
    Ok(())
}

/// Returns what the task needs that has a session, if there is a profile for it.
fn needs(
    settings: &NotesSettings,
    sessions: &Sessions,
    access: &Current,
    calendars: &Arc<Calendars>,
) -> Option<ntsmex::Needs> {
    let (profile, identity) = (settings.notes_ini.clone()?, settings.identity.clone());
    let (sessions, access, calendars) = (sessions.clone(), access.clone(), Arc::clone(calendars));
    Some(ntsmex::Needs { profile, identity, sessions, access, calendars })
}

/// Returns the time of this start, in microseconds since 1970: of two add-ins, it tells which is newer.
fn boot() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map(|since| since.as_micros() as u64).unwrap_or_default()
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
    access: Current,
    line: Line,
    places: Places,
    sessions: Sessions,
    excalcon: Excalcon,
    ntsmex: Option<Ntsmex>,
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
    async fn converse(&self, mut channel: Channel, peer: Peer, mut shutdown: Shutdown) -> Result<(), ChannelError> {
        let token = match client::greeting(&mut channel, &mut shutdown).await? {
            Some(Greeting::Client(token)) => token,
            Some(Greeting::AddIn { .. }) => {
                let why =
                    "this is the Notes side: the add-in dials `calcon exchange`, whose address `exchange` is to be";
                return server::turn_away(channel, Refusal::new(Code::Denied, why)).await;
            }
            None => return Ok(()),
        };
        let permit = || self.access.get().admit_client(&peer, token.as_ref());
        let name = match permit() {
            Ok(name) => name,
            Err(refusal) => return server::turn_away(channel, refusal).await,
        };
        channel.writer.send(&Message::hello(Role::Notes)).await?;
        let seat = self.sessions.seat(format!("client {name}"));
        let answer = |query, deadline| under_session(&seat, deadline, move || self.answer(query, deadline));
        client::serve(channel, shutdown, self.places.of(peer.address.ip()), || permit().map(drop), answer).await
    }

    /// Executes a command of an operator.
    async fn obey(self: Arc<Self>, command: Command) -> Result<Report, Refusal> {
        match command {
            Command::ShowUsers => Ok(console::users(&self.sessions)),
            Command::Drop { session } => console::drop_session(&self.sessions, &session),
            Command::ShowTasks => Ok(self.tasks()),
            Command::Load { task } => self.load(&task, true),
            Command::Quit { task } => self.load(&task, false),
            Command::Reload => operator::reload(&self.access).await,
            Command::SyncNow => {
                self.calendars.sync();
                Ok(Report::Started)
            }
        }
    }

    /// Lists the tasks.
    fn tasks(&self) -> Report {
        let tasks = [Some(self.excalcon.task()), self.ntsmex.as_ref().map(Ntsmex::task)];
        Report::Tasks { tasks: tasks.into_iter().flatten().collect() }
    }

    /// Loads or stops the task with this name.
    fn load(&self, task: &str, loaded: bool) -> Result<Report, Refusal> {
        match &self.ntsmex {
            _ if task.eq_ignore_ascii_case(excalcon::NAME) => self.excalcon.load(loaded),
            Some(ntsmex) if task.eq_ignore_ascii_case(ntsmex::NAME) => ntsmex.load(loaded),
            _ => {
                let text = format!("there is no task {task}: `calcon show tasks` lists them");
                return Err(Refusal::new(Code::BadQuery, text));
            }
        }
        Ok(Report::Started)
    }

    /// Answers from our own calendars, otherwise over the link.
    async fn answer(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        let own = self.calendars.answer(query.clone()).await;
        if !is_unknown(&own) {
            return own;
        }
        let reply = self.line.ask_patiently(query, Instant::now() + LINK_PATIENCE, deadline).await?;
        Ok(reply.answer)
    }
}

impl face::Side for Side {
    type Seat = Seat;

    fn seat(&self, name: &str) -> Seat {
        self.sessions.seat(format!("client {name}"))
    }

    async fn ask(&self, seat: &Seat, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        under_session(seat, deadline, move || self.answer(query, deadline)).await
    }

    fn status(&self) -> Status {
        let ((opened, live), max) = (self.sessions.numbers(), self.sessions.limits().sessions_max);
        let live = live as u64;
        let sessions = Some(face::Sessions { opened, closed: opened.saturating_sub(live), live, max });
        Status { side: "notes", link: face::Link::of(&self.line.state()), sessions, cache: None }
    }

    fn places(&self) -> &Places {
        &self.places
    }

    fn access(&self) -> &Current {
        &self.access
    }
}
