//! Shared by the scenarios: the two sides as hosts, and queries to them.
#![allow(dead_code, reason = "each test takes what it needs")]

pub mod keys;

use calcon::{
    query::{Query, Server, ask},
    settings::{ExchangeSettings, NotesSettings},
};
use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use refrain::World;
use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

/// The calendars of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendars {
    Exchange,
    Notes,
}

impl Calendars {
    pub const BOTH: [Calendars; 2] = [Calendars::Exchange, Calendars::Notes];

    fn other(self) -> Calendars {
        match self {
            Calendars::Exchange => Calendars::Notes,
            Calendars::Notes => Calendars::Exchange,
        }
    }

    pub fn host(self) -> &'static str {
        match self {
            Calendars::Exchange => "exchange",
            Calendars::Notes => "notes",
        }
    }

    pub fn address(self) -> &'static str {
        match self {
            Calendars::Exchange => "exchange:5010",
            Calendars::Notes => "notes:5011",
        }
    }

    /// The daemon of this side, for a client with a token.
    pub fn server(self) -> Server {
        keys::server(self.host(), self.address())
    }

    /// Where the console of its daemon is, on its host.
    pub fn console(self) -> &'static Path {
        Path::new(match self {
            Calendars::Exchange => "exchange.sock",
            Calendars::Notes => "notes.sock",
        })
    }

    fn users(self) -> [&'static str; 2] {
        match self {
            Calendars::Exchange => ["alice@exchange.example", "bob@exchange.example"],
            Calendars::Notes => ["carol@notes.example", "dave@notes.example"],
        }
    }

    /// One event per user: these scenarios are about the link. The path is relative, so that the service logs the same
    /// on every machine: tests run in the package's directory.
    fn folder(self) -> PathBuf {
        Path::new("tests/calendars/small").join(self.host())
    }
}

/// Returns settings of the Exchange side.
pub fn exchange() -> ExchangeSettings {
    let side = Calendars::Exchange;
    let console = Some(side.console().to_owned());
    let settings = ExchangeSettings::new(side.folder());
    ExchangeSettings { listen: "0.0.0.0:5010".to_owned(), access: keys::access(side.host()), console, ..settings }
}

/// Returns settings of the Notes side.
pub fn notes() -> NotesSettings {
    let side = Calendars::Notes;
    let console = Some(side.console().to_owned());
    let settings = NotesSettings::new(side.folder(), Calendars::Exchange.address());
    NotesSettings { listen: "0.0.0.0:5011".to_owned(), access: keys::access(side.host()), console, ..settings }
}

/// Returns a query that a side can answer only over the link: one day of a user of the other side.
pub fn over_the_link(side: Calendars) -> Query {
    Query::days(side.other().users()[0], Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(), 1)
}

/// Returns a query that a side can answer by itself.
pub fn of_its_own(side: Calendars) -> Query {
    over_the_link(side.other())
}

/// Generates queries about users of both sides.
pub fn queries(count: Range<usize>) -> impl Strategy<Value = Vec<Query>> {
    let user = prop::sample::select(Calendars::BOTH.iter().flat_map(|side| side.users()).collect::<Vec<_>>());
    let query = (user, 0..28u32, 1..60u32).prop_map(|(user, day, days)| {
        Query::days(user, Utc.with_ymd_and_hms(2026, 3, 1 + day, 0, 0, 0).unwrap(), days)
    });
    prop::collection::vec(query, count)
}

/// The interval between the queries of a workload: longer than a connection attempt may take and long enough for
/// keep-alives, so that the next query meets whatever state a fault has left behind.
const APART: Duration = Duration::from_secs(6);

/// Sends each query to both sides, with an interval. While the network is broken, an error is a valid answer.
pub async fn ask_each(world: &World, queries: Vec<Query>) {
    ask_servers(world, queries, Calendars::server).await;
}

/// The same, where a side may be another server.
pub async fn ask_servers(world: &World, queries: Vec<Query>, server: impl Fn(Calendars) -> Server) {
    for query in queries {
        for side in Calendars::BOTH {
            let (query, server) = (query.clone(), server(side));
            let answer = world.client("schedule").run(async move { ask(server, &query).await }).await;
            match answer {
                Ok(answer) => {
                    world.saw(format_args!("{} answers about {}: {}", side.host(), answer.user, answer.source))
                }
                Err(error) => world.saw(format_args!("{} does not answer: {error}", side.host())),
            }
        }
        tokio::time::sleep(APART).await;
    }
}
