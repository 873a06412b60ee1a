//! The cache of the Exchange side: records are read again in time, and a restart forgets none.

use crate::world::{Calendars, exchange, notes, over_the_link};
use calcon::cache::CachePolicy;
use calcon::query::{Query, Source, ask};
use calcon::settings::ExchangeSettings;
use chrono::{TimeDelta, Utc};
use refrain::World;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How soon the link is up.
const BOUND: Duration = Duration::from_secs(60);

/// Nobody asks for a while, and then the other side is gone: what is known is not older than a refresh allows.
#[refrain::test(runs = 20, without_holds)]
async fn a_record_is_read_again_before_anyone_asks(world: World) {
    let began = Instant::now();
    let policy = CachePolicy { refresh: Some(Duration::from_secs(30)), ..CachePolicy::default() };
    world.host("exchange", move || calcon::exchange::serve(ExchangeSettings { cache: policy.clone(), ..exchange() }));
    world.host("notes", || calcon::notes::serve(notes()));
    world.fault("cut exchange <-> notes at 400 s for 600 s");
    let side = Calendars::Exchange;
    // Records begin at the last midnight, and one may pass meanwhile.
    let question = Query::days(over_the_link(side).user, Utc::now() + TimeDelta::days(1), 1);
    world.eventually(BOUND, "it is answered", || ask(side.server(), &question)).await;
    sleep(Duration::from_secs(405).saturating_sub(began.elapsed())).await;
    let answer = ask(side.server(), &question).await.expect("it is known");
    assert_eq!(answer.source, Source::Cached);
    assert!(answer.age_secs <= 70, "it is {} s old", answer.age_secs);
}

/// The Exchange side is stopped and started, and the other side is gone: it answers what it knew, with its age.
#[refrain::test(runs = 20, without_holds)]
async fn a_restart_forgets_no_record(world: World) {
    let file = std::env::temp_dir().join("cache");
    let exchange = world.host("exchange", move || {
        calcon::exchange::serve(ExchangeSettings { cache_file: Some(file.clone()), ..exchange() })
    });
    let notes = world.host("notes", || calcon::notes::serve(notes()));
    exchange.may_exit();
    notes.may_exit();
    world.sometimes("read", "calcon::cache::keeper", "cache read");
    let side = Calendars::Exchange;
    let question = Query::days(over_the_link(side).user, Utc::now() + TimeDelta::days(1), 1);
    world.eventually(BOUND, "it is answered", || ask(side.server(), &question)).await;
    let known = ask(side.server(), &question).await.expect("it is known");
    sleep(Duration::from_secs(5)).await;
    for host in [&exchange, &notes] {
        host.terminate();
        while host.is_running() {
            sleep(Duration::from_millis(100)).await;
        }
    }
    exchange.restart();
    world.eventually(BOUND, "it is answered again", || ask(side.server(), &question)).await;
    let answer = ask(side.server(), &question).await.expect("it is known");
    assert_eq!((answer.source, &answer.slots), (Source::Cached, &known.slots));
    assert!(answer.age_secs >= 5, "it is {} s old", answer.age_secs);
}
