//! Formats an execution of a model as a table with one column per thread.

use super::{
    Style,
    paint::{DIM, PLAIN, columns, ink, padded, paint},
    step::operation,
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind, Step},
};
use std::collections::BTreeMap;

/// The threads' colours by number, repeated cyclically.
const COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Blue, AnsiColor::BrightMagenta, AnsiColor::BrightGreen];
/// The space between two columns.
const GAP: usize = 2;

/// Returns whether these are operations of threads.
pub(super) fn are_operations(events: &[(usize, &Event)]) -> bool {
    events.iter().any(|(_, event)| step(event).is_some())
}

/// Formats a table of numbered operations, before which so many were left out of the trace.
pub(super) fn threads(events: &[(usize, &Event)], first: usize, style: Style) -> String {
    let number_width = events.last().map_or(1, |(last, _)| last.saturating_add(1).to_string().len());
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, event) in events {
        let Some(step) = step(event) else { continue };
        let column = widths.entry(step.thread).or_insert_with(|| title(step.thread).len());
        *column = columns(&operation(&step.does)).max(*column);
    }
    let titles: String =
        widths.iter().map(|(thread, width)| padded(&title(*thread), width + GAP, DIM, style)).collect();
    let mut text = format!("{}{titles}{}\n", padded("#", number_width + GAP, DIM, style), paint("place", DIM, style));
    if first > 0 {
        text += &format!("{}\n", paint(&format!("({first} operations before)"), DIM, style));
    }
    for (nth, event) in events {
        text += format!("{}{}", paint(&format!("{nth:>number_width$}"), DIM, style), " ".repeat(GAP)).as_str();
        text += row(event, &widths, style).trim_end_matches(' ');
        text += "\n";
    }
    text
}

fn row(event: &Event, widths: &BTreeMap<usize, usize>, style: Style) -> String {
    let Some(step) = step(event) else {
        return paint(escaped(&super::event(event)).trim_end_matches(' '), ink(AnsiColor::Red), style);
    };
    let (what, colour) = (operation(&step.does), ink(COLOURS[step.thread % COLOURS.len()]));
    let cells = widths.iter().map(|(thread, width)| {
        let (text, ink) = if *thread == step.thread { (what.as_str(), colour) } else { ("", PLAIN) };
        padded(text, width + GAP, ink, style)
    });
    let place = step.place.as_ref().map(|place| escaped(&place.to_string())).unwrap_or_default();
    format!("{}{}", cells.collect::<String>(), paint(&place, DIM, style))
}

fn step(event: &Event) -> Option<&Step> {
    match &event.kind {
        Kind::Step(step) => Some(step),
        _ => None,
    }
}

fn title(thread: usize) -> String {
    format!("thread {thread}")
}
