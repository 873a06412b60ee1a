//! The calendars of Domino, Graph and Exchange, and copies of those of a CalDAV server, under faults: an answer is right, or there is none,
//! and answers come again.

pub mod copy;
mod mood;
mod replies;
mod server;

use crate::caldav::{Refused, assert_agrees, assert_refused, two_days};
use crate::world::{Calendars, exchange, keys, notes};
use calcon::ExchangeSettings;
use calcon::calendars::Origin;
use calcon::credentials::Credentials;
use calcon::freebusy::{Slot, State};
use calcon::query::ask;
use calcon::remote::{Protocol, Server};
use chrono::TimeDelta;
use mood::{BAD, Mood};
use proptest::prelude::*;
use refrain::{Faults, World};
use server::{Moods, login};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// How soon a query is answered again.
const BOUND: Duration = Duration::from_secs(60);
/// The interval between queries: longer than one may take.
const APART: Duration = Duration::from_secs(11);

/// The protocols, and where their servers are asked.
const PROTOCOLS: [(Protocol, &str); 4] = [
    (Protocol::Domino, "https://calendars:8443/api/freebusy/busytime?name={user}"),
    (Protocol::DominoIcalendar, "https://calendars:8443/api/freebusy/busytime?name={user}"),
    (Protocol::Graph, "https://calendars:8443/v1.0/users/calcon@exchange.example/calendar/getSchedule"),
    (Protocol::Ews, "https://calendars:8443/EWS/Exchange.asmx"),
];

/// Returns calendars on a server, of users of a domain.
fn calendars(protocol: Protocol, url: &str, domain: &str) -> Origin {
    let server = Server::new(protocol, url, vec![domain.to_owned()]).expect("a good URL");
    let trust = Credentials { own: None, ..keys::issued("nobody") };
    Origin::Server(Arc::new(server.with_login(login()).with_trust(trust)))
}

/// Returns settings of an Exchange side whose calendars are on a server.
fn settings(protocol: Protocol, url: &str) -> ExchangeSettings {
    ExchangeSettings { calendars: calendars(protocol, url, "exchange.example"), ..exchange() }
}

/// Adds the server and both daemons.
fn hosts(world: &World, (protocol, url): (Protocol, &'static str), mood: Mood) -> Moods {
    let moods = Arc::new(Mutex::new(mood));
    let of_server = Arc::clone(&moods);
    world.host("calendars", move || server::serve(protocol, Arc::clone(&of_server)));
    world.host("exchange", move || calcon::exchange::serve(settings(protocol, url)));
    world.host("notes", || calcon::notes::serve(notes()));
    world.conserves_up_to("calcon.connection", 2);
    moods
}

fn set(moods: &Moods, mood: Mood) {
    *moods.lock().expect("nobody panics with it") = mood;
}

/// What the calendar says, as far as a server tells.
fn truth(protocol: Protocol) -> Vec<Slot> {
    use State::{Busy, Free, OutOfOffice, Tentative};
    let (tentative, away) = match protocol {
        Protocol::Domino | Protocol::DominoIcalendar => (Busy, Busy),
        _ => (Tentative, OutOfOffice),
    };
    let changes =
        [(0, Free), (480, Busy), (570, Free), (720, tentative), (780, Free), (840, away), (900, Free), (1440, Busy)];
    let ends = changes[1..].iter().map(|(end, _)| *end).chain([2880]);
    let at = |minutes: i64| two_days().from + TimeDelta::minutes(minutes);
    changes.iter().zip(ends).map(|((from, state), to)| Slot { from: at(*from), to: at(to), state: *state }).collect()
}

fn moods() -> impl Strategy<Value = Vec<Mood>> {
    prop::collection::vec(prop::sample::select([&[Mood::Good][..], &BAD].concat()), 1..4)
}

/// Whatever the server and the network do.
#[refrain::test(runs = 40)]
async fn nobody_looks_free_by_mistake(world: World, #[any(0..4_usize)] which: usize, #[any(moods())] moods: Vec<Mood>) {
    let (protocol, url) = PROTOCOLS[which];
    let mood = hosts(&world, (protocol, url), Mood::Good);
    world.sometimes("a reply was refused", "calcon::browse_log", "the calendar server does not answer");
    world.sometimes("a query was answered", "calcon::client", "query answered");
    world.faults(Faults::between("exchange", "calendars").all().at_most(3));
    for next in moods {
        set(&mood, next);
        for side in Calendars::BOTH {
            let answer = world.client("schedule").run(async move { ask(side.server(), &two_days()).await }).await;
            if let Ok(answer) = answer {
                assert_agrees(&answer, &truth(protocol));
            }
        }
        sleep(APART).await;
    }
    set(&mood, Mood::Good);
    world.heal().await;
    for side in Calendars::BOTH {
        let what = format!("a fresh query is answered at {}", side.host());
        let fresh = || async {
            let answer = ask(side.server(), &two_days()).await.map_err(|error| error.to_string())?;
            if answer.slots == truth(protocol) { Ok(()) } else { Err(format!("{:?}", answer.slots)) }
        };
        world.eventually(BOUND, &what, fresh).await;
    }
}

/// A server that is late, cut off, or says nothing: there is a refusal in time, and a line in the log.
#[refrain::test(runs = 4, without_holds)]
async fn what_a_server_does_wrong_is_refused_in_time(world: World, #[any(0..4_usize)] which: usize) {
    let mood = hosts(&world, PROTOCOLS[which], Mood::Good);
    world.sometimes("in the log", "calcon::browse_log", "the calendar server does not answer");
    sleep(Duration::from_secs(1)).await;
    let answer = ask(Calendars::Exchange.server(), &two_days()).await;
    assert_eq!(answer.map(|answer| answer.slots).map_err(|error| error.to_string()), Ok(truth(PROTOCOLS[which].0)));
    for bad in BAD {
        set(&mood, bad);
        let expected = match bad {
            Mood::OtherDays => Refused::Uncovered,
            Mood::Silent | Mood::StalledBody => Refused::Late,
            _ => Refused::Unreadable,
        };
        assert_refused(bad, expected).await;
    }
}
