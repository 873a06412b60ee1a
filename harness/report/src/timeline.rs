//! Formats a run as an aligned table: when, on which host, in which task, what happened.

use super::{
    Filter, Shown, Style, View, event, failure,
    paint::{BOLD, DIM, PLAIN, columns, ink, lines, padded, paint},
    sockets,
    threads::{are_operations, threads},
    view::PASSED,
    words,
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind, Tcp},
    plan::Plan,
};
use std::collections::BTreeMap;

/// The hosts' colours in order of appearance, repeated cyclically.
const HOST_COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Blue, AnsiColor::BrightMagenta, AnsiColor::BrightGreen];

/// Formats a whole run: its test, plan, the events that the filter lets through, remaining sockets and result. Ends with a newline.
pub fn timeline<'a>(run: impl Into<Shown<'a>>, filter: &Filter, style: Style) -> String {
    let run = run.into();
    let mut text = format!("{}\n", paint(&escaped(run.test), BOLD, style));
    for sentence in run.plan.sentences() {
        for (nth, line) in lines(&sentence, 4, style).iter().enumerate() {
            text += &format!("{}{line}\n", if nth == 0 { "  " } else { "    " });
        }
    }
    let first = run.left_out;
    let chosen: Vec<_> = match filter == &Filter::default() {
        true => numbered(run.events, first).collect(),
        false => View::new(run, filter).numbers().map(|n| (n, &run.events[n - first])).collect(),
    };
    let table = table(&chosen, first, style);
    let sockets = sockets(run.sockets, style);
    let gap = if sockets.is_empty() { "" } else { "\n" };
    let result = run.failure.map_or_else(|| format!("{PASSED}\n"), |of| failure(of, style));
    format!("{text}\n{table}{gap}{sockets}\n{result}")
}

/// Formats the sentences of a plan, one per line. Ends with a newline.
pub fn plan(plan: &Plan) -> String {
    plan.sentences().iter().map(|sentence| format!("{}\n", escaped(sentence))).collect()
}

/// Formats a table of events, or of a model's operations; `first` is the number of the first one in its run, counted
/// from 0. Ends with a newline.
pub fn events(events: &[Event], first: usize, style: Style) -> String {
    table(&numbered(events, first).collect::<Vec<_>>(), first, style)
}

fn numbered(events: &[Event], first: usize) -> impl Iterator<Item = (usize, &Event)> {
    (0..).map(move |nth| first.saturating_add(nth)).zip(events)
}

/// Formats numbered events, before which so many were left out of the trace.
fn table(events: &[(usize, &Event)], first: usize, style: Style) -> String {
    if are_operations(events) {
        return threads(events, first, style);
    }
    let rows: Vec<[String; 4]> = events.iter().map(|(nth, event)| cells(*nth, event, style)).collect();
    let titles = ["#", "time", "host", "task"].map(str::to_string);
    let widths = [0, 1, 2, 3]
        .map(|nth| rows.iter().chain([&titles]).map(|cells| columns(&cells[nth])).max().unwrap_or_default());
    let hosts = host_inks(events);
    let mut text = row(&titles, "what", &widths, [DIM; 3], style);
    if first > 0 {
        text += &format!("{}\n", paint(&format!("({first} events before)"), DIM, style));
    }
    for (cells, (_, event)) in rows.iter().zip(events) {
        let inks = [DIM, hosts[event.host.as_str()], kind_ink(&event.kind)];
        text += &row(cells, &event::event(event), &widths, inks, style);
    }
    text
}

/// Returns number, time, host and task of an event.
fn cells(nth: usize, event: &Event, style: Style) -> [String; 4] {
    let task = event.task.as_ref().map(ToString::to_string).unwrap_or_default();
    [nth.to_string(), time(event.at, style), words::host(&event.host).to_owned(), task]
        .map(|cell| escaped(cell.trim_end_matches(' ')))
}

/// Formats an event, on several lines if `what` is long. The inks are for the secondary columns, the host, and `what`.
fn row(cells: &[String; 4], what: &str, widths: &[usize; 4], inks: [anstyle::Style; 3], style: Style) -> String {
    let [number, time, host, task] = cells;
    let [dim, host_ink, text_ink] = inks;
    let number = format!("{}{number}", " ".repeat(widths[0].saturating_sub(columns(number))));
    let left = [(&number, dim), (time, dim), (host, host_ink), (task, dim)].into_iter().zip(widths);
    let left: String = left.map(|((cell, ink), width)| padded(cell, width + 2, ink, style)).collect();
    let indent = widths.iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for (nth, line) in lines(what, indent, style).iter().enumerate() {
        let left = if nth == 0 { left.clone() } else { " ".repeat(indent) };
        text += format!("{left}{}", paint(line, text_ink, style)).trim_end_matches(' ');
        text += "\n";
    }
    text
}

fn time(at: u64, style: Style) -> String {
    if style.exact { words::exact_clock(at) } else { words::clock(at) }
}

fn host_inks<'a>(events: &[(usize, &'a Event)]) -> BTreeMap<&'a str, anstyle::Style> {
    let mut inks = BTreeMap::from([("", BOLD)]);
    for (_, event) in events {
        let next = ink(HOST_COLOURS[(inks.len() - 1) % HOST_COLOURS.len()]);
        inks.entry(event.host.as_str()).or_insert(next);
    }
    inks
}

fn kind_ink(kind: &Kind) -> anstyle::Style {
    match kind {
        Kind::FaultBegins(_) | Kind::FaultEnds(_) | Kind::Heal | Kind::Signal { .. } => ink(AnsiColor::Yellow).bold(),
        Kind::Tcp { what: Tcp::Error(_) | Tcp::Refused | Tcp::Reset | Tcp::TimedOut, .. } => ink(AnsiColor::Red),
        Kind::Hold(_) => ink(AnsiColor::Magenta),
        Kind::Resolve { .. } | Kind::Holds { .. } | Kind::Saw { .. } | Kind::PanicAllowed { .. } | Kind::Verdict => {
            BOLD
        }
        Kind::Log(_) | Kind::Step(_) => PLAIN,
        _ => DIM,
    }
}
