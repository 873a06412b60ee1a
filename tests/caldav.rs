//! The calendars of a CalDAV server under faults: an answer is right, or there is none, and answers come again.

pub mod body;
mod replies;
pub mod server;

use crate::world::{Calendars, exchange, keys, notes};
use calcon::calendars::Origin;
use calcon::credentials::Credentials;
use calcon::freebusy::{Slot, State, Window};
use calcon::query::{Answer, Code, Query, ask};
use calcon::remote::{ASK_LIMIT, Login, Protocol, Server};
use calcon::secret::Secret;
use calcon::{Error, ExchangeSettings};
use chrono::{DateTime, TimeZone, Utc};
use proptest::prelude::*;
use refrain::{Faults, World};
use server::{BAD, GOOD, Mood, Moods};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How soon a query is answered again.
const BOUND: Duration = Duration::from_secs(60);
/// The interval between queries: longer than one may take.
const APART: Duration = Duration::from_secs(11);

/// Returns settings of an Exchange side whose calendars are on the server.
fn settings() -> ExchangeSettings {
    let domains = vec!["exchange.example".to_owned()];
    let server =
        Server::new(Protocol::FreeBusyQuery, "https://calendars:8443/{user}/calendar/", domains).expect("a good URL");
    let login = Login::Basic { username: server::USERNAME.to_owned(), password: Secret::new(server::PASSWORD) };
    let trust = Credentials { own: None, ..keys::issued("nobody") };
    let calendars = Origin::Server(Arc::new(server.with_login(login).with_trust(trust)));
    ExchangeSettings { calendars, ..exchange() }
}

/// Adds the server, the one that it may send to, and both daemons.
fn hosts(world: &World, mood: Mood) -> Moods {
    let moods = Arc::new(Mutex::new(mood));
    let of_server = Arc::clone(&moods);
    world.host("calendars", move || server::serve(Arc::clone(&of_server)));
    world.host("elsewhere", server::serve_elsewhere);
    world.host("exchange", || calcon::exchange::serve(settings()));
    world.host("notes", || calcon::notes::serve(notes()));
    world.conserves_up_to("calcon.connection", 2);
    moods
}

fn set(moods: &Moods, mood: Mood) {
    *moods.lock().expect("nobody panics with it") = mood;
}

pub fn two_days() -> Query {
    Query::days(server::USER, Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(), 2)
}

/// What the calendar of the server says, whoever interprets it.
fn truth() -> Vec<Slot> {
    use State::{Busy, Free, Tentative};
    let at = |minutes: i64| two_days().from + chrono::TimeDelta::minutes(minutes);
    let changes = [(0, Free), (480, Busy), (570, Free), (720, Tentative), (780, Free), (1440, Busy)];
    let ends = changes[1..].iter().map(|(end, _)| *end).chain([2880]);
    changes.iter().zip(ends).map(|((from, state), to)| Slot { from: at(*from), to: at(to), state: *state }).collect()
}

/// The property of every answer: at no time does it say anything else than the calendar. It may say that it does not know.
#[track_caller]
pub fn assert_agrees(answer: &Answer, truth: &[Slot]) {
    for slot in answer.slots.iter().filter(|slot| slot.state != State::Unknown) {
        let window = Window::new(slot.from, slot.to);
        let meets = |known: &&Slot| !Window::new(known.from, known.to).intersect(&window).is_empty();
        for known in truth.iter().filter(meets) {
            assert_eq!(slot.state, known.state, "{slot:?} is wrong: {known:?}");
        }
    }
    let covers = |at: DateTime<Utc>| answer.slots.iter().any(|slot| slot.from <= at && at < slot.to);
    assert!(truth.iter().all(|slot| covers(slot.from)), "something is missing: {answer:?}");
}

/// In which way a server is not believed.
#[derive(Clone, Copy, PartialEq)]
pub enum Refused {
    /// Its reply is about something else: what it does not cover is unknown.
    Uncovered,
    /// There is a refusal, because it took too long.
    Late,
    /// There is a refusal, because of what it says.
    Unreadable,
}

/// The property of a server in a bad mood: nothing is taken from it, and that is said in time.
pub async fn assert_refused(mood: impl Debug, expected: Refused) {
    let began = Instant::now();
    let answer = ask(Calendars::Exchange.server(), &two_days()).await;
    assert!(began.elapsed() < ASK_LIMIT + Duration::from_secs(1), "{mood:?} took {:?}", began.elapsed());
    match answer {
        Ok(answer) if expected == Refused::Uncovered => {
            assert!(answer.slots.iter().all(|slot| slot.state == State::Unknown), "{answer:?}");
        }
        Ok(answer) => panic!("{mood:?} is taken for {answer:?}"),
        Err(Error::Refused(refusal)) => {
            let code = if expected == Refused::Late { Code::TimedOut } else { Code::Unreadable };
            assert_eq!(refusal.code, code, "{mood:?}: {refusal}");
            assert!(refusal.text.contains("event 5020"), "{mood:?}: {refusal}");
        }
        Err(error) => panic!("{mood:?}: {error}"),
    }
}

/// All but those whose replies have no end: to send millions of bytes, one at a time, takes long.
fn moods() -> impl Strategy<Value = Vec<Mood>> {
    let bad = BAD.into_iter().filter(|mood| !matches!(mood, Mood::EndlessBody | Mood::EndlessHead));
    prop::collection::vec(prop::sample::select(GOOD.into_iter().chain(bad).collect::<Vec<_>>()), 1..4)
}

/// Whatever the server and the network do.
#[refrain::test(runs = 40)]
async fn nobody_looks_free_by_mistake(world: World, #[any(moods())] moods: Vec<Mood>) {
    let mood = hosts(&world, Mood::Radicale);
    world.sometimes("a reply was refused", "calcon::browse_log", "the calendar server does not answer");
    world.sometimes("a query was answered", "calcon::client", "query answered");
    world.faults(Faults::between("exchange", "calendars").all().at_most(3));
    for next in moods {
        set(&mood, next);
        for side in Calendars::BOTH {
            let answer = world.client("schedule").run(async move { ask(side.server(), &two_days()).await }).await;
            if let Ok(answer) = answer {
                assert_agrees(&answer, &truth());
            }
        }
        sleep(APART).await;
    }
    set(&mood, Mood::Xandikos);
    world.heal().await;
    for side in Calendars::BOTH {
        let what = format!("a fresh query is answered at {}", side.host());
        let fresh = || async {
            let answer = ask(side.server(), &two_days()).await.map_err(|error| error.to_string())?;
            if answer.slots == truth() { Ok(()) } else { Err(format!("{:?}", answer.slots)) }
        };
        world.eventually(BOUND, &what, fresh).await;
    }
}

/// Both servers, and those that know no free-busy-query, or redirect: the same calendar is the same answer.
#[refrain::test(runs = 4, without_holds)]
async fn each_server_is_understood(world: World) {
    let mood = hosts(&world, Mood::Radicale);
    sleep(Duration::from_secs(1)).await;
    for good in GOOD {
        set(&mood, good);
        let answer = ask(Calendars::Exchange.server(), &two_days()).await;
        assert_eq!(answer.map(|answer| answer.slots).map_err(|error| format!("{good:?}: {error}")), Ok(truth()));
    }
}

/// A server that is late, cut off, or sends nonsense: there is a refusal in time, and a line in the log.
#[refrain::test(runs = 2, without_holds)]
async fn what_a_server_does_wrong_is_refused_in_time(world: World) {
    let mood = hosts(&world, Mood::Radicale);
    world.sometimes("in the log", "calcon::browse_log", "the calendar server does not answer");
    sleep(Duration::from_secs(1)).await;
    for bad in BAD {
        set(&mood, bad);
        let expected = match bad {
            Mood::OtherDay => Refused::Uncovered,
            Mood::Silent | Mood::StalledBody => Refused::Late,
            _ => Refused::Unreadable,
        };
        assert_refused(bad, expected).await;
    }
}

/// Of whom the server has no calendar, the other side is asked; of whose domain it is not, the server is not.
#[refrain::test(runs = 4, without_holds)]
async fn who_has_no_calendar_is_unknown(world: World) {
    let mood = hosts(&world, Mood::Radicale);
    sleep(Duration::from_secs(2)).await;
    let nobody = Query { user: "nobody@exchange.example".to_owned(), ..two_days() };
    match ask(Calendars::Exchange.server(), &nobody).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code, Code::UnknownUser, "{refusal}"),
        other => panic!("{other:?}"),
    }
    // With this the server would refuse.
    set(&mood, Mood::Error);
    let carol = crate::world::over_the_link(Calendars::Exchange);
    let answer = ask(Calendars::Exchange.server(), &carol).await.expect("the other side answers");
    assert_eq!(answer.user, "carol@notes.example");
}

/// The login is not sent where everybody could read it, nor to whom the CA does not know.
#[refrain::test(runs = 4, without_holds)]
async fn a_login_is_not_shown_to_a_stranger(world: World) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    world.host("calendars", || server::serve(Arc::new(Mutex::new(Mood::Radicale))));
    world.host("elsewhere", move || server::listen(Arc::clone(&hearing)));
    world.host("exchange", || calcon::exchange::serve(trusting_nobody("https://calendars:8443/{user}/")));
    world.host("plain", || calcon::exchange::serve(trusting_nobody("http://elsewhere:8443/{user}/")));
    world.counts("the certificate is refused", "calcon::browse_log", "TLS: ");
    world.counts("nothing is sent without TLS", "calcon::browse_log", "over TLS only");
    sleep(Duration::from_secs(1)).await;
    for server in [Calendars::Exchange.server(), keys::server("exchange", "plain:5010")] {
        match ask(server, &two_days()).await {
            Err(Error::Refused(refusal)) => assert_eq!(refusal.code, Code::Unreadable, "{refusal}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(*heard.lock().expect("nobody panics with it"), b"");
}

/// Returns settings of an Exchange side whose server has the certificate of a CA that is not trusted.
fn trusting_nobody(url: &str) -> ExchangeSettings {
    let server = Server::new(Protocol::FreeBusyQuery, url, vec!["exchange.example".to_owned()]).expect("a good URL");
    let server = server.with_trust(Credentials { own: None, ..keys::foreign("nobody") });
    let server = server.with_login(Login::Bearer(Secret::new("a token")));
    ExchangeSettings { calendars: Origin::Server(Arc::new(server)), ..exchange() }
}
