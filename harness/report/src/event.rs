//! Formats what happened in an event, without its time, host and task.

use super::{
    shared,
    step::operation,
    words::{bytes, connection, counted, endpoint, raw, unix_socket},
};
use refrain_core::{
    event::{Connection, End, Event, Kind, Level, Log, Ordered, Span, Stuck, Tcp, Udp, Unix, UnixSocket},
    plan::Hold,
};
use serde_json::Value;

/// Formats an event: `writes 18 bytes on notes:49152 -> exchange:5010`, `INFO calcon::link: waits epoch=7`.
pub fn event(event: &Event) -> String {
    kind(&event.kind)
}

pub(super) fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Start => "starts".to_owned(),
        Kind::End(End::Returned) => "exits".to_owned(),
        Kind::End(End::Failed(error)) => format!("exits with an error: {error}"),
        Kind::End(End::Killed) => "is killed".to_owned(),
        Kind::End(End::Signalled(number)) => format!("is killed by {}", signal(*number)),
        Kind::End(End::Restarted) => "is restarted".to_owned(),
        Kind::NotRestarted => "cannot be restarted: it has no power".to_owned(),
        Kind::Spawn(task) => format!("spawns {task}"),
        Kind::Listen { port } => format!("listens on port {port}"),
        Kind::NotAccepted => "cannot accept: too many open files (EMFILE)".to_owned(),
        Kind::NotResolved { name } => format!("cannot resolve {name}"),
        Kind::Tcp { conn, what } => tcp(conn, *what),
        Kind::Udp { local, what: Udp::Open } => format!("opens UDP port {}", local.port),
        Kind::Udp { local, what: Udp::Close } => format!("closes UDP port {}", local.port),
        Kind::Udp { local, what: Udp::Send { to, bytes: count } } => {
            format!("sends {} by UDP {} -> {}", bytes(*count), endpoint(local), endpoint(to))
        }
        Kind::Udp { local, what: Udp::Receive { from, bytes: count } } => {
            format!("receives {} by UDP {} <- {}", bytes(*count), endpoint(local), endpoint(from))
        }
        Kind::Unix { socket, what } => unix(socket, what),
        Kind::FaultBegins(fault) => fault.kind.to_string(),
        Kind::FaultEnds(fault) => format!("over: {}", fault.kind),
        Kind::Heal => "everything is healed".to_owned(),
        Kind::Signal { number } => format!("is sent {}", signal(*number)),
        Kind::Hold(Hold { poll, until, .. }) => format!("is held at poll {poll} {until}"),
        Kind::Blocks(wait) => format!("waits {}", shared::wait(wait)),
        Kind::Unblocks(wait) => format!("no longer waits for {}", shared::thing(wait)),
        Kind::Log(said) => log(said),
        Kind::Resolve { name, hosts } if hosts.is_empty() => format!("{name} resolves to nothing"),
        Kind::Resolve { name, hosts } => format!("{name} resolves to {}", hosts.join(", ")),
        Kind::Holds { property } => format!("`{property}` holds"),
        Kind::Saw { value } => format!("saw {value}"),
        Kind::Called { history, number, client, call } => {
            format!("{client} asks {history}: {call} (operation {number})")
        }
        Kind::Answered { history, number, answer } => format!("{history} answers operation {number}: {answer}"),
        Kind::Ordered(ordered) => order(ordered),
        Kind::NotCalled { history, call } => {
            format!("does not ask {history}: {call}, whose precondition does not hold")
        }
        Kind::PanicAllowed { place, message } => {
            let at = place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            format!("a task panics{at}, as the test allows: {message}")
        }
        Kind::Step(step) => operation(&step.does),
        Kind::Verdict => "the run fails".to_owned(),
        other => raw(other),
    }
}

fn order(Ordered { history, key, operations, order, stuck, .. }: &Ordered) -> String {
    let of = key.as_ref().map_or_else(|| history.clone(), |key| format!("key {key} of {history}"));
    if stuck.is_empty() {
        return format!("an order explains all {} of {of}", counted(operations.len() as u64, "operations"));
    }
    let next = |Stuck { number, would_answer }: &Stuck| format!("operation {number} would be answered {would_answer}");
    let next: Vec<String> = stuck.iter().map(next).collect();
    let all = counted(operations.len() as u64, "operations");
    format!("the longest order explains {} of {all} of {of}, and then {}", order.len(), next.join(", "))
}

fn tcp(conn: &Connection, what: Tcp) -> String {
    let both = connection(conn);
    match what {
        Tcp::Connect => format!("connects {both}"),
        Tcp::ConnectNowhere => format!("connects to {}, which no host has", endpoint(&conn.peer)),
        Tcp::Connected => format!("is connected {both}"),
        Tcp::Accept => format!("accepts {both}"),
        Tcp::Write(count) => format!("writes {} on {both}", bytes(count)),
        Tcp::Read(count) => format!("reads {} on {both}", bytes(count)),
        Tcp::ReadEnd => format!("reads the end of {both}"),
        Tcp::Shutdown => format!("shuts down its side of {both}"),
        Tcp::Close => format!("closes {both}"),
        Tcp::Error(number) => format!("gets {} on {both}", errno(number)),
        Tcp::Refused => format!("{both} is refused"),
        Tcp::Reset => format!("{both} is reset"),
        Tcp::TimedOut => format!("{both} times out"),
        other => format!("{} on {both}", raw(&other)),
    }
}

fn unix(socket: &UnixSocket, what: &Unix) -> String {
    let named = unix_socket(socket);
    match what {
        Unix::Listen => format!("listens on {named}"),
        Unix::Open => format!("opens {named}"),
        Unix::Pair => format!("makes {named}"),
        Unix::Connect => format!("connects {named}"),
        Unix::Accept => format!("accepts {named}"),
        Unix::Write(count) => format!("writes {} on {named}", bytes(*count)),
        Unix::Read(count) => format!("reads {} on {named}", bytes(*count)),
        Unix::ReadEnd => format!("reads the end of {named}"),
        Unix::Shutdown => format!("shuts down its side of {named}"),
        Unix::Close => format!("closes {named}"),
        Unix::Error(number) => format!("gets {} on {named}", errno(*number)),
        Unix::Send { to, bytes: count } => format!("sends {} by {named} to {}", bytes(*count), unix_socket(to)),
        Unix::Receive { from, bytes: count } => {
            format!("receives {} on {named} from {}", bytes(*count), unix_socket(from))
        }
        Unix::Remove => format!("removes the path of {named}"),
        _ => named,
    }
}

/// Names an errno that the simulated network reports.
fn errno(number: i32) -> String {
    let name = match number {
        2 => "ENOENT (no such file)",
        11 => "EAGAIN (the queue is full)",
        20 => "ENOTDIR (not a directory)",
        22 => "EINVAL (invalid argument)",
        24 => "EMFILE (too many open files)",
        1 => "EPERM (not permitted)",
        32 => "EPIPE (broken pipe)",
        90 => "EMSGSIZE (message too long)",
        91 => "EPROTOTYPE (socket of another type)",
        98 => "EADDRINUSE (address in use)",
        104 => "ECONNRESET (connection reset)",
        107 => "ENOTCONN (not connected)",
        110 => "ETIMEDOUT (timed out)",
        111 => "ECONNREFUSED (connection refused)",
        113 => "EHOSTUNREACH (host unreachable)",
        _ => return format!("error {number}"),
    };
    name.to_owned()
}

fn signal(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        12 => "SIGUSR2",
        15 => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

/// Formats a log event: `INFO session{id=7}: calcon::link: waits epoch=7`.
fn log(Log { level, target, message, fields, spans }: &Log) -> String {
    let level = match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN",
        Level::Info => "INFO",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    };
    let spans: String = spans.iter().map(span).collect();
    let fields: String = fields.iter().map(|field| format!(" {}", self::field(field))).collect();
    format!("{level} {spans}{target}: {message}{fields}")
}

/// Formats a span: `session{id=7}: `.
fn span(Span { name, fields }: &Span) -> String {
    let fields = fields.iter().map(field).collect::<Vec<_>>().join(" ");
    let fields = if fields.is_empty() { fields } else { format!("{{{fields}}}") };
    format!("{name}{fields}: ")
}

fn field((name, value): (&String, &Value)) -> String {
    match value {
        Value::String(text) if reads_bare(text) => format!("{name}={text}"),
        value => format!("{name}={value}"),
    }
}

fn reads_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"=".contains(c))
}
