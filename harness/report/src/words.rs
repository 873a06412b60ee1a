//! Formatting shared by many reports: times, counts, addresses, tasks.

use refrain_core::{
    event::{Connection, Endpoint, UnixSocket},
    place::{Place, Task},
    plan::DisplayDuration,
    verdict::Actor,
};
use std::{fmt, time::Duration};

/// Represents the test itself where a host is expected; no host can have this name.
pub(super) const TEST: &str = "(test)";

/// Formats a virtual time to the millisecond: `00:00:12.301`.
pub(super) fn clock(at: u64) -> String {
    format!("{}.{:03}", whole_seconds(at), at % 1_000_000_000 / 1_000_000)
}

/// Formats a virtual time to the nanosecond.
pub(super) fn exact_clock(at: u64) -> String {
    format!("{}.{:09}", whole_seconds(at), at % 1_000_000_000)
}

fn whole_seconds(at: u64) -> String {
    let seconds = at / 1_000_000_000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Formats a duration in nanoseconds, to the millisecond: `4.2 s`, `250 ms`, `less than 1 ms`.
pub(super) fn duration(ns: u64) -> String {
    match ns.saturating_add(500_000) / 1_000_000 {
        0 => "less than 1 ms".to_owned(),
        ms => DisplayDuration(Duration::from_millis(ms)).to_string(),
    }
}

/// Formats a number of bytes: `1 byte`, `18 bytes`.
pub(super) fn bytes(count: u64) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// Formats a host, or the test itself.
pub(super) fn host(name: &str) -> &str {
    if name.is_empty() { TEST } else { name }
}

/// Formats an endpoint: `notes:49152`.
pub(super) fn endpoint(Endpoint { host: name, port }: &Endpoint) -> String {
    format!("{}:{port}", host(name))
}

/// Formats a connection: `notes:49152 -> exchange:5010`.
pub(super) fn connection(Connection { local, peer }: &Connection) -> String {
    format!("{} -> {}", endpoint(local), endpoint(peer))
}

/// `/run/app.sock #3 -> #4`, `/run/app.sock #2`, `a socket pair #3 -> #4`, `Unix socket #3`.
pub(super) fn unix_socket(UnixSocket { name, number, peer }: &UnixSocket) -> String {
    let what = match (name.is_empty(), peer) {
        (false, _) => name,
        (true, Some(_)) => "a socket pair",
        (true, None) => "Unix socket",
    };
    let peer = peer.map(|peer| format!(" -> #{peer}")).unwrap_or_default();
    format!("{what} #{number}{peer}")
}

/// Formats a task: `the task spawned at src/link.rs:88`, `task 2 spawned at src/link.rs:88`.
pub(super) fn task(Task { place, nth }: &Task) -> String {
    match nth {
        1 => format!("the task spawned at {place}"),
        nth => format!("task {nth} spawned at {place}"),
    }
}

/// Formats an actor: `the test`, `the task spawned at src/link.rs:88 on notes`, `thread 1`.
pub(super) fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Test => "the test".to_owned(),
        Actor::Task { host: name, task: spawned } => format!("{} on {}", task(spawned), host(name)),
        Actor::Thread(thread) => format!("thread {thread}"),
        other => raw(other),
    }
}

/// Formats a value without a text of its own as data: enums of `refrain-core` may grow, and no report may lose anything then.
pub(super) fn raw(what: &impl fmt::Debug) -> String {
    format!("{RAW}{what:?}")
}

/// The prefix of a value without a text of its own.
pub(super) const RAW: &str = "no text for ";

/// Formats ` at src/link.rs:88`, or nothing.
pub(super) fn at(place: &Option<Place>) -> String {
    place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default()
}

/// Formats a count with a noun whose plural ends in `s`: `1 run`, `1,200 runs`.
pub fn counted(count: u64, plural: &str) -> String {
    let name = if count == 1 { plural.strip_suffix('s').unwrap_or(plural) } else { plural };
    format!("{} {name}", grouped(count))
}

/// Formats `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |group| str::from_utf8(group).expect("digits are ASCII");
    digits.as_bytes().rchunks(3).rev().map(group).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_said_to_be_zero() {
        for (ns, text) in
            [(0, "less than 1 ms"), (499_999, "less than 1 ms"), (500_000, "1 ms"), (250_000_000, "250 ms")]
        {
            assert_eq!(duration(ns), text);
        }
        assert_eq!(duration(4_200_000_001), "4.2 s");
        assert_eq!(duration(u64::MAX), "18446744073.709 s");
    }
}
