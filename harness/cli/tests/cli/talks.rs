//! Replaces a test executable: it announces some tests, and sends the replies that a file scripts.
//!
//! An exploration is answered from `answers/TEST`, other requests from the file next to the trace: `TRACE.answers`.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::{fd::FromRawFd, unix::net::UnixStream},
    process, thread,
    time::Duration,
};

#[used]
static ANNOUNCED: [&str; 19] = [
    "\u{1}refrain-test\u{2}talks::good::passes\u{3}tests/talks.rs:1\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::good::catches\u{3}tests/talks.rs:20\u{3}stall\u{4}",
    "\u{1}refrain-test\u{2}talks::bad::fails\u{3}tests/talks.rs:300\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::bad::missed\u{3}tests/talks.rs:4\u{3}stall\u{4}",
    "\u{1}refrain-test\u{2}talks::broken::dies\u{3}tests/talks.rs:5\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::evil::nasty\u{3}tests/talks.rs:13\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::evil::github\u{3}tests/talks.rs:18\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::evil::floods\u{3}tests/talks.rs:14\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::broken::garbage\u{3}tests/talks.rs:6\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::broken::refuses\u{3}tests/talks.rs:7\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::broken::is_silent\u{3}tests/talks.rs:8\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::asked::passes\u{3}tests/talks.rs:12\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::slow::stops\u{3}tests/talks.rs:10\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::stuck::hangs\u{3}tests/talks.rs:11\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::other::differs\u{3}tests/talks.rs:19\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::lazy::ignored\u{3}tests/talks.rs:15\u{3}\u{3}ignored\u{4}",
    "\u{1}refrain-test\u{2}talks::slow::waits\u{3}tests/talks.rs:9\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::shown::runs\u{3}tests/talks.rs:17\u{3}\u{4}",
    "\u{1}refrain-test\u{2}talks::told::waits\u{3}tests/talks.rs:16\u{3}\u{4}",
];

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let [exact, test, ignored, threads, nocapture] = &args[..] else { return };
    assert_eq!([exact, ignored, threads, nocapture], ["--exact", "--include-ignored", "--test-threads=1", "--nocapture"]);
    assert_eq!(env::var("REFRAIN_ROLE").as_deref(), Ok("command"));
    assert_eq!(env::var("CARGO_PKG_NAME").as_deref(), Ok("fixture"));
    println!("running 1 test");

    // SAFETY: standard input is the socket, and nothing else uses it.
    let mut socket = unsafe { UnixStream::from_raw_fd(0) };
    let mut request = String::new();
    BufReader::new(&socket).read_line(&mut request).expect("a request");
    let answers = match request.split_once("\"trace\":\"").and_then(|(_, rest)| rest.split_once('"')) {
        Some((trace, _)) => format!("{trace}.answers"),
        None => format!("answers/{}", test.replace("::", "-")),
    };
    fs::write(format!("{answers}.request"), &request).expect("the directory is there");
    for line in fs::read_to_string(&answers).expect("answers").lines() {
        match line {
            "die" => {
                eprintln!("malloc(): corrupted top size");
                process::abort();
            }
            "wait until asked to stop" => {
                socket.read_to_end(&mut Vec::new()).expect("the end of the socket");
            }
            "half a line" => write!(socket, "{{\"progress\":").expect("somebody listens"),
            "flood" => while socket.write_all(&[b'x'; 65_536]).is_ok() {},
            "hang" => thread::sleep(Duration::from_secs(600)),
            "rest" => thread::sleep(Duration::from_millis(5_100)),
            line => writeln!(socket, "{line}").expect("somebody listens"),
        }
    }
}
