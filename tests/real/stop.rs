//! SIGTERM is obeyed within a second, whatever a daemon is doing.

use crate::limits::{calendar, good, hostile, list, stops_in_time};
use crate::production::{self, query, root};
use crate::{TWO_DAYS, exchange, folder, printed};
use calcon::query::Query;
use calcon::wire::{Message, Role, encode};
use chrono::DateTime;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Long enough for what was sent to be worked on.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Returns what asks about a user for some days, and again, and the greeting before it.
fn asking(user: &str, days: u32, times: usize) -> Vec<u8> {
    let from = DateTime::from_timestamp(1_785_542_400, 0).expect("a time");
    let query = Query::days(format!("{user}@exchange.example"), from, days);
    let ask = Message::Query { id: 1, epoch: 0, deadline_ms: 60_000, query };
    let [hello, ask] = [Message::hello(Role::Client), ask].map(|message| encode(&message).expect("it fits"));
    [hello, ask.repeat(times)].concat()
}

/// Connects, and writes; nothing is read.
fn send(at: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).expect("connected");
    stream.write_all(bytes).expect("written");
    stream
}

#[test]
fn while_calendars_are_expanded() {
    let calendars = folder("stop-expanding");
    hostile(&calendars);
    // Each takes the whole budget, and is asked about for another year each time.
    let rule = format!("FREQ=HOURLY;BYYEARDAY={};BYDAY=MO,TU,WE,TH,FR,SA,SU", list(1..367));
    for n in 0..20 {
        let event = |n: u32| format!("UID:{n}\nDTSTART:20250101T00{:02}00Z\nDURATION:PT1M\nRRULE:{rule}", n % 60);
        calendar(&calendars.join(format!("{n}@exchange.example.ics")), (0..200).map(event));
    }
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let users = ["hourly", "seconds", "changes"].map(str::to_owned).into_iter().chain((0..20).map(|n| n.to_string()));
    let open: Vec<TcpStream> = users.map(|user| send(&daemon.address, &asking(&user, 366, 1))).collect();
    sleep(A_MOMENT);
    stops_in_time(&mut daemon);
    drop(open);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn while_thousands_of_calendars_are_read() {
    let calendars = folder("stop-reading");
    for n in 0..3000 {
        good(&calendars.join(format!("{n}@exchange.example.ics")));
    }
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    stops_in_time(&mut daemon);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn while_peers_are_silent_in_the_middle_of_everything() {
    let mut daemon = exchange("samples/exchange", &[]);
    let hello = encode(&Message::hello(Role::Client)).expect("it fits");
    let half = [&hello[..], &8192_u32.to_be_bytes(), &[b' '; 8000]].concat();
    let add_in = Message::Hello { version: calcon::wire::VERSION, role: Role::AddIn, epoch: 1, boot: 1, token: None };
    let add_in = encode(&add_in).expect("it fits");
    // Nothing, half of a HELLO, half of a query, and half of an answer that is asked for.
    let long = [&add_in[..], &(1_u32 << 20).to_be_bytes(), &vec![b' '; 1 << 19]].concat();
    let kinds: [&[u8]; 3] = [b"", &hello[..9], &half];
    let open: Vec<TcpStream> = (0..500).map(|n| send(&daemon.address, kinds[n % kinds.len()])).collect();
    let link = send(&daemon.address, &long);
    daemon.wait_for("link up");
    sleep(A_MOMENT);
    stops_in_time(&mut daemon);
    drop((open, link));
}

#[test]
fn while_nobody_reads_the_answers() {
    let calendars = folder("stop-unread");
    let hourly = "DTSTART:20260101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;INTERVAL=2";
    calendar(&calendars.join("long@exchange.example.ics"), std::iter::once(hourly.to_owned()));
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    let open: Vec<TcpStream> = (0..20).map(|_| send(&daemon.address, &asking("long", 340, 10))).collect();
    // Until the system takes no more.
    sleep(10 * A_MOMENT);
    stops_in_time(&mut daemon);
    drop(open);
    fs::remove_dir_all(&calendars).expect("removed");
}

#[test]
fn while_the_folder_has_what_is_no_file() {
    let calendars = folder("stop-special");
    let of = |name: &str| calendars.join(format!("{name}@exchange.example.ics"));
    let pipe = Command::new("mkfifo").arg(of("pipe")).status();
    assert!(pipe.expect("mkfifo starts").success());
    std::os::unix::fs::symlink("/dev/zero", of("zero")).expect("linked");
    good(&of("good"));
    let mut daemon = exchange(calendars.to_str().expect("UTF-8"), &[]);
    printed(query(&daemon.address, "good@exchange.example", &TWO_DAYS), 0);
    let open = ["pipe", "zero"].map(|user| send(&daemon.address, &asking(user, 2, 1)));
    stops_in_time(&mut daemon);
    drop(open);
    fs::remove_dir_all(&calendars).expect("removed");
}

/// Every thread that writes to the log waits forever then.
#[test]
fn while_nobody_reads_the_log() {
    let console = production::console();
    let args = ["exchange", "--listen", "127.0.0.1:0", "--calendars", "samples/exchange", "--console", &console];
    let mut command = Command::new(production::binary());
    command.args(args).current_dir(root()).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = command.spawn().expect("it starts");
    let mut log = BufReader::new(daemon.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("listening on ") {
        line.clear();
        assert!(log.read_line(&mut line).expect("read") > 0, "it ended");
    }
    let at = line.trim().rsplit(' ').next().expect("an address").to_owned();
    // Each is reported with a line or two, of which a pipe holds 64 KiB.
    let open: Vec<TcpStream> = (0..1000).map(|_| send(&at, &asking("alice", 1, 1))).collect();
    sleep(A_MOMENT);
    let began = Instant::now();
    assert!(Command::new("kill").arg(daemon.id().to_string()).status().expect("kill starts").success());
    let ended = thread::spawn(move || {
        while daemon.try_wait().expect("waited for").is_none() && began.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(5));
        }
        let took = began.elapsed();
        // It has ended, unless the test fails.
        let _ = daemon.kill();
        (took, daemon.wait().expect("waited for").code())
    });
    let (took, code) = ended.join().expect("it ends");
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    assert_eq!(code, Some(0));
    drop((open, log));
    let _ = fs::remove_file(console);
}
