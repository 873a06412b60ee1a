//! A copy of a calendar that changes: whatever the network does, an answer is that of the calendar.

use super::{APART, BOUND, calendars};
use crate::caldav::server::{Tls, USER, accept};
use crate::world::{Calendars, exchange};
use calcon::ExchangeSettings;
use calcon::calendars::Origin;
use calcon::freebusy::{Slot, State};
use calcon::http::Stream;
use calcon::query::{Query, ask};
use calcon::remote::Protocol;
use chrono::{TimeDelta, TimeZone, Utc};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use proptest::prelude::*;
use refrain::{Faults, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::time::sleep;

/// A user of the other side.
pub const CAROL: &str = "carol@notes.example";
/// How many events there may be: one hour each, every third hour.
const EVENTS: usize = 8;
/// Where the token of a version is.
const TOKENS: &str = "http://calendars/ns/sync/";

/// A change of the calendar, or of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Add(usize),
    /// It is tentative from now on, or busy again.
    Toggle(usize),
    Remove(usize),
    /// The server does not know its tokens any more.
    Forget,
    /// It sends one object at a time.
    InPieces,
    Nothing,
}

/// The calendar: each event that ever was, with the version of its last change, and its status while it is there.
#[derive(Debug, Default)]
pub struct Calendar {
    version: u64,
    /// How often it has forgotten its tokens.
    forgotten: u64,
    is_in_pieces: bool,
    events: BTreeMap<usize, (u64, Option<&'static str>)>,
}

impl Calendar {
    /// Changes it.
    pub fn change(&mut self, change: Change) {
        self.version += 1;
        let version = self.version;
        match change {
            Change::Add(n) => {
                self.events.insert(n, (version, Some("CONFIRMED")));
            }
            Change::Remove(n) => {
                self.events.insert(n, (version, None));
            }
            Change::Toggle(n) => {
                let is_tentative = self.events.get(&n).is_some_and(|(_, status)| *status == Some("TENTATIVE"));
                self.events.insert(n, (version, Some(if is_tentative { "CONFIRMED" } else { "TENTATIVE" })));
            }
            Change::Forget => self.forgotten += 1,
            Change::InPieces => self.is_in_pieces = true,
            Change::Nothing => {}
        }
    }

    /// Returns what is free, and what is not.
    pub fn slots(&self) -> Vec<Slot> {
        let day = day(USER);
        let at = |hour: usize| day.from + TimeDelta::hours(i64::try_from(hour).expect("small"));
        let mut slots: Vec<Slot> = Vec::new();
        for hour in 0..3 * EVENTS {
            let event = if hour % 3 == 0 { self.events.get(&(hour / 3)) } else { None };
            let state = match event {
                Some((_, Some("TENTATIVE"))) => State::Tentative,
                Some((_, Some(_))) => State::Busy,
                _ => State::Free,
            };
            match slots.last_mut() {
                Some(last) if last.state == state => last.to = at(hour + 1),
                _ => slots.push(Slot { from: at(hour), to: at(hour + 1), state }),
            }
        }
        slots
    }

    /// Returns the status and the body of the reply about what has changed since a token; without one, about everything.
    fn since(&self, token: &str) -> (u16, String) {
        let tokens = format!("{TOKENS}{}/", self.forgotten);
        let since = match token.strip_prefix(&tokens).map(str::parse) {
            Some(Ok(since)) => since,
            None if token.is_empty() => 0,
            _ => return (403, "<error xmlns=\"DAV:\"><valid-sync-token/></error>".to_owned()),
        };
        let mut changed: Vec<_> = self.events.iter().filter(|(_, (version, _))| *version > since).collect();
        changed.sort_by_key(|(_, (version, _))| *version);
        let sent = if self.is_in_pieces { changed.len().min(1) } else { changed.len() };
        let (token, more) = match changed[..sent].last() {
            Some((_, (version, _))) if sent < changed.len() => (*version, "HTTP/1.1 507 Insufficient Storage"),
            _ => (self.version, ""),
        };
        let mut text: String = changed[..sent].iter().map(|(n, (_, status))| response(**n, *status)).collect();
        if !more.is_empty() {
            text += &format!("<response><href>/{USER}/calendar/</href><status>{more}</status></response>");
        }
        (
            207,
            format!(
                "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{text}<sync-token>{tokens}{token}</sync-token></multistatus>"
            ),
        )
    }
}

fn response(n: usize, status: Option<&str>) -> String {
    let href = format!("<href>/{USER}/calendar/{n}.ics</href>");
    let Some(status) = status else {
        return format!("<response>{href}<status>HTTP/1.1 404 Not Found</status></response>");
    };
    format!(
        "<response>{href}<propstat><prop><getetag>\"{n}\"</getetag><C:calendar-data>BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:{n}\n\
         STATUS:{status}\nDTSTART:20260302T{:02}0000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n</C:calendar-data></prop>\
         <status>HTTP/1.1 200 OK</status></propstat></response>",
        3 * n
    )
}

/// Serves the calendar, whoever's it is, until its host dies.
pub async fn serve(calendar: Arc<Mutex<Calendar>>) -> std::io::Result<()> {
    accept("calendars", move |stream| drop(tokio::spawn(converse(stream, Arc::clone(&calendar))))).await
}

async fn converse(stream: Tls, calendar: Arc<Mutex<Calendar>>) {
    let service = service_fn(|request: Request<Incoming>| {
        let calendar = Arc::clone(&calendar);
        async move {
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let text = String::from_utf8(body.to_vec()).expect("XML");
            let token = text.split("<D:sync-token>").nth(1).and_then(|rest| rest.split("</D:sync-token>").next());
            let (status, body) = match token {
                Some(token) => calendar.lock().expect("nobody panics with it").since(token),
                None => (500, format!("what is {text}?")),
            };
            Ok::<_, Infallible>(Response::builder().status(status).body(Full::new(Bytes::from(body))).expect("valid"))
        }
    });
    // The peer may be gone.
    let _ = http1::Builder::new().serve_connection(Stream(stream), service).await;
}

/// Asks about the day of all events.
pub fn day(user: &str) -> Query {
    Query::days(user, Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(), 1)
}

/// Returns the calendars of a domain's users, of which copies are kept.
pub fn source(domain: &str) -> Origin {
    calendars(Protocol::SyncCollection, "https://calendars:8443/{user}/calendar/", domain)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let n = 0..EVENTS;
    let change = prop_oneof![
        4 => n.clone().prop_map(Change::Add),
        2 => n.clone().prop_map(Change::Toggle),
        2 => n.prop_map(Change::Remove),
        1 => Just(Change::Forget),
        1 => Just(Change::InPieces),
        1 => Just(Change::Nothing),
    ];
    prop::collection::vec(change, 1..8)
}

/// Whatever changes, and however often the server has forgotten what we know.
#[refrain::test(runs = 40)]
async fn a_copy_is_the_calendar(
    world: World,
    #[any(changes())] first: Vec<Change>,
    #[any(changes())] then: Vec<Change>,
) {
    let calendar = Arc::new(Mutex::new(Calendar::default()));
    let served = Arc::clone(&calendar);
    world.host("calendars", move || serve(Arc::clone(&served)));
    world.host("exchange", || {
        calcon::exchange::serve(ExchangeSettings { calendars: source("exchange.example"), ..exchange() })
    });
    world.conserves_up_to("calcon.connection", 2);
    world.sometimes("a query was answered", "calcon::client", "query answered");
    world.faults(Faults::between("exchange", "calendars").all().at_most(3));
    let changed = |change| calendar.lock().expect("nobody panics with it").change(change);
    let slots = || calendar.lock().expect("nobody panics with it").slots();
    first.into_iter().for_each(changed);
    let side = Calendars::Exchange;
    for change in then {
        changed(change);
        let answer = world.client("schedule").run(async move { ask(side.server(), &day(USER)).await }).await;
        if let Ok(answer) = answer {
            assert_eq!(answer.slots, slots(), "after {change:?}");
        }
        sleep(APART).await;
    }
    world.heal().await;
    let fresh = || async {
        let answer = ask(side.server(), &day(USER)).await.map_err(|error| error.to_string())?;
        if answer.slots == slots() { Ok(()) } else { Err(format!("{:?}", answer.slots)) }
    };
    world.eventually(BOUND, "a fresh query is answered", fresh).await;
}
