//! The verdict on a run that died without giving one.

use super::watch::End;
use crate::{
    engine::{MEMORY_MAX, Words},
    verdict::{Class, Failure},
};
use nix::sys::signal::Signal;

/// What Rust's allocator prints before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// What Rust's stack guard prints before it aborts.
const OVERFLOWED: &str = "has overflowed its stack";
/// How many lines of its last words are shown.
const LAST_LINES: usize = 8;

/// Why a run died, from how its process ended, what it printed last and the task that it polled last.
pub fn of_death(end: End, printed: &str, place: Option<String>, words: &Words) -> Failure {
    let (class, property, message) = match end {
        End::Hung(still, busy) => still_verdict(still.as_secs(), busy, words),
        End::Exited(code) => {
            (Class::Exit, words.nobody_exits, format!("the process called exit({code}) in the middle of a run"))
        }
        End::Signalled(Signal::SIGABRT) if printed.contains(OUT_OF_MEMORY) => {
            let mib = MEMORY_MAX >> 20;
            (Class::OutOfMemory, "memory is bounded", format!("the run took more than the {mib} MiB that it may have"))
        }
        End::Signalled(Signal::SIGABRT) if printed.contains(OVERFLOWED) => {
            (Class::Crash, "the stack is bounded", "a task overflowed its stack".to_owned())
        }
        End::Signalled(signal) => (Class::Crash, "nothing crashes", format!("the process died of {signal}")),
    };
    let mut causes = vec![];
    if let Some(place) = &place {
        causes.push(format!("{} {place}", words.last));
    }
    if end == End::Signalled(Signal::SIGSEGV) {
        causes.extend(words.on_segfault.map(str::to_owned));
    }
    // How to see a backtrace is no news: workers have none.
    let is_news = |line: &&str| !line.trim().is_empty() && !line.contains("RUST_BACKTRACE");
    let lines: Vec<&str> = printed.lines().filter(is_news).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    causes.extend(last.map(|line| format!("it printed: {}", without_thread_number(line))));
    Failure { class, property: property.into(), place: place.unwrap_or_default(), message, causes }
}

fn still_verdict(seconds: u64, busy: bool, words: &Words) -> (Class, &'static str, String) {
    let (time, what) = match busy {
        true => ("processor time", "a loop without end"),
        false => ("real time", "a call that blocks the thread"),
    };
    let message = format!("{} took more than {seconds} s of {time}: {what}", words.step);
    (Class::EndlessLoop, words.time_goes_on, message)
}

/// What the runtime prints of a thread has a number that no two runs share: `thread 'main' (4711) panicked`.
fn without_thread_number(line: &str) -> String {
    let parts = line.split_once("' (").and_then(|(thread, rest)| Some((thread, rest.split_once(')')?)));
    match parts {
        Some((thread, (number, rest))) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{thread}'{rest}")
        }
        _ => line.to_owned(),
    }
}
