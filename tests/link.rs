//! The link between the two sides under network faults: it may fail at any time, and always recovers (Q201280).

use crate::world::{Calendars, ask_each, exchange, notes, over_the_link, queries};
use refrain::{Faults, World};
use std::time::Duration;

/// Q201280: whatever the network did, queries work again once it heals.
#[refrain::test(runs = 1_000, snapshot)]
async fn queries_recover_after_the_link_heals(world: World, #[any(queries(1..6))] queries: Vec<calcon::query::Query>) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || calcon::notes::serve(notes()));
    world.conserves_up_to("calcon.connection", 2);
    world.conserves_up_to("notes.session", 1);
    world.sometimes("link established", "calcon::link", "link up");
    world.sometimes("link lost", "calcon::link", "link down");
    world.sometimes("attempt failed", "calcon::link", "link attempt failed");
    world.faults(Faults::between("exchange", "notes").all().at_most(4));
    ask_each(&world, queries).await;
    world.heal().await;
    for side in Calendars::BOTH {
        let fresh = over_the_link(side);
        world
            .eventually(Duration::from_secs(60), &format!("a fresh query is answered at {}", side.host()), || {
                calcon::query::ask(side.server(), &fresh)
            })
            .await;
    }
}
