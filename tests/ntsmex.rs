//! The task that needs a session, under faults (Q245545): it starts when it can, and never runs without its identity in `show users`.

use crate::world::{Calendars, exchange, keys, notes, of_its_own};
use calcon::channel::{Channel, Opened};
use calcon::console::{Command, Report};
use calcon::operator::give;
use calcon::session::Limits;
use calcon::settings::AccessSettings;
use calcon::tls::Dialler;
use calcon::wire::{Message, Role};
use calcon::{Error, NotesSettings};
use proptest::sample::select;
use proptest::strategy::Strategy;
use refrain::{Faults, World};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// The kind of the task's runs; the id of one is that of its session.
pub const RUN: &str = "calcon.ntsmex";
const SESSION: &str = "notes.session";
/// So few that the task does not always get one.
const SESSIONS_MAX: usize = 1;
/// How often an operator looks at the task, and then drops every session.
const LOOKS: Duration = Duration::from_secs(4);
/// How often the operator drops them.
const DROPS_MAX: u32 = 8;
/// How long a client waits for a reply.
const REPLY: Duration = Duration::from_secs(10);
/// How soon a task runs that can: once the sessions of clients have ended that are gone, and after the longest delay between two attempts.
const BOUND: Duration = Duration::from_secs(150);
/// The same where no client has a session.
const BOUND_ALONE: Duration = Duration::from_secs(80);

/// A Notes side with a task that needs a session.
pub trait Notes: Clone + Send + Sync + 'static {
    /// Runs it, with an operator who drops every session now and then.
    fn serve(self, settings: NotesSettings) -> impl Future<Output = Result<(), Error>>;

    /// Connects a client to it.
    fn connect(&self) -> impl Future<Output = Result<Channel, Error>> + Send;

    /// Says whether the task runs, as its operator sees it; an error is the reason why it does not.
    fn runs(&self) -> Result<(), String>;
}

/// The preflight, for a profile.
pub trait Preflight {
    /// Returns whether a task can start with this profile.
    fn passes(settings: &NotesSettings) -> bool;
}

/// A running task has a session, in every state of the service, and one that can run does.
pub async fn a_task_runs_only_with_its_session<N: Notes>(world: World, notes_side: N, visits: Vec<Visit>) {
    let limits = Limits { sessions_max: SESSIONS_MAX, ..Limits::default() };
    let settings = move || NotesSettings { sessions: limits.clone(), ..with_profile("good") };
    let served = notes_side.clone();
    world.host("notes", move || served.clone().serve(settings()));
    world.conserves_up_to(RUN, 1);
    world.conserves_up_to(SESSION, SESSIONS_MAX);
    world.always("a task that runs has its session", |seen| seen.open(RUN).is_subset(seen.open(SESSION)));
    let office = world.client("office");
    world.faults(Faults::between("notes", "office").all().at_most(3));
    for (pause_ms, stays_ms) in visits {
        sleep(Duration::from_millis(pause_ms)).await;
        // While the network is broken, or the task has the session, an error is a valid answer.
        let _ = office.run(visit(notes_side.clone(), Duration::from_millis(stays_ms))).await;
    }
    world.heal().await;
    world.eventually(BOUND, "the task runs", || async { notes_side.runs() }).await;
}

/// A client that asks once, and stays connected, so that it keeps its session.
async fn visit(notes_side: impl Notes, stays: Duration) -> Result<(), Error> {
    let mut channel = notes_side.connect().await?;
    channel.reader.accept_answers();
    channel.writer.send(&Message::hello(Role::Client)).await?;
    channel.reader.expect(REPLY).await?;
    let query = of_its_own(Calendars::Notes);
    channel.writer.send(&Message::Query { id: 1, epoch: 0, deadline_ms: REPLY.as_millis() as u64, query }).await?;
    channel.reader.expect(REPLY).await?;
    sleep(stays).await;
    Ok(())
}

/// A task runs with a profile that the check passes, and does not with one that it does not pass.
pub async fn what_the_check_passes_starts<P: Preflight>(world: World, profile: &str) {
    let settings = with_profile(profile);
    let passes = P::passes(&settings);
    world.host("exchange", || calcon::exchange::serve(exchange()));
    let notes_side = Calcon::new();
    let served = notes_side.clone();
    world.host("notes", move || {
        tokio::spawn(served.clone().operate(false));
        calcon::notes::serve(settings.clone())
    });
    world.faults(Faults::between("exchange", "notes").all().at_most(2));
    sleep(Duration::from_secs(10)).await;
    world.heal().await;
    if passes {
        let what = "the task that the check has passed runs";
        return world.eventually(BOUND_ALONE, what, || async { notes_side.runs() }).await;
    }
    sleep(BOUND_ALONE).await;
    assert!(notes_side.runs().is_err(), "the check has not passed {profile}, and the task runs");
}

fn with_profile(name: &str) -> NotesSettings {
    let ini = PathBuf::from(format!("tests/profiles/{name}.ini"));
    NotesSettings { notes_ini: Some(ini), ..notes() }
}

/// The pause before a client's visit, and how long it stays, in milliseconds.
pub type Visit = (u64, u64);

/// Visits of clients, one after the other.
pub fn visits() -> impl Strategy<Value = Vec<Visit>> {
    proptest::collection::vec((0..5_000_u64, 0..15_000_u64), 1..6)
}

/// The profiles in `tests/profiles/`: only the first one is right.
pub fn profiles() -> impl Strategy<Value = String> {
    select(vec!["good", "other_id", "no_id", "missing", "travel"]).prop_map(str::to_owned)
}

/// The daemon of today, and what its operator has seen last.
#[derive(Debug, Clone)]
struct Calcon(Arc<Mutex<Result<(), String>>>);

impl Calcon {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Err("it has not started".to_owned()))))
    }

    /// The operator on the daemon's machine: looks at the task all the time, and drops every session now and then.
    async fn operate(self, drops: bool) {
        for looks in 1.. {
            sleep(LOOKS).await;
            let seen = look().await;
            *self.0.lock().expect("nobody panics with it") = seen;
            if drops && looks <= DROPS_MAX {
                drop_all().await;
            }
        }
    }
}

impl Notes for Calcon {
    async fn serve(self, settings: NotesSettings) -> Result<(), Error> {
        *self.0.lock().expect("nobody panics with it") = Err("it has not started".to_owned());
        tokio::spawn(self.operate(true));
        calcon::notes::serve(settings).await
    }

    async fn connect(&self) -> Result<Channel, Error> {
        let address = Calendars::Notes.address();
        let failed = |source| Error::Connect { address: address.to_owned(), source };
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let opened = Opened::report("dialled", address);
        let dialler = Dialler::new(&keys::issued("erin"), "notes").expect("credentials");
        Ok(Channel::over(dialler.connect(stream).await?.0, opened))
    }

    fn runs(&self) -> Result<(), String> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

/// Returns whether the task runs and `show users` lists its identity.
async fn look() -> Result<(), String> {
    let operate = |command| give(Some(Calendars::Notes.console()), "notes", command);
    let silent = |error: Error| error.to_string();
    let Report::Tasks { tasks } = operate(Command::ShowTasks).await.map_err(silent)? else {
        return Err("tasks are not what was reported".to_owned());
    };
    let task = tasks.into_iter().find(|task| task.name == "ntsmex").ok_or("it is not listed")?;
    if task.status != "running" {
        return Err(format!("it is {}: {}", task.status, task.why.unwrap_or_default()));
    }
    let Report::Users { users, .. } = operate(Command::ShowUsers).await.map_err(silent)? else {
        return Err("users are not what was reported".to_owned());
    };
    let is_its = |user: &&calcon::session::User| Some(&user.session) == task.session.as_ref();
    let holder = users.iter().find(is_its).map(|user| user.holder.as_str());
    match holder {
        Some("CN=Calcon") => Ok(()),
        _ => Err(format!("it runs, and `show users` has {users:?}")),
    }
}

async fn drop_all() {
    let operate = |command| give(Some(Calendars::Notes.console()), "notes", command);
    if let Ok(Report::Users { users, .. }) = operate(Command::ShowUsers).await {
        for user in users {
            // It may be closed by now.
            let _ = operate(Command::Drop { session: user.session }).await;
        }
    }
}

/// The check of today.
struct Check;

impl Preflight for Check {
    fn passes(settings: &NotesSettings) -> bool {
        let check = calcon::check::profile(settings, &AccessSettings::default(), None);
        check.expect("there is a profile").problems.is_empty()
    }
}

#[refrain::test(runs = 500)]
async fn the_task_runs_only_with_its_session(world: World, #[any(visits())] visits: Vec<Visit>) {
    world.sometimes(
        "no session",
        "calcon::browse_log",
        "1 41220:Error: no Notes Session Open; no session is free: all 1",
    );
    world.sometimes("dropped", "calcon::browse_log", "an operator has dropped the session of CN=Calcon");
    a_task_runs_only_with_its_session(world, Calcon::new(), visits).await;
}

#[refrain::test(runs = 200)]
async fn the_check_passes_the_profiles_with_which_the_task_starts(world: World, #[any(profiles())] profile: String) {
    world.counts("no session", "calcon::browse_log", "1 41220:Error: no Notes Session Open");
    what_the_check_passes_starts::<Check>(world, &profile).await;
}
