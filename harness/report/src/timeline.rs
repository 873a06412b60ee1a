//! Shows a run as an aligned table: when, on which host, in which task, what happened.

use super::{
    Style, failure,
    paint::{BOLD, DIM, PLAIN, columns, ink, lines, padded, paint},
    sockets,
    threads::{are_operations, threads},
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind},
    plan::Plan,
    trace::Trace,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands for the test itself in the column of hosts; no host can have this name.
const TEST: &str = "(test)";

/// The hosts' colours, in the order in which they appear; after the last the first again.
const HOST_COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Blue, AnsiColor::BrightMagenta, AnsiColor::BrightGreen];

/// A whole trace: its test, its plan, what happened, the sockets that were left, and how it failed; it ends with a new line.
pub fn timeline(trace: &Trace, style: Style) -> String {
    let mut text = format!("{}\n", paint(&escaped(&trace.test), BOLD, style));
    for sentence in trace.plan.sentences() {
        for (nth, line) in lines(&sentence, 4, style).iter().enumerate() {
            text += &format!("{}{line}\n", if nth == 0 { "  " } else { "    " });
        }
    }
    let table = events(&trace.events, trace.left_out, style);
    let sockets = sockets(&trace.sockets, style);
    let gap = if sockets.is_empty() { "" } else { "\n" };
    format!("{text}\n{table}{gap}{sockets}\n{}", failure(&trace.failure, style))
}

/// The sentences of a plan, a line each; it ends with a new line.
pub fn plan(plan: &Plan) -> String {
    plan.sentences().iter().map(|sentence| format!("{}\n", escaped(sentence))).collect()
}

/// A table of events, or of a model's operations; `first` is the number of the first one in its run, counted from 0. It ends with a new line.
pub fn events(events: &[Event], first: usize, style: Style) -> String {
    if are_operations(events) {
        return threads(events, first, style);
    }
    let numbered = (0..).map(|nth| first.saturating_add(nth)).zip(events);
    let rows: Vec<[String; 4]> = numbered.map(|(nth, event)| cells(nth, event, style)).collect();
    let titles = ["#", "time", "host", "task"].map(str::to_string);
    let widths = [0, 1, 2, 3]
        .map(|nth| rows.iter().chain([&titles]).map(|cells| columns(&cells[nth])).max().unwrap_or_default());
    let hosts = host_inks(events);
    let mut text = row(&titles, "what", &widths, [DIM; 3], style);
    if first > 0 {
        text += &format!("{}\n", paint(&format!("({first} events before)"), DIM, style));
    }
    for (cells, event) in rows.iter().zip(events) {
        let inks = [DIM, hosts[event.host.as_str()], kind_ink(event.kind)];
        text += &row(cells, &what(event), &widths, inks, style);
    }
    text
}

/// Number, time, host and task of an event.
fn cells(nth: usize, event: &Event, style: Style) -> [String; 4] {
    let host = if event.host.is_empty() { TEST } else { &event.host };
    [nth.to_string(), time(event.at, style), host.to_string(), event.task.clone()]
        .map(|cell| escaped(cell.trim_end_matches(' ')))
}

/// One event: a line, and more below `what` where that is long. The inks: the small print, the host, `what`.
fn row(cells: &[String; 4], what: &str, widths: &[usize; 4], inks: [anstyle::Style; 3], style: Style) -> String {
    let [number, time, host, task] = cells;
    let [small, named, told] = inks;
    let number = format!("{}{number}", " ".repeat(widths[0].saturating_sub(columns(number))));
    let left = [(&number, small), (time, small), (host, named), (task, small)].into_iter().zip(widths);
    let left: String = left.map(|((cell, ink), width)| padded(cell, width + 2, ink, style)).collect();
    let indent = widths.iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for (nth, line) in lines(what, indent, style).iter().enumerate() {
        let left = if nth == 0 { left.clone() } else { " ".repeat(indent) };
        text += format!("{left}{}", paint(line, told, style)).trim_end_matches(' ');
        text += "\n";
    }
    text
}

/// The text of an event, and what the service said with it: `INFO calcon::link: waits epoch=7`.
fn what(event: &Event) -> String {
    let fields = event.fields.iter().map(|(name, value)| match value {
        Value::String(text) if reads_bare(text) => format!(" {name}={text}"),
        value => format!(" {name}={value}"),
    });
    std::iter::once(event.text.clone()).chain(fields).collect()
}

fn reads_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"=".contains(c))
}

/// `00:00:12.301`.
pub(super) fn clock(at: u64) -> String {
    time(at, Style::default())
}

/// `00:00:12.301`; exact: `00:00:12.301000123`.
fn time(at: u64, style: Style) -> String {
    let (seconds, nanos) = (at / 1_000_000_000, at % 1_000_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if style.exact { format!("{clock}.{nanos:09}") } else { format!("{clock}.{:03}", nanos / 1_000_000) }
}

fn host_inks(events: &[Event]) -> BTreeMap<&str, anstyle::Style> {
    let mut inks = BTreeMap::from([("", BOLD)]);
    for event in events {
        let next = ink(HOST_COLOURS[(inks.len() - 1) % HOST_COLOURS.len()]);
        inks.entry(event.host.as_str()).or_insert(next);
    }
    inks
}

fn kind_ink(kind: Kind) -> anstyle::Style {
    match kind {
        Kind::Fault => ink(AnsiColor::Yellow).bold(),
        Kind::Reset => ink(AnsiColor::Red),
        Kind::Hold => ink(AnsiColor::Magenta),
        Kind::Test => BOLD,
        Kind::Says | Kind::Step => PLAIN,
        Kind::Start | Kind::End | Kind::Listen | Kind::Connect | Kind::Accept => DIM,
        Kind::Write | Kind::Read | Kind::Close => DIM,
    }
}
