//! The Notes server's sessions in simulation: each is closed once, whoever ends it, and there are never too many.

use crate::world::{Calendars, ask_each, exchange, notes, queries};
use calcon::console::{Command, Report};
use calcon::operator::give;
use calcon::session::audit::{Audit, Closed};
use calcon::session::{Limits, Sessions};
use calcon::settings::NotesSettings;
use refrain::{Faults, World};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SESSION: &str = "notes.session";
const SESSIONS_MAX: usize = 2;
const IDLE: Duration = Duration::from_secs(5);
const LIMITS: Limits = Limits { sessions_max: SESSIONS_MAX, idle: IDLE };

/// With both daemons, faults, an administrator who drops every session, and fewer sessions than holders.
#[refrain::test(runs = 500)]
async fn sessions_of_the_daemon_come_to_rest(world: World, #[any(queries(1..4))] queries: Vec<calcon::query::Query>) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || async {
        tokio::spawn(drop_all());
        calcon::notes::serve(NotesSettings { sessions: LIMITS, ..notes() }).await
    });
    world.conserves(SESSION);
    world.always("there are no more sessions than allowed", |seen| seen.live(SESSION) <= SESSIONS_MAX);
    world.sometimes("session opened", "calcon::session", "opened");
    world.faults(Faults::between("exchange", "notes").all().at_most(3));
    let others = world.client("others").run(async move {
        for day in 1..6 {
            sleep(Duration::from_secs(day)).await;
            let _ =
                calcon::query::ask(Calendars::Notes.server(), &crate::world::over_the_link(Calendars::Exchange)).await;
        }
    });
    tokio::join!(others, ask_each(&world, queries));
    world.heal().await;
}

/// The administrator, on the daemon's machine.
async fn drop_all() {
    let console = Some(Calendars::Notes.console());
    for _ in 0..10 {
        sleep(Duration::from_secs(3)).await;
        let Ok(Report::Users { users, .. }) = give(console, "notes", Command::ShowUsers).await else { continue };
        for user in users {
            let _ = give(console, "notes", Command::Drop { session: user.session }).await;
        }
    }
}

/// A query: its holder, its start and its duration, in milliseconds.
type Question = (u8, u64, u64);

/// When a query is given up, its future is dropped.
const GIVEN_UP: Duration = Duration::from_millis(150);

fn questions() -> impl proptest::strategy::Strategy<Value = Vec<Question>> {
    proptest::collection::vec((0..4_u8, 0..400_u64, 0..300_u64), 1..12)
}

#[refrain::test(runs = 500)]
async fn sessions_close_on_every_path(world: World, #[any(questions())] questions: Vec<Question>) {
    world.host("notes", move || serve(questions.clone(), Sound));
    conserved(&world).await;
}

#[refrain::test(runs = 500)]
async fn sessions_close_when_the_audit_fails(world: World, #[any(questions())] questions: Vec<Question>) {
    world.host("notes", move || serve(questions.clone(), Broken(AtomicU32::new(0))));
    world.sometimes("not audited", "calcon::browse_log", "not audited");
    conserved(&world).await;
}

async fn conserved(world: &World) {
    world.conserves(SESSION);
    world.always("there are no more sessions than allowed", |seen| seen.live(SESSION) <= SESSIONS_MAX);
    world.sometimes("session opened", "calcon::session", "opened");
    world.sometimes("no session free", "calcon::browse_log", "no session is free");
    sleep(Duration::from_secs(30)).await;
}

/// Answers the queries, each in its own task and with its own seat, and drops a session now and then.
async fn serve(questions: Vec<Question>, audit: impl Audit) {
    let (sessions, closer) = Sessions::new(LIMITS);
    tokio::spawn(closer.run(audit));
    for (holder, begins_ms, lasts_ms) in questions {
        let seat = sessions.seat(format!("client {holder}"));
        tokio::spawn(async move {
            sleep(Duration::from_millis(begins_ms)).await;
            let deadline = Instant::now() + Duration::from_millis(100);
            let work = seat.scoped(deadline, |_| sleep(Duration::from_millis(lasts_ms)));
            // A client that gives up: the query's future is dropped.
            let _ = tokio::time::timeout(GIVEN_UP, work).await;
            if lasts_ms % 2 == 0 {
                // It stays connected, but idle.
                sleep(Duration::from_secs(20)).await;
            }
        });
    }
    for _ in 0..5 {
        sleep(Duration::from_millis(97)).await;
        for user in sessions.users() {
            let session = u64::from_str_radix(&user.session, 16).expect("a number");
            let _ = sessions.drop_session(calcon::session::Handle::from_number(session));
        }
    }
    pending::<()>().await;
}

struct Sound;

impl Audit for Sound {
    async fn record(&self, _: &Closed) -> io::Result<()> {
        sleep(Duration::from_millis(3)).await;
        Ok(())
    }
}

/// Fails, hangs and works, in turn.
struct Broken(AtomicU32);

impl Audit for Broken {
    async fn record(&self, _: &Closed) -> io::Result<()> {
        match self.0.fetch_add(1, Ordering::Relaxed) % 5 {
            0..3 => Err(io::Error::other("the disk is full")),
            3 => pending().await,
            _ => Ok(()),
        }
    }
}

/// Only the connections of one holder share a session. A held task may wait too long for it.
#[refrain::test(runs = 20, without_holds)]
async fn one_holder_has_one_session(world: World) {
    let notes = world.host("notes", || async {
        let (sessions, closer) = Sessions::new(LIMITS);
        tokio::spawn(closer.run(Sound));
        let soon = || Instant::now() + Duration::from_secs(1);
        let seats = Arc::new([sessions.seat("ada"), sessions.seat("ada"), sessions.seat("bob")]);
        let used = [0, 1, 2].map(|seat| {
            let seats = Arc::clone(&seats);
            tokio::spawn(async move { seats[seat].scoped(soon(), |session| async move { session }).await })
        });
        let [first, second, third] = used;
        let [first, second, third] =
            [first.await, second.await, third.await].map(|used| used.expect("it ended").expect("a session"));
        assert_eq!(first, second);
        assert_ne!(first, third);
        let carol = sessions.seat("carol");
        let refused = carol.scoped(soon(), |_| async {}).await.expect_err("all are in use");
        assert!(refused.text.contains("all 2 are in use"), "{refused}");
        sessions.drop_session(third).expect("bob's is open");
        carol.scoped(soon(), |_| async {}).await.expect("bob's is free");
        assert!(sessions.drop_session(third).is_err(), "it is closed");
    });
    notes.may_exit();
    world.conserves(SESSION);
    sleep(Duration::from_secs(10)).await;
}
