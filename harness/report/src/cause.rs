//! Formats the causes of a failure.

use super::{
    shared, step,
    words::{actor, at, clock, connection, counted, duration, endpoint, host, raw, task, unix_socket},
};
use refrain_core::{
    event::Connection,
    plan::{Fault, Nearest, NotTriggered, Part},
    verdict::{Cause, ConnectionState, OpenSocket, Property, StaleRead, ThreadWaiting, UnixWait, Wait, Waiting},
};

/// Formats a cause as a sentence. The property names the kind of resource that it is about.
pub(super) fn cause(cause: &Cause, property: &Property) -> String {
    let kind = property.kind().unwrap_or_default();
    match cause {
        Cause::Waits(waiting) => waits(waiting),
        Cause::Runs(by) => format!("{} is running", actor(by)),
        Cause::ThreadWaits(ThreadWaiting { thread, waits, place }) => {
            format!("thread {thread} waits: {}{}", step::wait(waits), at(place))
        }
        Cause::LastFault { fault, began, ended } => {
            format!("last fault affecting it: {}", happened(fault, *began, *ended))
        }
        Cause::Unknown => {
            "the cause is unknown: nothing that the simulation sees keeps the property from holding".to_owned()
        }
        Cause::MoreWait(tasks) => {
            format!("and {tasks} more task{} wait{}", plural(*tasks, "", "s"), plural(*tasks, "s", ""))
        }
        Cause::Fault { fault, began, ended } => format!("fault before it: {}", happened(fault, *began, *ended)),
        Cause::Held(hold) => format!("no fault started, but a task was held: {hold}"),
        Cause::Open { host: name, id, since, place, task: by } => {
            let by = by.as_ref().map_or_else(|| "the test".to_owned(), task);
            format!("{}: `{kind}` {id} open since {}, opened at {place} by {by}", host(name), clock(*since))
        }
        Cause::OpenSocket { host: name, socket: OpenSocket::Tcp(conn) } => {
            format!("{}: {} is open", host(name), connection(conn))
        }
        Cause::OpenSocket { host: name, socket: OpenSocket::Udp(local) } => {
            format!("{}: UDP {} is open", host(name), endpoint(local))
        }
        Cause::OpenSocket { host: name, socket: OpenSocket::Unix(socket) } => {
            format!("{}: {} is open", host(name), unix_socket(socket))
        }
        Cause::Rose(times) => {
            let rise = (1..).zip(times).map(|(level, at)| format!("{level} at {}", clock(*at)));
            format!("those still open rose to {}", rise.collect::<Vec<_>>().join(", "))
        }
        Cause::Totals { opened, closed } => format!("in total {opened} opened, {closed} closed"),
        Cause::Level { kind, open } => format!("{open} `{kind}` open"),
        Cause::NotTriggered(part) => not_triggered(part),
        Cause::StaleRead(read) => stale_read(read),
        Cause::LastPolled(place) => format!("polled last: the task spawned at {place}"),
        Cause::LastOperation(place) => format!("the last operation began at {place}"),
        Cause::Printed(line) => format!("printed: {line}"),
        Cause::RunShows { run, event: shown } => format!("run {run}: {}", super::differs::row(shown)),
        Cause::RunEnds { run, failure: None } => format!("run {run}: no further events, and it passes"),
        Cause::RunEnds { run, failure: Some(signature) } => {
            format!("run {run}: no further events, and it fails: {}", signature.class)
        }
        other => raw(other),
    }
}

/// Formats the causes of a failure; the events of two runs so that they differ.
pub(super) fn causes(causes: &[Cause], property: &Property) -> impl Iterator<Item = String> {
    let beside = |run: u8| {
        causes.iter().find_map(|cause| match cause {
            Cause::RunShows { run: other, event } if *other != run => Some(&**event),
            _ => None,
        })
    };
    causes.iter().map(move |what| match what {
        Cause::RunShows { run, event } => format!("run {run}: {}", super::differs::row_beside(event, beside(*run))),
        _ => cause(what, property),
    })
}

/// Formats a fault with its times: `cut a <-> b at 00:00:12.300 for 4.2 s`.
fn happened(fault: &Fault, began: u64, ended: Option<u64>) -> String {
    let lasted = match ended {
        // A reset is instantaneous.
        Some(ended) if ended == began => String::new(),
        Some(ended) => format!(" for {}", duration(ended.saturating_sub(began))),
        None => " and still active".to_owned(),
    };
    format!("{} at {}{lasted}", fault.kind, clock(began))
}

fn plural<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// Formats a part of a plan: `not triggered: cut a <-> b when a accepts its 9th connection`.
pub(super) fn not_triggered(part: &Part) -> String {
    match part {
        Part::Fault(fault) => format!("not triggered: {fault}"),
        Part::Hold(hold) => format!("not triggered: {hold}"),
        Part::Choices => {
            "not triggered: the last choices of the plan, because the model makes other ones now".to_owned()
        }
        other => raw(other),
    }
}

/// Like [`not_triggered`], with what came closest to triggering it.
pub(super) fn idle(idle: &NotTriggered) -> String {
    let nearest = match &idle.nearest {
        Nearest::Ended(at) => format!("the run ended before, at {}", clock(*at)),
        Nearest::Healed => "the network was healed before".to_owned(),
        Nearest::Happened(times) => format!("that happened {} in the run", counted(u64::from(*times), "times")),
        Nearest::NotAsked => "the test calls neither world.faults() nor world.fault() with it".to_owned(),
        Nearest::Spawned(1) => "only one task is spawned there".to_owned(),
        Nearest::Spawned(tasks) => format!("only {tasks} tasks are spawned there"),
        Nearest::Polled(polls) => format!("that task is polled {}", counted(u64::from(*polls), "times")),
        Nearest::SpawnedAt(places) => {
            let places: Vec<_> = places.iter().map(ToString::to_string).collect();
            format!("no task is spawned there on that host; the nearest places where one is: {}", places.join(", "))
        }
        Nearest::Nothing => "nothing similar happened".to_owned(),
        other => raw(other),
    };
    format!("{}: {nearest}", not_triggered(&idle.part))
}

fn waits(waiting: &Waiting) -> String {
    let Waiting { host: name, task: spawned, main, waits, since, deadline, timer, gave_up, used } = waiting;
    let who = match main {
        true if name.is_empty() => "the test itself".to_owned(),
        true => "the main task".to_owned(),
        false => task(spawned),
    };
    let what = match (waits.is_empty(), deadline, used) {
        (true, Some(_), _) => "for a timer".to_owned(),
        (true, None, None) => "for something that the simulation does not see".to_owned(),
        (true, None, Some((conn, state))) => {
            format!("for something that the simulation does not see, after it used {}", described(conn, *state))
        }
        (false, _, Some((conn, state))) => format!("{}, after it used {}", joined(waits), described(conn, *state)),
        _ => joined(waits),
    };
    if let Some(at) = gave_up {
        return format!(
            "{}: {who} waited {what}, from {} until it timed out at {}",
            host(name),
            clock(*since),
            clock(*at)
        );
    }
    let made = timer.as_ref().map(|place| format!(" (timer created at {place})")).unwrap_or_default();
    let deadline = deadline.map_or_else(|| "no deadline".to_owned(), |at| format!("deadline {}{made}", clock(at)));
    format!("{}: {who} waits {what}, since {}, {deadline}", host(name), clock(*since))
}

fn joined(waits: &[Wait]) -> String {
    waits.iter().map(wait).collect::<Vec<_>>().join(" or ")
}

fn wait(wait: &Wait) -> String {
    match wait {
        Wait::Read(conn, state) => format!("to read from {}", described(conn, *state)),
        Wait::Write(conn, state) => format!("to write to {}", described(conn, *state)),
        Wait::Connect(conn, state) => format!("to be connected {}", described(conn, *state)),
        Wait::Accept { port } => format!("for a connection on port {port}"),
        Wait::Receive(local) => format!("to receive on UDP {}", endpoint(local)),
        Wait::Unix { socket, what } => unix(&unix_socket(socket), *what),
        Wait::Signal => "for a signal".to_owned(),
        Wait::Join(joined) => format!("for {} to end", task(joined)),
        Wait::Shared(shared) => shared::wait(shared),
        Wait::Woken { at: Some(at) } => format!("to be woken by another thread, at {at}"),
        Wait::Woken { at: None } => "to be woken by another thread".to_owned(),
        Wait::Held => "because the plan holds it".to_owned(),
        other => raw(other),
    }
}

fn unix(socket: &str, what: UnixWait) -> String {
    match what {
        UnixWait::Accept => format!("for a connection on {socket}"),
        UnixWait::Read => format!("to read from {socket}"),
        UnixWait::Write => format!("to write to {socket} (the peer does not read)"),
        UnixWait::Receive => format!("to receive on {socket}"),
        UnixWait::Send => format!("to send by {socket} (a queue is full)"),
        UnixWait::ReadUnaccepted => format!("to read from {socket} (not accepted yet)"),
        UnixWait::WriteUnaccepted => format!("to write to {socket} (not accepted yet)"),
        _ => format!("for something on {socket}"),
    }
}

/// Formats a connection with its state: `notes:49152 -> exchange:5010 (half-open: exchange has lost power since)`.
fn described(conn: &Connection, state: ConnectionState) -> String {
    let peer = host(&conn.peer.host);
    let state = match state {
        ConnectionState::SynSent => "SYN sent, no answer".to_owned(),
        ConnectionState::Established => "established".to_owned(),
        ConnectionState::Unacknowledged => format!("established, {peer} has not acknowledged"),
        ConnectionState::PeerClosed => format!("{peer} has closed its side"),
        ConnectionState::HalfOpen => format!("half-open: {peer} has lost power since"),
        ConnectionState::Gone => "gone: reset or timed out".to_owned(),
        ConnectionState::Closed => "closed".to_owned(),
        other => raw(&other),
    };
    format!("{} ({state})", connection(conn))
}

fn stale_read(StaleRead { thread, place, was, newest }: &StaleRead) -> String {
    format!(
        "thread {thread} read an old value{}: {}, which thread {} stored{}; the newest was {}, which thread {} stored{}",
        at(place),
        step::value(was.value),
        was.thread,
        at(&was.place),
        step::value(newest.value),
        newest.thread,
        at(&newest.place)
    )
}
