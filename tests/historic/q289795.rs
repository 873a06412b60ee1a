//! Q289795: on machines with several processors, two threads delete the same session.
//!
//! Between decrementing the count and testing it, another thread may run on a second processor. On the network this is
//! visible only if a task waits between the two steps, such as one that audits the release.

#[path = "q289795/session.rs"]
mod session;

use super::{
    saved,
    server::{self, Database, Server},
};
use crate::{
    sync::{self, thread},
    world::{Calendars, notes, queries},
};
use calcon::{
    profile::Location,
    query::{Answer, Query, Refusal, ask},
};
use refrain::{
    World,
    report::{self, Core},
    verdict::Class,
};
use refrain_core::bridge;
use session::Session;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::sleep;

/// How long a query needs its session.
const READING: Duration = Duration::from_millis(5);
/// How long the audit of a release takes.
const AUDIT: Duration = Duration::from_millis(2);

/// The count is decremented, then tested: two threads release the session that they share.
fn two_releases() {
    let session = Session::opened();
    session.acquired();
    at_once(session, [Session::released, Session::released]);
}

/// Checks whether to delete, then deletes: the last release, and the reaper.
fn a_release_and_the_reaper() {
    at_once(Session::opened(), [Session::released_and_reaped, Session::reaped]);
}

/// Each on its own thread.
fn at_once(session: Session, operations: [fn(&Session); 2]) {
    let session = Arc::new(session);
    let threads = operations.map(|operation| {
        let session = Arc::clone(&session);
        thread::spawn(move || operation(&session))
    });
    threads.into_iter().for_each(|thread| thread.join().expect("ended"));
    session.at_rest();
}

/// A server that audits each release between the two steps.
#[derive(Clone, Default)]
struct AuditedRelease(Arc<Mutex<Current>>);

/// The session that all queries share, while there are any.
#[derive(Default)]
struct Current {
    sessions: u64,
    session: Option<Arc<Session>>,
}

impl Server for AuditedRelease {
    fn start() -> Self {
        Self::default()
    }

    async fn answer(&self, database: Database, query: Query) -> Result<Answer, Refusal> {
        let (id, session) = self.hold();
        let answer = match database.open() {
            Ok(calendars) => calendars.answer(query).await,
            Err(refusal) => Err(refusal),
        };
        sleep(READING).await;
        session.let_go();
        tracing::debug!(kind = "notes.session", id, "released");
        sleep(AUDIT).await;
        if session.is_unused() {
            tracing::info!(kind = "notes.session", id, "closed");
            session.delete();
            self.0.lock().unwrap().session.take_if(|current| Arc::ptr_eq(current, &session));
        }
        answer
    }
}

impl AuditedRelease {
    fn hold(&self) -> (u64, Arc<Session>) {
        let mut current = self.0.lock().unwrap();
        // A session without holders may be about to be deleted.
        if let Some(session) = current.session.as_ref().filter(|session| !session.is_unused()) {
            session.acquired();
            tracing::debug!(kind = "notes.session", id = current.sessions, "acquired");
            return (current.sessions, Arc::clone(session));
        }
        let session = Arc::new(Session::opened());
        current.sessions += 1;
        current.session = Some(Arc::clone(&session));
        tracing::info!(kind = "notes.session", id = current.sessions, "opened");
        (current.sessions, session)
    }
}

/// On the network it takes a task that waits between the two steps.
#[refrain::test(runs = 100, expect = "double-close", snapshot)]
async fn an_audited_release_closes_twice(world: World, #[any(queries(2..6))] queries: Vec<Query>) {
    world.host("notes", || server::serve::<AuditedRelease>(notes(), Location::Office));
    world.conserves("notes.session");
    let clients = queries.into_iter().enumerate().map(|(client, query)| {
        let client = world.client(&format!("client{client}"));
        client.run(async move { ask(Calendars::Notes.address(), &query).await })
    });
    for answer in clients.collect::<Vec<_>>() {
        let _ = answer.await;
    }
}

/// Checks whether to delete, then deletes.
#[refrain::model(expect = "panic", snapshot)]
fn a_check_then_a_delete() {
    a_release_and_the_reaper();
}

/// The count is decremented, then tested.
#[refrain::model(expect = "panic", snapshot)]
fn a_decrement_then_a_test() {
    two_releases();
}

/// The historic workaround was to use one processor: without preemption no interleaving fails.
#[refrain::model(preemptions = 0, complete)]
fn a_check_then_a_delete_needs_a_preemption() {
    a_release_and_the_reaper();
}

/// The same.
#[refrain::model(preemptions = 0, complete)]
fn a_decrement_then_a_test_needs_a_preemption() {
    two_releases();
}

/// One is enough.
#[refrain::model(preemptions = 1, expect = "panic")]
fn a_check_then_a_delete_needs_no_more_than_one() {
    a_release_and_the_reaper();
}

/// The same.
#[refrain::model(preemptions = 1, expect = "panic")]
fn a_decrement_then_a_test_needs_no_more_than_one() {
    two_releases();
}

/// The sampling engine finds it, too.
#[refrain::model(engine = "shuttle", expect = "panic")]
fn a_check_then_a_delete_is_met_by_chance() {
    a_release_and_the_reaper();
}

/// The same.
#[refrain::model(engine = "shuttle", expect = "panic")]
fn a_decrement_then_a_test_is_met_by_chance() {
    two_releases();
}

/// What was observed on the network is a race in the session itself, and none with the current table: `cargo refrain
/// model` generated both models from the trace.
#[test]
fn the_trace_from_the_network_becomes_the_models_that_are_kept() {
    let mut saved = saved::saved("historic.q289795.an_audited_release_closes_twice");
    let (_, trace) = saved.pop().expect("a trace: `cargo test --test simulated an_audited_release` saves one");
    let operations = bridge::operations(&trace).expect("a model");
    let kept = [
        ("historic/q289795/session.rs", Some(Class::Panic), include_str!("../q289795_on_threads.rs")),
        ("historic/q289795/today.rs", None, include_str!("../q289795_on_todays_table.rs")),
    ];
    // Time and place on the network may change with the engine; the operations may not.
    let code = |text: &str| text.lines().filter(|line| !line.trim().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (file, expect, kept) in kept {
        let written = report::model(&operations, &trace, Core { file, name: "Session", expect });
        assert_eq!(code(&written), code(kept), "written anew:\n{written}");
    }
}
