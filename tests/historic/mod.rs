//! The historic bugs, kept as seeded bugs: each test passes while the harness catches its bug.
//!
//! Q201280: after a network failure the add-in may fail to reconnect, and then every query from Notes to Exchange fails
//! until somebody restarts it. The cause is inferred, in three variants; each is a small add-in between the real
//! Exchange side and a Notes side that is the same for all.
//!
//! Q181350: hundreds of clients connect at once and are refused, or wait, though the server could serve them.
//! The others are described with their tests.

mod addin;
mod cancelled_attempt;
mod counterfactual;
mod handshake_without_deadline;
mod lost_disconnect;
mod q199817;
mod q245545;
mod q289795;
mod saved;
mod server;
mod storm;

use crate::world::{Calendars, ask_servers, exchange, notes, over_the_link, queries};
use addin::AddIn;
use calcon::query::{Query, ask};
use cancelled_attempt::CancelledAttempt;
use handshake_without_deadline::HandshakeWithoutDeadline;
use lost_disconnect::LostDisconnect;
use refrain::{Faults, Overflow, World};
use std::time::Duration;

/// The HELLO of the Exchange side is awaited without a deadline. TLS has one, so only a crash after it counts: one run in 190.
#[refrain::test(runs = 3_000, expect = "stall", snapshot)]
async fn q201280_handshake_without_deadline(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<HandshakeWithoutDeadline>(world, queries).await;
}

/// A cancelled attempt leaves the state at "connecting" forever.
#[refrain::test(runs = 500, expect = "stall", snapshot)]
async fn q201280_cancelled_attempt(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<CancelledAttempt>(world, queries).await;
}

/// A disconnect that arrives during the attempt wakes no task.
#[refrain::test(runs = 500, expect = "stall", snapshot)]
async fn q201280_lost_disconnect(world: World, #[any(queries(1..6))] queries: Vec<Query>) {
    questions_from_notes_recover::<LostDisconnect>(world, queries).await;
}

/// A backlog of five, on a system that refuses connections beyond it, as Windows NT does.
#[refrain::test(runs = 20, expect = "stall", without_holds)]
async fn q181350_refused_by_a_full_backlog(world: World, #[any(1..=300u16)] clients: u16) {
    storm::every_client_is_served(world, clients, Overflow::Reset, storm::BACKLOG).await;
}

/// The same on a system that drops the SYN, as Linux does: no client is refused, all wait.
#[refrain::test(runs = 20, expect = "stall", without_holds)]
async fn q181350_kept_waiting_by_a_full_backlog(world: World, #[any(1..=300u16)] clients: u16) {
    storm::every_client_is_served(world, clients, Overflow::DropSyn, storm::BACKLOG).await;
}

/// The scenario of `tests/link.rs`, as far as the historic software promised it: from Notes to Exchange.
async fn questions_from_notes_recover<A: AddIn>(world: World, queries: Vec<Query>) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || addin::serve::<A>(notes()));
    world.faults(Faults::between("exchange", "notes").all().at_most(4));
    ask_servers(&world, queries, |side| match side {
        Calendars::Exchange => side.server(),
        Calendars::Notes => side.address().into(),
    })
    .await;
    world.heal().await;
    let fresh = over_the_link(Calendars::Notes);
    world
        .eventually(Duration::from_secs(60), "a fresh query is answered at notes", || {
            ask(Calendars::Notes.address(), &fresh)
        })
        .await;
}
