//! The operator's console: tasks, sessions and calendars, as text and as JSON.

use crate::production::{Daemon, LIMIT, query};
use crate::{TWO_DAYS, calcon, eventually, exchange, folder, pair, printed};
use calcon::console::Task;
use std::fs;
use std::time::{Duration, Instant};

/// Waits until the output of a command contains a text.
#[track_caller]
fn shows(args: &[&str], text: &str) -> String {
    let until = Instant::now() + LIMIT;
    loop {
        let shown = printed(calcon(args), 0);
        if shown.contains(text) {
            return shown;
        }
        assert!(Instant::now() < until, "no {text:?} in {shown}");
    }
}

#[test]
fn excalcon_is_listed_stopped_and_loaded() {
    let (exchange, notes) = pair(&[]);
    let at = notes.address.as_str();
    let tasks = ["show", "tasks", "--at", at];
    eventually(at, "alice@exchange.example", &TWO_DAYS);
    let up = shows(&tasks, " up to ");
    let expected = format!("Exchange Cal conn up to {} for Exchange. Stats=1 1/0.", exchange.address);
    assert!(up.starts_with(&expected), "{up}");
    assert_eq!(printed(calcon(&["tell", "excalcon", "quit", "--at", at]), 0), "started\n");
    shows(&tasks, "Exchange Cal conn not loaded to ");
    let refused = printed(query(at, "alice@exchange.example", &TWO_DAYS), 5);
    assert!(refused.contains("the add-in is not loaded: `calcon load excalcon` starts it"), "{refused}");
    assert_eq!(printed(calcon(&["load", "excalcon", "--at", at, "--json"]), 0), "\"started\"\n");
    shows(&tasks, " up to ");
    eventually(at, "alice@exchange.example", &TWO_DAYS);
    let json = printed(calcon(&["show", "tasks", "--json", "--at", at]), 0);
    let tasks: Vec<Task> = serde_json::from_str(&json).expect("tasks");
    assert_eq!((tasks[0].name.as_str(), tasks[0].status.as_str(), tasks[0].requests), ("excalcon", "up", 2), "{json}");
    let unknown = printed(calcon(&["load", "router", "--at", at]), 5);
    assert_eq!(unknown, "calcon: there is no task router: `calcon show tasks` lists them\n");
    let elsewhere = printed(calcon(&["show", "tasks", "--at", &exchange.address]), 5);
    assert_eq!(elsewhere, "calcon: the Notes side has the sessions: ask `calcon notes`\n");
}

#[test]
fn a_session_is_dropped_by_its_holder() {
    let (exchange, notes) = pair(&["--age-max-secs", "0"]);
    printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    let holder = format!("CALCON {}", exchange.address);
    assert_eq!(printed(calcon(&["drop", &holder, "--at", &notes.address]), 0), "dropped\n");
    shows(&["show", "users", "--at", &notes.address], "IDLE\n0 of 1024 sessions\n");
}

#[test]
fn a_calendar_is_read_without_a_query_about_its_user() {
    let calendars = folder("sync");
    let mut exchange = exchange(calendars.to_str().expect("UTF-8"), &[]);
    fs::write(calendars.join("bad@exchange.example.ics"), "BEGIN:VCALENDAR\n").expect("written");
    // The daemon looks at the folder when it is asked, and nobody asks.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(printed(calcon(&["sync", "now", "--at", &exchange.address]), 0), "started\n");
    exchange.wait_for("bad@exchange.example.ics:1: BEGIN:VCALENDAR is never ended");
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn who_holds_a_session_is_listed_and_can_be_dropped() {
    let (exchange, notes) = pair(&["--age-max-secs", "0"]);
    let ask = || printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    let users = || printed(calcon(&["show", "users", "--at", &notes.address]), 0);
    assert!(users().ends_with("IDLE\n0 of 1024 sessions\n"), "{}", users());
    ask();
    let listed = users();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert_eq!(lines[1][..6], ["10000", "CALCON", &exchange.address, "open", "0", "1"], "{listed}");
    assert_eq!(listed.find("STATE"), listed.lines().nth(1).and_then(|line| line.find("open")), "{listed}");
    assert!(!listed.contains('\x1b'), "plain when piped");
    printed(calcon(&["drop", "10000", "--at", &notes.address]), 0);
    let until = Instant::now() + LIMIT;
    while users().contains("10000") {
        assert!(Instant::now() < until, "it is not closed");
    }
    ask();
    assert!(users().contains("20000"), "another session in the same slot: {}", users());
    let again = printed(calcon(&["drop", "10000", "--at", &notes.address]), 5);
    assert_eq!(again, "calcon: there is no session 10000: `calcon show users` lists them\n");
    let elsewhere = printed(calcon(&["show", "users", "--at", &exchange.address]), 5);
    assert_eq!(elsewhere, "calcon: the Notes side has the sessions: ask `calcon notes`\n");
    let json = printed(calcon(&["show", "users", "--json", "--at", &notes.address]), 0);
    let users: Vec<calcon::session::User> = serde_json::from_str(&json).expect("users");
    assert_eq!(users[0].session, "20000");
}

#[test]
fn a_closed_session_is_a_line_in_the_log() {
    let log = folder("sessions").join("sessions.log");
    let args = ["notes", "--listen", "127.0.0.1:0", "--calendars", "samples/notes", "--exchange", "127.0.0.1:1"];
    let mut notes = Daemon::start(&[&args[..], &["--session-log", log.to_str().expect("UTF-8")]].concat());
    printed(query(&notes.address, "carol@notes.example", &TWO_DAYS), 0);
    assert_eq!(notes.stop(), Some(0));
    let line = fs::read_to_string(&log).expect("written");
    assert!(line.starts_with("session 10000 of client 127.0.0.1, opened "), "{line}");
    assert!(line.ends_with("closed after 0 s and 1 uses: its holder left\n"), "{line}");
    fs::remove_dir_all(log.parent().expect("a folder")).expect("removed");
}
