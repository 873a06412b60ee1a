//! Q199817: from any location but Office, the sessions that CALCON opens on the Notes server pile up unclosed.
//!
//! Inferred: a query opens a session, then the database of the calendars. Only from Office can a database on the server
//! be opened; from elsewhere the query returns early, and skips the close below.

use super::server::{self, Database, Server};
use crate::world::{Calendars, notes, queries};
use calcon::{
    profile::Location,
    query::{Answer, Query, Refusal, ask},
    session::{Sessions, audit::AuditFile},
};
use proptest::{sample::select, strategy::Strategy};
use refrain::World;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a query waits for a session.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the server takes to open and to close a session.
const WORK: Duration = Duration::from_millis(2);

/// The historic variant: whoever opens a session has to close it.
#[derive(Clone, Default)]
pub struct EarlyReturn(Arc<AtomicU64>);

impl Server for EarlyReturn {
    fn start() -> Self {
        Self::default()
    }

    async fn answer(&self, database: Database, query: Query) -> Result<Answer, Refusal> {
        let session = self.open_session().await;
        let calendars = database.open()?;
        let answer = calendars.answer(query).await;
        self.close_session(session).await;
        answer
    }
}

impl EarlyReturn {
    async fn open_session(&self) -> u64 {
        sleep(WORK).await;
        let id = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(kind = "notes.session", id, "opened");
        id
    }

    async fn close_session(&self, id: u64) {
        sleep(WORK).await;
        tracing::info!(kind = "notes.session", id, "closed");
    }
}

/// The current variant: the session is held for a scope, and released when leaving it.
#[derive(Clone)]
pub struct Scoped(Sessions);

impl Server for Scoped {
    fn start() -> Self {
        let (sessions, closer) = Sessions::new(Default::default());
        tokio::spawn(async { closer.run(AuditFile::open(None).expect("no file is opened")).await });
        Self(sessions)
    }

    async fn answer(&self, database: Database, query: Query) -> Result<Answer, Refusal> {
        let seat = self.0.seat("CALCON");
        let work = |_| async { database.open()?.answer(query).await };
        seat.scoped(Instant::now() + PATIENCE, work).await?
    }
}

/// The early return from a location other than Office skips the close.
#[refrain::test(runs = 100, expect = "leak", snapshot)]
async fn an_early_return_leaks_sessions(
    world: World,
    #[any(away())] location: String,
    #[any(queries(1..6))] queries: Vec<Query>,
) {
    sessions_are_conserved::<EarlyReturn>(world, &location, queries).await;
}

/// The historic workaround.
#[refrain::test(runs = 100)]
async fn nothing_leaks_from_office(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    sessions_are_conserved::<EarlyReturn>(world, "Office", queries).await;
}

/// The current fix: works from any location.
#[refrain::test(runs = 500)]
async fn calcon_leaks_from_nowhere(
    world: World,
    #[any(anywhere())] location: String,
    #[any(queries(1..6))] queries: Vec<Query>,
) {
    world.sometimes("a session was opened", "calcon::session", "opened");
    sessions_are_conserved::<Scoped>(world, &location, queries).await;
}

fn anywhere() -> impl Strategy<Value = String> {
    select(<Location as strum::VariantArray>::VARIANTS.iter().map(Location::to_string).collect::<Vec<_>>())
}

fn away() -> impl Strategy<Value = String> {
    anywhere().prop_filter("not at the office", |location| location != "Office")
}

async fn sessions_are_conserved<S: Server>(world: World, location: &str, queries: Vec<Query>) {
    let location: Location = location.parse().expect("one of them");
    world.host("notes", move || server::serve::<S>(notes(), location));
    world.conserves("notes.session");
    for query in queries {
        let answer = world.client("schedule").run(async move { ask(Calendars::Notes.address(), &query).await }).await;
        world.saw(answer.map_or_else(|refusal| refusal.to_string(), |answer| format!("{} answered", answer.user)));
    }
}
