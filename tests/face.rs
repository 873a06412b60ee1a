//! The HTTP face under faults: a schedule is right or has an error, slow peers block nobody, and a stop waits for none.

mod http;

use crate::world::{Calendars, exchange, notes, over_the_link};
use calcon::calendar::{Zone, slots_of};
use calcon::freebusy::{Window, availability_view};
use calcon::query;
use calcon::settings::{ExchangeSettings, NotesSettings};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use refrain::{Faults, World};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

/// How soon a request is answered again.
const BOUND: Duration = Duration::from_secs(60);
/// Longer than an attempt to connect, and than the patience of the cache.
const APART: Duration = Duration::from_secs(4);

/// Whoever has a calendar, and it.
const PEOPLE: [(&str, &str); 4] = [
    ("alice@exchange.example", include_str!("calendars/small/exchange/alice@exchange.example.ics")),
    ("bob@exchange.example", include_str!("calendars/small/exchange/bob@exchange.example.ics")),
    ("carol@notes.example", include_str!("calendars/small/notes/carol@notes.example.ics")),
    ("dave@notes.example", include_str!("calendars/small/notes/dave@notes.example.ics")),
];

fn hosts(world: &World) {
    world.host("exchange", || {
        calcon::exchange::serve(ExchangeSettings { http_listen: Some("0.0.0.0:8010".to_owned()), ..exchange() })
    });
    world.host("notes", || {
        calcon::notes::serve(NotesSettings { http_listen: Some("0.0.0.0:8011".to_owned()), ..notes() })
    });
}

fn start(day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1 + day, 0, 0, 0).unwrap()
}

/// Asks for everybody's two days.
fn request(day: u32) -> String {
    let moment = |day| json!({"dateTime": start(day).format("%FT%T").to_string(), "timeZone": "UTC"});
    let people = PEOPLE.map(|(user, _)| user);
    let body = json!({"schedules": people, "startTime": moment(day), "endTime": moment(day + 2)});
    http::post("/getSchedule", &body.to_string())
}

/// Returns how many schedules have an answer. Each that has one must be right: what is not known is busy in a view.
fn answered(day: u32, body: &str) -> usize {
    let body: Value = serde_json::from_str(body).expect("JSON");
    let value = body["value"].as_array().expect("a list");
    assert_eq!(value.len(), PEOPLE.len());
    let window = Window::new(start(day), start(day + 2));
    let is_answered = |((user, calendar), one): (&(&str, &str), &Value)| {
        assert_eq!(one["scheduleId"], *user);
        let Some(view) = one["availabilityView"].as_str() else {
            assert!(one["error"]["responseCode"].is_string(), "{one}");
            return false;
        };
        let slots = slots_of(calendar, &Zone::UTC, window).expect("a calendar");
        let expected = availability_view(window, &slots, TimeDelta::minutes(30));
        assert_eq!(view, expected, "{user}: {one}");
        true
    };
    PEOPLE.iter().zip(value).filter(|pair| is_answered(*pair)).count()
}

/// Whatever the network does, nobody is shown as free by mistake; when it heals, everybody is answered about.
#[refrain::test(runs = 150)]
async fn a_schedule_is_right_or_has_an_error(world: World, #[any(0..28u32)] day: u32, of_clients: bool) {
    hosts(&world);
    world.conserves_up_to("calcon.connection", 2);
    world.conserves_up_to("notes.session", 1);
    world.sometimes("link established", "calcon::link", "link up");
    world.sometimes("answered over HTTP", "calcon::client", "query answered");
    let browser = world.client("browser");
    let other = if of_clients { "browser" } else { "notes" };
    world.faults(Faults::between("exchange", other).all().at_most(3));
    for n in 0..3 {
        let side = Calendars::BOTH[n % 2];
        let outcome = browser.run(http::ask(side, request(day))).await;
        match outcome {
            Ok((200, body)) => world.saw(format_args!("{} answers about {}", side.host(), answered(day, &body))),
            Ok((status, body)) => world.saw(format_args!("{} answers {status}: {body}", side.host())),
            Err(error) => world.saw(format_args!("{} does not answer: {error}", side.host())),
        }
        sleep(APART).await;
    }
    world.heal().await;
    for side in Calendars::BOTH {
        let what = format!("{} answers about everybody", side.host());
        world
            .eventually(BOUND, &what, || async move {
                match http::ask(side, request(day)).await? {
                    (200, body) if answered(day, &body) == PEOPLE.len() => Ok(()),
                    (status, body) => Err(format!("{status}: {body}")),
                }
            })
            .await;
    }
}

/// The face and the daemon's own protocol say the same.
#[refrain::test(runs = 20, without_holds)]
async fn the_face_agrees_with_the_protocol(world: World) {
    hosts(&world);
    for side in Calendars::BOTH {
        let question = over_the_link(side);
        world.eventually(BOUND, "it is answered", || query::ask(side.server(), &question)).await;
        let answer = query::ask(side.server(), &question).await.expect("answered");
        let moment = |at: DateTime<Utc>| json!({"dateTime": at.to_rfc3339(), "timeZone": "UTC"});
        let body =
            json!({"schedules": [question.user], "startTime": moment(question.from), "endTime": moment(question.to)});
        let (_, body) = http::ask(side, http::post("/getSchedule", &body.to_string())).await.expect("a response");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let expected = availability_view(question.window(), &answer.slots, TimeDelta::minutes(30));
        assert_eq!(body["value"][0]["availabilityView"], expected, "{body}");
    }
}

/// Peers that send half a head, or half a body, are given up in time, and meanwhile others are answered at once.
#[refrain::test(runs = 20, without_holds)]
async fn slow_peers_block_nobody(world: World) {
    const SLOW: usize = 40;
    hosts(&world);
    world.conserves_up_to("calcon.connection", 2);
    let side = Calendars::Exchange;
    let whole = request(1);
    world.eventually(BOUND, "it listens", || http::ask(side, whole.clone())).await;
    let parts = [&whole[..20], &whole[..whole.len() - 20]];
    let slow = (0..SLOW).map(|n| {
        let part = parts[n % 2].to_owned();
        tokio::spawn(world.client("slow").run(async move {
            let mut stream = http::connect(side).await.expect("connected");
            stream.write_all(part.as_bytes()).await.expect("written");
            stream.flush().await.expect("written");
            // The head may take 10 s, the body 5 s more.
            let mut rest = Vec::new();
            let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "a slow peer is not given up");
            assert!(!rest.starts_with(b"HTTP/1.1 200"), "it did not ask");
        }))
    });
    let slow: Vec<_> = slow.collect();
    sleep(Duration::from_secs(1)).await;
    for _ in 0..3 {
        let began = Instant::now();
        http::ask(side, request(1)).await.expect("answered");
        assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    }
    for one in slow {
        one.await.expect("it was given up");
    }
}

/// A request is under way, and the other side does not answer: a stop takes less than a second.
#[refrain::test(runs = 20, without_holds)]
async fn a_stop_waits_for_no_request(world: World) {
    let began = Instant::now();
    let notes = world.host("notes", || calcon::notes::serve(notes()));
    let exchange = world.host("exchange", || {
        calcon::exchange::serve(ExchangeSettings { http_listen: Some("0.0.0.0:8010".to_owned()), ..exchange() })
    });
    exchange.may_exit();
    notes.may_exit();
    let side = Calendars::Exchange;
    let question = over_the_link(side);
    world.eventually(BOUND, "the link is up", || query::ask(side.server(), &question)).await;
    world.fault("cut exchange <-> notes at 10 s for 600 s");
    sleep(Duration::from_secs(11).saturating_sub(began.elapsed())).await;
    // This month is not in the cache.
    let asking = tokio::spawn(world.client("browser").run(http::ask(side, request(27))));
    sleep(Duration::from_millis(500)).await;
    exchange.terminate();
    let began = Instant::now();
    while exchange.is_running() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    let _ = asking.await.expect("it ended");
}
