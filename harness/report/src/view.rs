//! A run as data that is ready to be shown: lanes, rows, messages between lanes, and periods of faults. Every form of a run except the
//! table on a terminal is made from it.

mod curve;
mod filter;
mod histories;
mod lanes;
mod mermaid;
mod messages;
mod page;
mod pcapng;
mod perfetto;

use super::{Shown, Style, event as sentence, failure, headline};
use histories::{History, histories};
use lanes::{Lane, Lanes};
use messages::{Message, messages};
use refrain_core::{
    escape::escaped,
    event::{Connection, Event, Kind, Level},
    socket::Socket,
    verdict::Failure,
};
use serde::Serialize;

pub(super) use curve::{Curve, Point};
pub use filter::Filter;
pub use mermaid::mermaid;
pub use page::page;
pub use pcapng::pcapng;
pub use perfetto::perfetto;

/// The format of the data, of which the number grows whenever a reader of an older one would misunderstand it.
const FORMAT: &str = "refrain-show/1";

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct View<'a> {
    /// [`FORMAT`].
    format: &'static str,
    /// The test's name.
    test: String,
    /// The package that contains the test.
    package: String,
    /// The sentences of the plan.
    plan: Vec<String>,
    /// How it failed; `None` if it passed.
    failure: Option<ShownFailure<'a>>,
    /// The digest of all events, as 16 hexadecimal digits.
    digest: &'a str,
    /// Number of events before the first one that was saved.
    left_out: usize,
    /// The hosts, or the threads of a model.
    lanes: Vec<Lane>,
    /// The events that the filter lets through, in order.
    events: Vec<Row<'a>>,
    /// What was sent from one event to another, both of which are among the events.
    messages: Vec<Message>,
    /// The periods during which a fault lasted.
    faults: Vec<Period>,
    /// Every socket at the verdict.
    sockets: &'a [Socket],
    /// What clients asked of objects, if the test recorded it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    histories: Vec<History>,
    /// When it became inevitable, if that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<Curve>,
}

/// A failure.
#[derive(Debug, Clone, Serialize)]
struct ShownFailure<'a> {
    /// Its first line: `stall: ...`.
    headline: String,
    /// All its lines, as a replay prints them.
    text: String,
    /// The failure as data, as in the header of a trace.
    data: &'a Failure,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
struct Row<'a> {
    /// Its number in the run, from 0.
    n: usize,
    /// Virtual time since the start of the run, in nanoseconds.
    at: u64,
    /// The index of its lane.
    lane: usize,
    /// The task that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// What sort of event it is.
    group: Group,
    /// The connection that it belongs to, the same text at both ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// Where in the source, for an operation of a model's thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// What happened, as a sentence.
    text: String,
    /// What happened, as in a trace.
    data: &'a Kind,
}

/// A sort of events, which have one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Group {
    Process,
    Task,
    Network,
    NetworkError,
    Fault,
    Hold,
    Wait,
    Log,
    LogWarning,
    LogError,
    Test,
    Operation,
    Verdict,
}

/// A period of the run.
#[derive(Debug, Clone, Serialize)]
struct Period {
    /// The fault.
    text: String,
    /// The event with which it begins.
    from: usize,
    /// The event with which it ends; `None` if it lasts until the end of the run.
    to: Option<usize>,
}

/// The result of a run that has no failure.
pub(super) const PASSED: &str = "passed: every property held";

impl<'a> View<'a> {
    /// Returns its result in one line.
    fn headline(&self) -> &str {
        self.failure.as_ref().map_or(PASSED, |failure| &failure.headline)
    }

    /// Returns the numbers of the events, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.events.iter().map(|row| row.n)
    }

    /// Makes the view of a run, with the events that the filter lets through.
    pub fn new(run: impl Into<Shown<'a>>, filter: &Filter) -> View<'a> {
        let run = run.into();
        let lanes = Lanes::of(run.events);
        let first = run.left_out;
        let all = (first..).zip(run.events).map(|(n, event)| row(n, event, &lanes)).collect();
        let events = filter.choose(all, &lanes);
        let is_shown = |n: usize| events.binary_search_by_key(&n, |row| row.n).is_ok();
        let mut messages = messages(run.events, first, &lanes);
        messages.retain(|message| is_shown(message.from) && message.to.is_none_or(is_shown));
        View {
            format: FORMAT,
            test: escaped(run.test),
            package: escaped(run.package),
            plan: run.plan.sentences().iter().map(|sentence| escaped(sentence)).collect(),
            failure: run.failure.map(|data| ShownFailure {
                headline: headline(data, Style::default()),
                text: failure(data, Style::default()),
                data,
            }),
            digest: run.digest,
            left_out: first,
            faults: faults(run.events, first),
            lanes: lanes.into_vec(),
            events,
            messages,
            sockets: run.sockets,
            histories: histories(run.events, first, run.failure),
            curve: None,
        }
    }

    /// Shows when the failure became inevitable, too.
    pub(super) fn with_curve(self, curve: Curve) -> View<'a> {
        View { curve: Some(curve), ..self }
    }
}

/// Formats a view as one JSON object on one line, in printable ASCII: on a terminal nothing of it acts.
pub fn json(view: &View<'_>) -> String {
    ascii(&serde_json::to_string(view).expect("its keys are strings")) + "\n"
}

/// Escapes whatever is not printable ASCII. In JSON such characters are in strings only.
pub(super) fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' => text.push(c),
            _ => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    text
}

fn row<'a>(n: usize, event: &'a Event, lanes: &Lanes) -> Row<'a> {
    let place = match &event.kind {
        Kind::Step(step) => step.place.as_ref().map(|place| escaped(&place.to_string())),
        _ => None,
    };
    Row {
        n,
        at: event.at,
        lane: lanes.of_event(event),
        task: event.task.as_ref().map(|task| escaped(&task.to_string())),
        group: group(&event.kind),
        connection: connection(&event.kind),
        place,
        text: escaped(&sentence::event(event)),
        data: &event.kind,
    }
}

fn group(kind: &Kind) -> Group {
    use refrain_core::event::Tcp;
    match kind {
        Kind::Start | Kind::End(_) | Kind::NotRestarted => Group::Process,
        Kind::Spawn(_) => Group::Task,
        Kind::Tcp { what: Tcp::Error(_) | Tcp::Refused | Tcp::Reset | Tcp::TimedOut, .. }
        | Kind::NotAccepted
        | Kind::NotResolved { .. } => Group::NetworkError,
        Kind::FaultBegins(_) | Kind::FaultEnds(_) | Kind::Heal | Kind::Signal { .. } => Group::Fault,
        Kind::Hold(_) => Group::Hold,
        Kind::Blocks(_) | Kind::Unblocks(_) => Group::Wait,
        Kind::Log(log) => match log.level {
            Level::Error => Group::LogError,
            Level::Warn => Group::LogWarning,
            _ => Group::Log,
        },
        Kind::Resolve { .. }
        | Kind::Holds { .. }
        | Kind::Saw { .. }
        | Kind::Called { .. }
        | Kind::Answered { .. }
        | Kind::Ordered(_)
        | Kind::NotCalled { .. }
        | Kind::PanicAllowed { .. } => Group::Test,
        Kind::Step(_) => Group::Operation,
        Kind::Verdict => Group::Verdict,
        _ => Group::Network,
    }
}

/// Names a connection alike at both of its ends: `exchange:5010 <-> notes:49152`.
fn connection(kind: &Kind) -> Option<String> {
    let name = |endpoint| super::words::endpoint(endpoint);
    match kind {
        Kind::Tcp { conn: Connection { local, peer }, .. } => {
            let (a, b) = if local <= peer { (local, peer) } else { (peer, local) };
            Some(escaped(&format!("{} <-> {}", name(a), name(b))))
        }
        Kind::Udp { local, .. } => Some(escaped(&name(local))),
        Kind::Unix { socket, .. } => Some(escaped(&super::words::unix_socket(socket))),
        _ => None,
    }
}

/// Returns when each fault began and ended. A fault that ends belongs to the earliest equal one that has not ended.
fn faults(events: &[Event], first: usize) -> Vec<Period> {
    let mut periods: Vec<(Period, &refrain_core::plan::Fault)> = Vec::new();
    for (n, event) in (first..).zip(events) {
        match &event.kind {
            Kind::FaultBegins(fault) => {
                periods.push((Period { text: escaped(&fault.kind.to_string()), from: n, to: None }, fault));
            }
            Kind::FaultEnds(fault) => {
                if let Some((period, _)) = periods.iter_mut().find(|(period, of)| period.to.is_none() && *of == fault) {
                    period.to = Some(n);
                }
            }
            _ => {}
        }
    }
    periods.into_iter().map(|(period, _)| period).collect()
}

#[cfg(test)]
mod tests;
