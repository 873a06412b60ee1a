//! The operator's console: tasks, sessions and calendars, as text and as JSON.

use crate::production::{Daemon, LIMIT, query};
use crate::{TWO_DAYS, calcon, eventually, exchange, folder, pair, printed};
use calcon::console::{Command, Task};
use calcon::wire::{Message, Role, encode};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// Waits until the output of a command contains a text.
#[track_caller]
pub fn shows(args: &[&str], text: &str) -> String {
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
    let (address, at) = (notes.address.as_str(), notes.console.as_str());
    let tasks = ["show", "tasks", "--at", at];
    eventually(address, "alice@exchange.example", &TWO_DAYS);
    let up = shows(&tasks, " up to ");
    let expected = format!("Exchange Cal conn up to {} for Exchange. Stats=1 1/0.", exchange.address);
    assert!(up.starts_with(&expected), "{up}");
    assert_eq!(printed(calcon(&["tell", "excalcon", "quit", "--at", at]), 0), "started\n");
    shows(&tasks, "Exchange Cal conn not loaded to ");
    let refused = printed(query(address, "alice@exchange.example", &TWO_DAYS), 5);
    assert!(refused.contains("the add-in is not loaded: `calcon load excalcon` starts it"), "{refused}");
    assert_eq!(printed(calcon(&["load", "excalcon", "--at", at, "--json"]), 0), "\"started\"\n");
    shows(&tasks, " up to ");
    eventually(address, "alice@exchange.example", &TWO_DAYS);
    let json = printed(calcon(&["show", "tasks", "--json", "--at", at]), 0);
    let tasks: Vec<Task> = serde_json::from_str(&json).expect("tasks");
    assert_eq!((tasks[0].name.as_str(), tasks[0].status.as_str(), tasks[0].requests), ("excalcon", "up", 2), "{json}");
    let unknown = printed(calcon(&["load", "router", "--at", at]), 5);
    assert_eq!(unknown, "calcon: there is no task router: `calcon show tasks` lists them\n");
    let elsewhere = printed(calcon(&["show", "tasks", "--at", &exchange.console]), 5);
    assert_eq!(elsewhere, "calcon: the Notes side has the sessions: ask `calcon notes`\n");
}

#[test]
fn a_session_is_dropped_by_its_holder() {
    let (exchange, notes) = pair(&["--age-max-secs", "0"]);
    printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    let holder = format!("CALCON {}", exchange.address);
    assert_eq!(printed(calcon(&["drop", &holder, "--at", &notes.console]), 0), "dropped\n");
    shows(&["show", "users", "--at", &notes.console], "IDLE\n0 of 1024 sessions\n");
}

#[test]
fn a_calendar_is_read_without_a_query_about_its_user() {
    let calendars = folder("sync");
    let mut exchange = exchange(calendars.to_str().expect("UTF-8"), &[]);
    fs::write(calendars.join("bad@exchange.example.ics"), "BEGIN:VCALENDAR\n").expect("written");
    // The daemon looks at the folder when it is asked, and nobody asks.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(printed(calcon(&["sync", "now", "--at", &exchange.console]), 0), "started\n");
    exchange.wait_for("bad@exchange.example.ics:1: BEGIN:VCALENDAR is never ended");
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn who_holds_a_session_is_listed_and_can_be_dropped() {
    let (exchange, notes) = pair(&["--age-max-secs", "0"]);
    let ask = || printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    let users = || printed(calcon(&["show", "users", "--at", &notes.console]), 0);
    assert!(users().ends_with("IDLE\n0 of 1024 sessions\n"), "{}", users());
    ask();
    let listed = users();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert_eq!(lines[1][..6], ["10000", "CALCON", &exchange.address, "open", "0", "1"], "{listed}");
    assert_eq!(listed.find("STATE"), listed.lines().nth(1).and_then(|line| line.find("open")), "{listed}");
    assert!(!listed.contains('\x1b'), "plain when piped");
    printed(calcon(&["drop", "10000", "--at", &notes.console]), 0);
    let until = Instant::now() + LIMIT;
    while users().contains("10000") {
        assert!(Instant::now() < until, "it is not closed");
    }
    ask();
    assert!(users().contains("20000"), "another session in the same slot: {}", users());
    let again = printed(calcon(&["drop", "10000", "--at", &notes.console]), 5);
    assert_eq!(again, "calcon: there is no session 10000: `calcon show users` lists them\n");
    let elsewhere = printed(calcon(&["show", "users", "--at", &exchange.console]), 5);
    assert_eq!(elsewhere, "calcon: the Notes side has the sessions: ask `calcon notes`\n");
    let json = printed(calcon(&["show", "users", "--json", "--at", &notes.console]), 0);
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

#[test]
fn the_console_is_for_its_user_alone_and_outlives_a_dead_daemon() {
    let socket = |daemon: &Daemon| fs::metadata(&daemon.console).expect("it is there").permissions().mode() & 0o777;
    let mut exchange = exchange("samples/exchange", &[]);
    assert_eq!(socket(&exchange), 0o600);
    let console = exchange.console.clone();
    let args = ["exchange", "--listen", "127.0.0.1:0", "--calendars", "samples/exchange", "--console", &console];
    let taken = printed(calcon(&args), 1);
    assert!(taken.contains("another daemon listens there; set `console`"), "{taken}");
    // The dead one leaves its socket.
    exchange.signal("KILL");
    exchange.wait_until_dead();
    assert!(fs::exists(&console).expect("looked at"));
    let refused = printed(calcon(&["sync", "now", "--at", &console]), 3);
    assert!(refused.contains("cannot connect to"), "{refused}");
    let mut next = Daemon::start_with_console(&args[..5], &console);
    assert!(next.log.iter().any(|line| line.contains("which a dead daemon has left")), "{:#?}", next.log);
    assert_eq!(printed(calcon(&["sync", "now", "--at", &console]), 0), "started\n");
    assert_eq!(next.stop(), Some(0));
    assert!(!fs::exists(&console).expect("looked at"), "a daemon that stops takes it away");
}

#[test]
fn no_command_is_taken_over_tcp() {
    let mut exchange = exchange("samples/exchange", &[]);
    let mut stream = TcpStream::connect(&exchange.address).expect("connected");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    let said = [Message::hello(Role::Client), Message::Command { id: 7, command: Command::SyncNow }];
    let said = said.map(|message| encode(&message).expect("it fits")).concat();
    stream.write_all(&said).expect("written");
    stream.shutdown(Shutdown::Write).expect("shut down");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("read");
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.contains("commands are given at the console"), "{reply}");
    assert_eq!(exchange.stop(), Some(0));
}

#[test]
fn errors_are_json_for_those_who_ask_for_it() {
    let error = |args: &[&str], code| {
        let output = calcon(args);
        assert_eq!(output.status.code(), Some(code));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let text = format!("calcon: {}\n", json["error"]["text"].as_str().expect("a text"));
        assert_eq!(text, String::from_utf8_lossy(&output.stderr));
        json["error"]["code"].as_str().expect("a code").to_owned()
    };
    assert_eq!(error(&["show", "users", "--at", "/nowhere.sock", "--json"], 3), "unreachable");
    assert_eq!(error(&["query", "--at", "127.0.0.1:1", "ada@example", "--json"], 3), "unreachable");
    let exchange = exchange("samples/exchange", &[]);
    assert_eq!(error(&["show", "tasks", "--at", &exchange.console, "--json"], 5), "bad_query");
    let nobody = ["query", "--at", &exchange.address, "nobody@exchange.example", "--json"];
    assert_eq!(error(&[&nobody[..], &TWO_DAYS].concat(), 5), "link_down");
    assert_eq!(error(&["drop", "nobody", "--at", &exchange.console, "--json"], 5), "bad_query");
    assert_eq!(error(&["sync", "now", "--side", "exchange", "--at", "/nowhere.sock", "--json"], 3), "unreachable");
}
