//! What distinguishes these stalls from mere slowness: left alone they persist, restarting the add-in ends them, and
//! the real add-in does not need that.

use super::{
    addin::{self, AddIn},
    cancelled_attempt::CancelledAttempt,
    handshake_without_deadline::HandshakeWithoutDeadline,
    lost_disconnect::LostDisconnect,
};
use crate::world::{Calendars, exchange, notes, over_the_link};
use calcon::query::ask;
use refrain::World;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The other host loses power after it received our HELLO.
const DIES_AFTER_HELLO: &str = "crash exchange when exchange reads from notes the 2nd time and reboot it after 1 s";
/// The other host is busy from its first message of the TLS handshake on, so that it reads the rest of the handshake and our
/// HELLO at once.
const BUSY: &str = "pause exchange when exchange -> notes makes its 1st write for 100 ms";
/// The other host is unreachable for longer than an attempt may take.
const AWAY: &str = "cut exchange <-> notes when notes -> exchange starts its 1st connect for 20 s";
/// The other process dies after its HELLO.
const DIES_AFTER_ITS_HELLO: &str = "kill exchange when notes reads from exchange the 2nd time and restart it after 1 s";

/// Longer than the fault and any hold of a task: whatever recovers by itself has recovered.
const SETTLED: Duration = Duration::from_secs(60);
/// How long nothing is done after the network healed.
const ALONE: Duration = Duration::from_secs(60);
/// How soon queries are answered again.
const BOUND: Duration = Duration::from_secs(60);

#[refrain::test(runs = 50, without_holds)]
async fn a_restart_ends_the_wait_for_hello(world: World) {
    only_a_restart_helps::<HandshakeWithoutDeadline>(world, &[BUSY, DIES_AFTER_HELLO]).await;
}

#[refrain::test(runs = 50, without_holds)]
async fn a_restart_ends_the_cancelled_attempt(world: World) {
    only_a_restart_helps::<CancelledAttempt>(world, &[AWAY]).await;
}

#[refrain::test(runs = 50, without_holds)]
async fn a_restart_ends_the_wait_for_a_lost_disconnect(world: World) {
    only_a_restart_helps::<LostDisconnect>(world, &[DIES_AFTER_ITS_HELLO]).await;
}

#[refrain::test(runs = 50)]
async fn the_real_add_in_comes_back_from_all_three_by_itself(world: World) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || calcon::notes::serve(notes()));
    // In sequence: the first needs the first HELLO, the second the next connect, the third what follows it.
    world.fault(BUSY);
    world.fault(DIES_AFTER_HELLO);
    world.fault("cut exchange <-> notes when notes -> exchange starts its 2nd connect for 20 s");
    world.fault(DIES_AFTER_ITS_HELLO);
    sleep(SETTLED).await;
    world.heal().await;
    let question = || async { ask(Calendars::Notes.server(), &over_the_link(Calendars::Notes)).await };
    world.eventually(BOUND, "a question from Notes is answered", question).await;
}

async fn only_a_restart_helps<A: AddIn>(world: World, faults: &[&str]) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    let add_in = world.host("notes", || addin::serve::<A>(notes()));
    faults.iter().for_each(|fault| world.fault(*fault));
    sleep(SETTLED).await;
    world.heal().await;
    let healed = Instant::now();
    while healed.elapsed() <= ALONE {
        let answer = question().await;
        assert!(answer.is_err(), "it came right by itself {:?} after the network healed", healed.elapsed());
        sleep(Duration::from_secs(1)).await;
    }
    add_in.restart();
    world.eventually(BOUND, "a question from Notes is answered after the restart", question).await;
}

async fn question() -> Result<calcon::query::Answer, calcon::Error> {
    ask(Calendars::Notes.address(), &over_the_link(Calendars::Notes)).await
}
