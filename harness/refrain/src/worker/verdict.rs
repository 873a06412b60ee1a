//! The verdict on a run that died without giving one.

use super::watch::End;
use crate::{
    engine::Terms,
    place::Place,
    verdict::{Cause, Class, Detail, Failure, Property},
};
use nix::sys::signal::Signal;

/// What Rust's allocator prints before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// What Rust's stack guard prints before it aborts.
const OVERFLOWED: &str = "has overflowed its stack";
/// How many lines of its last words are shown.
const LAST_LINES: usize = 8;

/// Why a run died, from how its process ended, what it printed last, the task that it polled last, and its memory limit.
pub fn of_death(end: End, printed: &str, place: Option<Place>, terms: &Terms, memory_max: u64) -> Failure {
    let (class, property, detail) = match end {
        End::Hung(limit, busy) => {
            (Class::EndlessLoop, terms.ends.clone(), Detail::Hung { limit_ms: limit.as_millis() as u64, busy })
        }
        End::Exited(code) => (Class::Exit, Property::NoExit, Detail::Exited { code }),
        End::Signalled(Signal::SIGABRT) if printed.contains(OUT_OF_MEMORY) => {
            (Class::OutOfMemory, Property::MemoryBounded, Detail::OutOfMemory { limit_bytes: memory_max })
        }
        End::Signalled(Signal::SIGABRT) if printed.contains(OVERFLOWED) => {
            (Class::Crash, Property::StackBounded, Detail::StackOverflowed)
        }
        // While it is blocked, the guard's signal kills instead of being handled.
        End::Signalled(signal @ Signal::SIGSYS) => {
            (Class::Escape, Property::StaysInside, Detail::Killed { signal: signal.as_str().to_owned() })
        }
        End::Signalled(signal) => {
            (Class::Crash, Property::NoCrash, Detail::Killed { signal: signal.as_str().to_owned() })
        }
    };
    let mut causes: Vec<Cause> = place.clone().map(terms.last).into_iter().collect();
    // How to see a backtrace is no news: workers have none.
    let is_news = |line: &&str| !line.trim().is_empty() && !line.contains("RUST_BACKTRACE");
    let lines: Vec<&str> = printed.lines().filter(is_news).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    causes.extend(last.map(|line| Cause::Printed(without_thread_number(line))));
    Failure { class, property, place, detail, causes }
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
