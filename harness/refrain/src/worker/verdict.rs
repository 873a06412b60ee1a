//! The verdict on a run that died without giving one.

use super::process::{End, MEMORY_MAX};
use crate::verdict::{Class, Failure};
use nix::sys::signal::Signal;

/// What Rust's allocator prints before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// What Rust's stack guard prints before it aborts.
const OVERFLOWED: &str = "has overflowed its stack";
/// How many lines of its last words are shown.
const LAST_LINES: usize = 8;

/// Why a run died, from how its process ended, what it printed last and the task that it polled last.
pub fn of_death(end: End, printed: &str, place: Option<String>, is_model: bool) -> Failure {
    let (class, property, message) = match end {
        End::Hung(still, busy) => still_verdict(still.as_secs(), busy, is_model),
        End::Exited(code) => (
            Class::Exit,
            if is_model { "no thread ends the whole process" } else { "no host ends the whole process" },
            format!("the process called exit({code}) in the middle of a run"),
        ),
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
        causes.push(if is_model {
            format!("the last operation began at {place}")
        } else {
            format!("the task that ran was spawned at {place}")
        });
    }
    if is_model && end == End::Signalled(Signal::SIGSEGV) {
        causes.push("was it the stack? A model's own thread has 32 KiB under loom, every other one 256 KiB".into());
    }
    // How to see a backtrace is no news: workers have none.
    let is_news = |line: &&str| !line.trim().is_empty() && !line.contains("RUST_BACKTRACE");
    let lines: Vec<&str> = printed.lines().filter(is_news).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    causes.extend(last.map(|line| format!("it printed: {}", without_thread_number(line))));
    Failure { class, property: property.into(), place: place.unwrap_or_default(), message, causes }
}

fn still_verdict(seconds: u64, busy: bool, is_model: bool) -> (Class, &'static str, String) {
    let what = if busy { "a loop without end" } else { "a call that blocks the thread" };
    if is_model {
        let message = format!("one execution took more than {seconds} s of real time: {what}");
        return (Class::EndlessLoop, "every execution ends", message);
    }
    let message = format!("one poll took more than {seconds} s of real time: {what}");
    (Class::EndlessLoop, "virtual time goes on", message)
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
