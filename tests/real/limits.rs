//! Hostile calendars, files and peers: they get what they are entitled to, and nobody else notices.

use crate::production::{Daemon, query};
use crate::{TWO_DAYS, eventually, exchange, folder, pair, printed};
use calcon::wire::{Message, Role, encode};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long SIGTERM may take, and starting the process that sends it.
const STOP_LIMIT: Duration = Duration::from_secs(1);
/// What a daemon may occupy at most, in megabytes. One hostile calendar once took 631, and 500 half frames 522.
pub(crate) const MEMORY_MAX_MB: u64 = 256;

pub(crate) fn calendar(path: &Path, events: impl Iterator<Item = String>) {
    let events: String = events.map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    fs::write(path, format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")).expect("written");
}

pub(crate) fn good(path: &Path) {
    calendar(path, ["UID:a\nDTSTART:20260803T080000Z\nDURATION:PT1H".to_owned()].into_iter());
}

pub(crate) fn list(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

/// Returns the most memory that a daemon has occupied, in megabytes.
pub(crate) fn memory_mb(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("a number") / 1024
}

/// Writes the calendars of `hourly`, `seconds` and `changes`, which take long to expand.
pub(crate) fn hostile(calendars: &Path) {
    let of = |user: &str| calendars.join(format!("{user}@exchange.example.ics"));
    let hourly =
        |n| format!("UID:{n}\nDTSTART:20250101T{:02}{:02}00Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY", n % 24, n % 30);
    calendar(&of("hourly"), (0..2000).map(hourly));
    let parts = (list(1..367), list(0..24), list(0..60), list(0..60));
    let rule =
        format!("FREQ=YEARLY;BYYEARDAY={};BYHOUR={};BYMINUTE={};BYSECOND={}", parts.0, parts.1, parts.2, parts.3);
    calendar(&of("seconds"), [format!("DTSTART:20250101T000000Z\nDURATION:PT1S\nRRULE:{rule}")].into_iter());
    let change = |n| {
        let time = format!("{}{:02}{:02}T{:02}0000Z", 2010 + n / 8064, n / 672 % 12 + 1, n / 24 % 28 + 1, n % 24);
        format!("UID:a\nRECURRENCE-ID:{time}\nDTSTART:{time}\nDURATION:PT1M")
    };
    let original = "UID:a\nDTSTART:20100101T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY".to_owned();
    calendar(&of("changes"), [original].into_iter().chain((0..60_000).map(change)));
}

#[track_caller]
pub(crate) fn stops_in_time(daemon: &mut Daemon) {
    let began = Instant::now();
    assert_eq!(daemon.stop(), Some(0));
    assert!(began.elapsed() < STOP_LIMIT, "it took {:?}", began.elapsed());
}

#[test]
fn a_calendar_that_takes_too_long_is_unknown_and_delays_nobody() {
    let calendars = folder("hostile");
    let of = |user: &str| calendars.join(format!("{user}@exchange.example.ics"));
    hostile(&calendars);
    good(&of("good"));
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let at = daemon.address.clone();
    let ask = |user: &'static str| {
        let at = at.clone();
        thread::spawn(move || query(&at, &format!("{user}@exchange.example"), &["--from", "2026-08-03T00:00:00Z"]))
    };
    let others = ["hourly", "seconds", "changes"].map(ask);
    let began = Instant::now();
    let answered = printed(query(&at, "good@exchange.example", &TWO_DAYS), 0);
    assert!(began.elapsed() < Duration::from_secs(2), "it waited {:?} for the others", began.elapsed());
    assert!(answered.contains("busy       2026-08-03 08:00Z  2026-08-03 09:00Z"), "{answered}");
    // They may take longer than a query waits, in a debug build.
    for other in others {
        other.join().expect("asked");
    }
    for user in ["hourly", "seconds"] {
        let answer = eventually(&at, &format!("{user}@exchange.example"), &["--from", "2026-08-03T00:00:00Z"]);
        assert!(answer.contains("unknown "), "{user}: {answer}");
        let free = answer.lines().any(|line| line.starts_with("free ") && line.ends_with('d'));
        assert!(!free, "{user}: {answer}");
        daemon.wait_for("the calendar takes too long to expand");
    }
    eventually(&at, "changes@exchange.example", &["--from", "2026-08-03T00:00:00Z"]);
    assert!(memory_mb(&daemon) < MEMORY_MAX_MB, "{} MB", memory_mb(&daemon));
    stops_in_time(&mut daemon);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn what_is_no_regular_file_is_skipped_with_its_reason_at_start_and_later() {
    let calendars = folder("special");
    let of = |name: &str| calendars.join(format!("{name}@exchange.example.ics"));
    let add = |prefix: &str| {
        let pipe = Command::new("mkfifo").arg(of(&format!("{prefix}-pipe"))).status();
        assert!(pipe.expect("mkfifo starts").success());
        symlink("/dev/zero", of(&format!("{prefix}-zero"))).expect("linked");
        fs::create_dir(of(&format!("{prefix}-folder"))).expect("created");
        File::create(of(&format!("{prefix}-huge"))).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    };
    let reasons = [
        ("pipe", "it is a named pipe: only regular files are read"),
        ("zero", "it is a device: only regular files are read"),
        ("folder", "it is a directory: only regular files are read"),
        ("huge", "it has more than 8388608 bytes"),
    ];
    good(&of("good"));
    add("early");
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let at = daemon.address.clone();
    printed(query(&at, "good@exchange.example", &TWO_DAYS), 0);
    let unusable = |user: &str| {
        let until = Instant::now() + crate::LIMIT;
        // Until the folder is checked again, a new file belongs to nobody.
        while !printed(query(&at, &format!("{user}@exchange.example"), &TWO_DAYS), 5).contains("see event 5005") {
            assert!(Instant::now() < until, "{user} is not noticed");
        }
    };
    reasons.iter().for_each(|(name, _)| unusable(&format!("early-{name}")));
    add("late");
    reasons.iter().for_each(|(name, _)| unusable(&format!("late-{name}")));
    printed(query(&at, "good@exchange.example", &TWO_DAYS), 0);
    assert!(memory_mb(&daemon) < MEMORY_MAX_MB, "{} MB", memory_mb(&daemon));
    stops_in_time(&mut daemon);
    for (name, reason) in reasons {
        for when in ["early", "late"] {
            let line = format!("{when}-{name}@exchange.example.ics: {reason} number=5005");
            assert_eq!(daemon.log.iter().filter(|seen| seen.contains(&line)).count(), 1, "{line}: {:#?}", daemon.log);
        }
    }
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn a_stop_waits_for_no_answer() {
    let (mut exchange, notes) = pair(&[]);
    notes.signal("STOP");
    let at = exchange.address.clone();
    let asking = thread::spawn(move || query(&at, "carol@notes.example", &TWO_DAYS));
    exchange.wait_for("accepted");
    // The question must be on its way, which the daemon does not report.
    thread::sleep(Duration::from_millis(200));
    stops_in_time(&mut exchange);
    assert_eq!(asking.join().expect("asked").status.code(), Some(3));
    notes.signal("CONT");
}

#[test]
fn half_a_frame_occupies_little_and_a_long_one_is_refused() {
    const PEERS: usize = 500;
    let mut daemon = exchange("samples/exchange", &[]);
    let before = memory_mb(&daemon);
    let hello = encode(&Message::hello(Role::Client)).expect("it fits");
    let half = |bytes: u32| [&hello[..], &bytes.to_be_bytes(), &vec![b' '; bytes as usize - 1]].concat();
    let connect = |frame: &[u8]| {
        let mut stream = TcpStream::connect(&daemon.address).expect("connected");
        // The daemon may close it before everything is written.
        let _ = stream.write_all(frame);
        stream
    };
    let (long, short) = (half(1 << 20), half(8 << 10));
    for _ in 0..PEERS {
        let mut refused = connect(&long);
        let _ = refused.read_to_end(&mut Vec::new());
    }
    let open: Vec<TcpStream> = (0..PEERS).map(|_| connect(&short)).collect();
    printed(query(&daemon.address, "bob@exchange.example", &TWO_DAYS), 0);
    let used = memory_mb(&daemon) - before;
    assert!(used < 32, "{PEERS} half frames take {used} MB");
    drop(open);
    daemon.wait_for("frame of 1048576 bytes is over the limit of 8192");
    stops_in_time(&mut daemon);
}
