//! What a daemon occupies at most: with large and strange calendars, and with peers that do not read their answers.

use crate::limits::{MEMORY_MAX_MB, calendar, memory_mb};
use crate::production::{Daemon, query};
use crate::{LIMIT, TWO_DAYS, exchange, folder, printed};
use calcon::query::Query;
use calcon::wire::{Message, Role, encode};
use chrono::{DateTime, TimeDelta};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

const USER: &str = "user@exchange.example";
/// The system takes the first few long answers to a client that does not read.
const UNREAD: u64 = 8;
/// The largest calendar that is read.
const FILE_BYTES_MAX: usize = 8 << 20;

#[track_caller]
fn within_memory(daemon: &Daemon) {
    println!("{} MB", memory_mb(daemon));
    assert!(memory_mb(daemon) < MEMORY_MAX_MB, "{} MB", memory_mb(daemon));
}

/// Starts a daemon with one calendar, of as many slots as an answer may have: an hour of every two.
fn with_long_answers(name: &str) -> (Daemon, PathBuf, Query) {
    let calendars = folder(name);
    let hourly = "DTSTART:20260101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=2";
    calendar(&calendars.join(format!("{USER}.ics")), std::iter::once(hourly.to_owned()));
    let daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let from = DateTime::from_timestamp(1_785_542_400, 0).expect("a time");
    let query = Query { user: USER.to_owned(), from, to: from + TimeDelta::days(340) };
    (daemon, calendars, query)
}

/// Connects as one of these roles, and asks some times. The replies are not read.
pub fn asking(at: &str, role: Role, query: &Query, times: u64) -> TcpStream {
    let hello = match role {
        Role::AddIn => Message::Hello { version: calcon::wire::VERSION, role, epoch: 1, boot: 1, token: None },
        _ => Message::hello(role),
    };
    let ask = |id| Message::Query { id, epoch: 1, deadline_ms: 60_000, query: query.clone() };
    let mut stream = TcpStream::connect(at).expect("connected");
    let messages = std::iter::once(hello).chain((0..times).map(ask));
    let bytes: Vec<u8> = messages.flat_map(|message| encode(&message).expect("it fits")).collect();
    stream.write_all(&bytes).expect("written");
    stream
}

#[test]
fn calendars_are_forgotten_before_they_occupy_too_much() {
    const CALENDARS: usize = 40;
    let calendars = folder("large");
    // Most of what is kept of such a calendar is the names of its events.
    let event = |n| format!("UID:{n}-{}\nDTSTART:20260803T080000Z\nDURATION:PT1H", "x".repeat(4096));
    let first = calendars.join("0@exchange.example.ics");
    calendar(&first, (0..1900).map(event));
    for n in 1..CALENDARS {
        fs::hard_link(&first, calendars.join(format!("{n}@exchange.example.ics"))).expect("linked");
    }
    let daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    for n in (0..CALENDARS).chain([0]) {
        let answer = printed(query(&daemon.address, &format!("{n}@exchange.example"), &TWO_DAYS), 0);
        assert!(answer.contains("busy       2026-08-03 08:00Z  2026-08-03 09:00Z"), "{answer}");
    }
    within_memory(&daemon);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn a_calendar_of_countless_parts_is_read_without_much_memory() {
    let calendars = folder("parts");
    let event = |part: &str| {
        let (begin, end) = ("BEGIN:VEVENT\nDTSTART:20260803T080000Z\n", "DURATION:PT1H\nEND:VEVENT\n");
        format!("{begin}{}{end}", part.repeat((FILE_BYTES_MAX - 200) / part.len()))
    };
    let cases = [
        ("lines", event("X:\n")),
        ("names", event("DTSTART:20260803T080000Z\n")),
        ("values", event("EXDATE:20260803T080000Z,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n")),
        ("folds", event("\n ")),
        ("depth", "BEGIN:X\n".repeat(FILE_BYTES_MAX / 9)),
        ("components", event("BEGIN:X\nEND:X\n")),
        ("events", "BEGIN:VEVENT\nDTSTART:20260803\nEND:VEVENT\n".repeat(FILE_BYTES_MAX / 44)),
        ("zones", "BEGIN:VTIMEZONE\nTZID:a\nEND:VTIMEZONE\n".repeat(FILE_BYTES_MAX / 44)),
    ];
    for (name, content) in &cases {
        let file = calendars.join(format!("{name}@exchange.example.ics"));
        fs::write(file, format!("BEGIN:VCALENDAR\n{content}END:VCALENDAR\n")).expect("written");
    }
    let daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let began = Instant::now();
    for (name, _) in &cases {
        // Whether each is usable is not the question: it is read, and it is over.
        while !matches!(
            query(&daemon.address, &format!("{name}@exchange.example"), &TWO_DAYS).status.code(),
            Some(0 | 5)
        ) {
            assert!(began.elapsed() < LIMIT, "{name} takes too long");
        }
    }
    let refused = printed(query(&daemon.address, "values@exchange.example", &TWO_DAYS), 5);
    assert!(refused.contains("cannot be used: see event 5005"), "{refused}");
    within_memory(&daemon);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn clients_that_do_not_read_their_answers_occupy_little() {
    const CLIENTS: usize = 60;
    let (daemon, calendars, query) = with_long_answers("unread");
    let before = memory_mb(&daemon);
    let silent: Vec<TcpStream> = (0..CLIENTS).map(|_| asking(&daemon.address, Role::Client, &query, UNREAD)).collect();
    // The last ones have their turn when the first ones are given up.
    sleep(Duration::from_secs(10));
    let used = memory_mb(&daemon) - before;
    println!("{CLIENTS} unread answers take {used} MB");
    assert!(used < 40, "{CLIENTS} unread answers take {used} MB");
    drop(silent);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn an_add_in_that_does_not_read_its_answers_occupies_little() {
    let (mut daemon, calendars, query) = with_long_answers("unread-link");
    let before = memory_mb(&daemon);
    let mut add_in = asking(&daemon.address, Role::AddIn, &query, 0);
    daemon.wait_for("link up");
    let ask =
        |id| encode(&Message::Query { id, epoch: 1, deadline_ms: 60_000, query: query.clone() }).expect("it fits");
    let began = Instant::now();
    // As many as it answers at once, again and again, until it gives the link up.
    while began.elapsed() < LIMIT && add_in.write_all(&(0..64).flat_map(ask).collect::<Vec<_>>()).is_ok() {
        sleep(Duration::from_millis(100));
    }
    daemon.wait_for("link down");
    let used = memory_mb(&daemon) - before;
    println!("unread answers take {used} MB");
    assert!(used < 48, "unread answers take {used} MB");
    fs::remove_dir_all(&calendars).expect("removed");
}
