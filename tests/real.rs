//! The production binary on real sockets: how an operator uses it, and what it must be linked with.

#[path = "real/browse_log.rs"]
mod browse_log;
#[path = "real/cache.rs"]
mod cache;
#[path = "real/check.rs"]
mod check;
#[path = "real/console.rs"]
mod console;
#[path = "real/entry.rs"]
mod entry;
#[path = "real/face.rs"]
mod face;
#[path = "real/limits.rs"]
mod limits;
#[path = "real/link.rs"]
mod link;
#[path = "real/memory.rs"]
mod memory;
#[path = "real/ntsmex.rs"]
mod ntsmex;
#[path = "common/production.rs"]
mod production;
#[path = "real/secrets.rs"]
mod secrets;
#[path = "real/stop.rs"]
mod stop;

use calcon::query::Query;
use calcon::wire::{Decoder, Message, Role};
use chrono::DateTime;
use production::{Daemon, LIMIT, query, root};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const TWO_DAYS: [&str; 4] = ["--from", "2026-08-03T00:00:00Z", "--days", "2"];

fn exchange(calendars: &str, more: &[&str]) -> Daemon {
    let args = ["exchange", "--listen", "127.0.0.1:0", "--calendars", calendars, "--time-zone", "Europe/Berlin"];
    Daemon::start(&[&args, more].concat())
}

fn notes(calendars: &str, exchange: &str) -> Daemon {
    let args = ["notes", "--listen", "127.0.0.1:0", "--calendars", calendars, "--time-zone", "Europe/Berlin"];
    let mut notes = Daemon::start(&[&args[..], &["--exchange", exchange]].concat());
    notes.wait_for("link up");
    notes
}

fn pair(more: &[&str]) -> (Daemon, Daemon) {
    let mut exchange = exchange("samples/exchange", more);
    let notes = notes("samples/notes", &exchange.address);
    // Each side has it up when it has read the HELLO of the other one.
    exchange.wait_for("link up");
    (exchange, notes)
}

/// Asserts the exit code and returns the output.
#[track_caller]
fn printed(output: Output, code: i32) -> String {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout: {out}\nstderr: {err}");
    if code == 0 { out } else { err }
}

/// Returns the line of a daemon's log with this text, which may have been read already.
fn said(daemon: &mut Daemon, text: &str) -> String {
    let known = daemon.log.iter().find(|line| line.contains(text)).cloned();
    known.unwrap_or_else(|| daemon.wait_for(text))
}

/// Queries until there is an answer, which must come within [`LIMIT`].
#[track_caller]
fn eventually(at: &str, user: &str, args: &[&str]) -> String {
    let until = Instant::now() + LIMIT;
    loop {
        let output = query(at, user, args);
        if output.status.success() || Instant::now() > until {
            return printed(output, 0);
        }
    }
}

/// Creates a directory for this test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    // Possibly left over from a process with the same id.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn both_sides_answer_about_the_users_of_the_other() {
    let (exchange, notes) = pair(&[]);
    let carol = printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    let expected = "\
        carol@notes.example: live, 0 s old\n\
        free       2026-08-03 00:00Z  2026-08-03 09:00Z       9h00\n\
        busy       2026-08-03 09:00Z  2026-08-03 11:30Z       2h30\n\
        tentative  2026-08-03 11:30Z  2026-08-03 14:00Z       2h30\n\
        free       2026-08-03 14:00Z  2026-08-05 00:00Z    1d10h00\n";
    assert_eq!(carol, expected);
    let alice = printed(query(&notes.address, "Alice@Exchange.example", &TWO_DAYS), 0);
    let expected = "\
        alice@exchange.example: live, 0 s old\n\
        free       2026-08-03 00:00Z  2026-08-04 13:00Z    1d13h00\n\
        busy       2026-08-04 13:00Z  2026-08-04 14:00Z       1h00\n\
        tentative  2026-08-04 14:00Z  2026-08-04 14:30Z       0h30\n\
        free       2026-08-04 14:30Z  2026-08-05 00:00Z       9h30\n";
    assert_eq!(alice, expected);
}

#[test]
fn each_side_answers_about_its_own_users_without_the_other() {
    let exchange = exchange("samples/exchange", &[]);
    let bob = printed(query(&exchange.address, "bob@exchange.example", &TWO_DAYS), 0);
    assert!(bob.starts_with("bob@exchange.example: live, 0 s old\n"), "{bob}");
    let carol = printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 5);
    assert!(carol.contains("the link to the other side is down"), "{carol}");
}

#[test]
fn a_user_of_neither_side_is_refused_by_both() {
    let (exchange, notes) = pair(&[]);
    for at in [&exchange.address, &notes.address] {
        let refused = printed(query(at, "nobody@example", &TWO_DAYS), 4);
        assert_eq!(refused, "calcon: nobody has a calendar of nobody@example\n");
    }
}

#[test]
fn json_reads_back_as_an_answer() {
    let exchange = exchange("samples/exchange", &[]);
    let args = [&TWO_DAYS[..], &["--json"]].concat();
    let json = printed(query(&exchange.address, "bob@exchange.example", &args), 0);
    let answer: calcon::query::Answer = serde_json::from_str(&json).expect("an answer");
    assert_eq!(answer.user, "bob@exchange.example");
    assert_eq!(answer.source, calcon::query::Source::Live);
}

/// Sends a daemon a command other than a query.
fn calcon(args: &[&str]) -> Output {
    Command::new(production::binary()).args(args).current_dir(root()).output().expect("calcon starts")
}

#[test]
fn sigterm_ends_both_sides_with_exit_code_0() {
    let (mut exchange, mut notes) = pair(&[]);
    for daemon in [&mut notes, &mut exchange] {
        assert_eq!(daemon.stop(), Some(0));
        let count = |what: &str| {
            daemon.log.iter().filter(|line| line.contains(what) && line.contains("calcon.connection")).count()
        };
        assert_eq!(count("opened"), count("closed"), "{:#?}", daemon.log);
    }
}

#[test]
fn broken_files_are_reported_with_their_line_and_the_rest_is_served() {
    let mut exchange = exchange("tests/calendars/bad", &[]);
    printed(query(&exchange.address, "good@exchange.example", &TWO_DAYS), 0);
    let refused = printed(query(&exchange.address, "no-date@exchange.example", &TWO_DAYS), 5);
    assert!(refused.contains("cannot be used: see event 5005"), "{refused}");
    exchange.stop();
    let reports = [
        "cut-off@exchange.example.ics:3: BEGIN:VEVENT is never ended: is the file cut off? number=5005",
        "no-date@exchange.example.ics:6: DTEND: \"tomorrow\" is no date number=5005",
        "no-text@exchange.example.ics:1: not UTF-8 number=5005",
        "no-zone@exchange.example.ics:5: DTSTART: unknown time zone \"Mars/Olympus\" number=5005",
        "too-often@exchange.example.ics:7: RRULE: FREQ below HOURLY is not supported number=5005",
    ];
    for report in reports {
        assert_eq!(
            exchange.log.iter().filter(|line| line.contains(report)).count(),
            1,
            "{report}: {:#?}",
            exchange.log
        );
    }
}

#[test]
fn a_changed_file_is_served_without_a_restart() {
    let calendars = folder("changed");
    let file = calendars.join("erin@exchange.example.ics");
    let event = |end: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260803T080000Z\n{end}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    let exchange = exchange(calendars.to_str().expect("UTF-8"), &[]);
    printed(query(&exchange.address, "erin@exchange.example", &TWO_DAYS), 5);
    fs::write(&file, event("DTEND:20260803T090000Z")).expect("written");
    let first = eventually(&exchange.address, "erin@exchange.example", &TWO_DAYS);
    assert!(first.contains("busy       2026-08-03 08:00Z  2026-08-03 09:00Z"), "{first}");
    fs::write(&file, event("DTEND:20260803T110000Z")).expect("written");
    let until = Instant::now() + LIMIT;
    let ask = || printed(query(&exchange.address, "erin@exchange.example", &TWO_DAYS), 0);
    while !ask().contains("busy       2026-08-03 08:00Z  2026-08-03 11:00Z") {
        assert!(Instant::now() < until, "the change is not seen: {}", ask());
    }
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn bad_bytes_close_their_own_connection_and_no_other() {
    let (mut exchange, _notes) = pair(&[]);
    let hello = br#"{"hello":{"version":99,"role":"client","epoch":0}}"#;
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes(), body].concat();
    let cases = [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "is over the limit"),
        (frame(b"hello"), "is no message"),
        (frame(b"hello")[..6].to_vec(), "ended inside a frame"),
        (frame(hello), "the peer speaks protocol version 99"),
        (frame(br#"{"ping":{"nonce":1}}"#), "unexpected PING"),
    ];
    for (bytes, reason) in cases {
        let mut stream = TcpStream::connect(&exchange.address).expect("connected");
        stream.set_read_timeout(Some(LIMIT)).expect("set");
        stream.write_all(&bytes).expect("written");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let mut reply = Vec::new();
        // A reset is as good as a close: the daemon does not read what follows a bad frame.
        let _ = stream.read_to_end(&mut reply);
        assert_eq!(reply, b"", "{reason}");
        exchange.wait_for(reason);
        printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    }
    assert!(!exchange.log.iter().any(|line| line.contains("link down")), "{:#?}", exchange.log);
}

/// Q181350: hundreds of clients connect at once; none is refused, and none has to retransmit its SYN.
#[test]
fn every_client_of_a_storm_is_answered() {
    const CLIENTS: usize = 300;
    let (_exchange, notes) = pair(&[]);
    let hello = Message::hello(Role::Client);
    let day = Query::days("carol@notes.example", DateTime::from_timestamp(1_785_715_200, 0).expect("a time"), 1);
    let query = Message::Query { id: 1, epoch: 0, deadline_ms: 10_000, query: day };
    let said = [hello, query].map(|message| calcon::wire::encode(&message).expect("it fits")).concat();
    let start = Barrier::new(CLIENTS);
    let client = || {
        start.wait();
        let began = Instant::now();
        let mut stream = TcpStream::connect(&notes.address).expect("connected");
        let connected = began.elapsed();
        stream.set_read_timeout(Some(LIMIT)).expect("set");
        stream.write_all(&said).expect("written");
        let (mut decoder, mut bytes) = (Decoder::default(), [0; 4096]);
        let answered = std::iter::from_fn(|| {
            let count = stream.read(&mut bytes).expect("read");
            decoder.push(&bytes[..count]);
            (count > 0).then(|| std::iter::from_fn(|| decoder.next_message().expect("messages")).collect::<Vec<_>>())
        });
        let answered = answered.flatten().any(|message| matches!(message, Message::Answer { .. }));
        assert!(answered, "the daemon closed the connection");
        connected
    };
    let slowest = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|_| scope.spawn(client)).collect::<Vec<_>>();
        clients.into_iter().map(|client| client.join().expect("every client is answered")).max()
    });
    // A dropped SYN is retransmitted after a second.
    assert!(slowest < Some(Duration::from_secs(1)), "the slowest connect took {slowest:?}");
}

#[test]
fn the_samples_run_as_they_are() {
    for (settings, command) in [("samples/exchange.toml", "exchange"), ("samples/notes.toml", "notes")] {
        let daemon = Daemon::start(&[command, "--settings", settings, "--listen", "127.0.0.1:0"]);
        assert!(daemon.log.iter().any(|line| line.contains("calendars listed users=2")), "{:#?}", daemon.log);
    }
}

#[test]
fn wrong_settings_are_refused_with_what_to_set() {
    let missing = printed(calcon(&["exchange"]), 2);
    assert!(missing.contains("`calendars` is not set: give --calendars"), "{missing}");
    let zone = printed(calcon(&["exchange", "--calendars", ".", "--time-zone", "Mars/Olympus"]), 2);
    assert!(zone.contains("unknown time zone \"Mars/Olympus\""), "{zone}");
    let none = printed(calcon(&["exchange", "--calendars", ".", "--backlog", "0"]), 2);
    assert!(none.contains("backlog: 0 is not between 1 and 65535"), "{none}");
    let folder = printed(calcon(&["exchange", "--calendars", "/nowhere"]), 1);
    assert!(folder.contains("cannot list the calendars in /nowhere"), "{folder}");
    let notes = ["notes", "--calendars", "samples/notes", "--exchange", "127.0.0.1:1"];
    let sessions = printed(calcon(&[&notes[..], &["--sessions-max", "0"]].concat()), 2);
    assert!(sessions.contains("sessions_max: 0 is not between 1 and 4096"), "{sessions}");
    let log = printed(calcon(&[&notes[..], &["--session-log", "/nowhere/sessions.log"]].concat()), 1);
    assert!(log.contains("cannot write the audit of sessions to /nowhere/sessions.log"), "{log}");
    let nobody = printed(query("127.0.0.1:1", "alice@exchange.example", &[]), 3);
    assert!(nobody.contains("cannot connect to 127.0.0.1:1"), "{nobody}");
}

#[test]
fn production_contains_no_test_harness() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "calcon", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    let tree = printed(tree, 0);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"tokio") && names.contains(&"refrain-tokio"), "{tree}");
    let of_harness =
        |name: &&&str| ["madsim", "loom", "shuttle", "refrain"].iter().any(|harness| name.starts_with(harness));
    let found: Vec<_> = names.iter().filter(of_harness).filter(|name| **name != "refrain-tokio").collect();
    assert!(found.is_empty(), "production depends on {found:?}");
}
