//! The defects of the history, kept as canaries: each test passes while the harness catches its defect.
//!
//! Q201280: after a failure of the network the add-in may fail to reconnect, and then every question from Notes to
//! Exchange fails until somebody restarts it. How that came is inferred, in three ways; each is a small add-in of its
//! own, between the real Exchange side and a Notes side that is the same for all.
//!
//! Q199817: from any location but Office the sessions on the Notes server rise until it fails.
//!
//! Q181350: hundreds of clients connect at once and are refused, or wait, though the server could serve them.

mod addin;
mod cancelled_attempt;
mod counterfactual;
mod handshake_without_deadline;
mod lost_disconnect;
mod q199817;
mod saved;
mod storm;
#[path = "../world/mod.rs"]
mod world;

use addin::AddIn;
use calcon::{
    profile::Location,
    query::{Query, ask},
};
use cancelled_attempt::CancelledAttempt;
use handshake_without_deadline::HandshakeWithoutDeadline;
use lost_disconnect::LostDisconnect;
use proptest::{sample::select, strategy::Strategy};
use q199817::{EarlyReturn, Scoped, Server};
use refrain::{Faults, Overflow, World};
use std::time::Duration;
use world::{Calendars, ask_each, exchange, notes, over_the_link, queries};

/// The HELLO of the Exchange side is awaited without a deadline.
#[refrain::test(runs = 500, expect = "stall", snapshot)]
async fn q201280_handshake_without_deadline(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<HandshakeWithoutDeadline>(world, queries).await;
}

/// A cancelled attempt leaves the state at "connecting" for ever.
#[refrain::test(runs = 500, expect = "stall", snapshot)]
async fn q201280_cancelled_attempt(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<CancelledAttempt>(world, queries).await;
}

/// A disconnect that arrives during the attempt wakes nobody.
#[refrain::test(runs = 500, expect = "stall", snapshot)]
async fn q201280_lost_disconnect(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<LostDisconnect>(world, queries).await;
}

/// A backlog of five, on a system that refuses one too many, as Windows NT does.
#[refrain::test(runs = 20, expect = "stall", without_holds)]
async fn q181350_refused_by_a_full_backlog(world: World, #[any(1..=300u16)] clients: u16) {
    storm::every_client_is_served(world, clients, Overflow::Reset, storm::BACKLOG).await;
}

/// The same on a system that drops the SYN, as Linux does: nobody is refused, everybody waits.
#[refrain::test(runs = 20, expect = "stall", without_holds)]
async fn q181350_kept_waiting_by_a_full_backlog(world: World, #[any(1..=300u16)] clients: u16) {
    storm::every_client_is_served(world, clients, Overflow::DropSyn, storm::BACKLOG).await;
}

/// The scenario of `tests/link.rs`, as far as the history promises it: from Notes to Exchange.
async fn questions_from_notes_recover<A: AddIn>(world: World, queries: Vec<Query>) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || addin::serve::<A>(notes()));
    world.faults(Faults::between("exchange", "notes").all().at_most(4));
    ask_each(&world, queries).await;
    world.heal().await;
    let fresh = over_the_link(Calendars::Notes);
    world
        .eventually(Duration::from_secs(60), "a fresh query is answered at notes", || {
            ask(Calendars::Notes.address(), &fresh)
        })
        .await;
}

/// The early return from a location other than Office skips the close.
#[refrain::test(runs = 100, expect = "leak", snapshot)]
async fn q199817_early_return(
    world: World,
    #[any(away())] location: String,
    #[any(queries(1..6))] queries: Vec<Query>,
) {
    sessions_are_conserved::<EarlyReturn>(world, &location, queries).await;
}

/// The remedy of then.
#[refrain::test(runs = 100)]
async fn q199817_is_not_seen_from_office(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    sessions_are_conserved::<EarlyReturn>(world, "Office", queries).await;
}

/// The remedy of today: from wherever.
#[refrain::test(runs = 500)]
async fn q199817_is_not_in_calcon(
    world: World,
    #[any(anywhere())] location: String,
    #[any(queries(1..6))] queries: Vec<Query>,
) {
    world.sometimes("a session was opened", "calcon::session", "opened");
    sessions_are_conserved::<Scoped>(world, &location, queries).await;
}

fn anywhere() -> impl Strategy<Value = String> {
    select(Location::ALL.map(|location| location.to_string()).to_vec())
}

fn away() -> impl Strategy<Value = String> {
    anywhere().prop_filter("not at the office", |location| location != "Office")
}

async fn sessions_are_conserved<S: Server>(world: World, location: &str, queries: Vec<Query>) {
    let location: Location = location.parse().expect("one of them");
    world.host("notes", move || q199817::serve::<S>(notes(), location));
    world.conserves("notes.session");
    for query in queries {
        let answer = world.client("schedule").run(async move { ask(Calendars::Notes.address(), &query).await }).await;
        world.saw(answer.map_or_else(|refusal| refusal.to_string(), |answer| format!("{} answered", answer.user)));
    }
}
