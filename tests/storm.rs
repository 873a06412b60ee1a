//! Hundreds of clients at once (Q181350): each is answered in time, whatever the system does when the backlog is full.

use crate::world::{Calendars, exchange, notes, of_its_own};
use refrain::{Overflow, Sysctl, World};
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Holds would add to the time that is measured here.
#[refrain::test(runs = 40, without_holds)]
async fn every_client_of_a_storm_is_answered(world: World, #[any(1..=300u16)] clients: u16, refuses: bool) {
    let overflow = if refuses { Overflow::Reset } else { Overflow::DropSyn };
    let system = Sysctl::default().overflow(overflow);
    world.host("exchange", || calcon::exchange::serve(exchange())).sysctl(system.clone());
    world.host("notes", || calcon::notes::serve(notes())).sysctl(system);
    world.conserves_up_to("calcon.connection", 2);
    // Their processes need a moment to listen.
    sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for n in 0..clients {
        let side = Calendars::BOTH[usize::from(n) % 2];
        let server = side.server();
        let ask = async move { calcon::query::ask(server, &of_its_own(side)).await };
        asking.spawn(world.client("office").run(ask));
    }
    while let Some(answered) = asking.join_next().await {
        // No retry and no delay: a storm that the service can handle goes unnoticed.
        answered.expect("it asks to the end").expect("it is answered");
    }
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
}
