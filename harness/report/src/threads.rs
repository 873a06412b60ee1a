//! Shows an execution of a model as a table with a column a thread: who did what, and where.

use super::{
    Style,
    paint::{DIM, PLAIN, columns, ink, padded, paint},
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind},
};
use std::collections::BTreeMap;

/// The threads' colours, by number; after the last the first again.
const COLOURS: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Green, AnsiColor::Blue, AnsiColor::BrightMagenta, AnsiColor::BrightGreen];
/// Between two columns.
const GAP: usize = 2;

/// Whether these are operations of threads.
pub(super) fn are_operations(events: &[Event]) -> bool {
    events.iter().any(|event| event.kind == Kind::Step)
}

/// A table of operations; `first` is the number of the first one in its execution, counted from 0.
pub(super) fn threads(events: &[Event], first: usize, style: Style) -> String {
    let number_width = first.saturating_add(events.len()).to_string().len().max(1);
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for event in events {
        let width = if event.kind == Kind::Step { columns(&escaped(&event.text)) } else { 0 };
        let column = widths.entry(thread(event)).or_insert_with(|| title(thread(event)).len());
        *column = width.max(*column);
    }
    let titles: String =
        widths.iter().map(|(thread, width)| padded(&title(*thread), width + GAP, DIM, style)).collect();
    let mut text = format!("{}{titles}{}\n", padded("#", number_width + GAP, DIM, style), paint("place", DIM, style));
    if first > 0 {
        text += &format!("{}\n", paint(&format!("({first} operations before)"), DIM, style));
    }
    for (nth, event) in (0..).map(|nth| first.saturating_add(nth)).zip(events) {
        text += format!("{}{}", paint(&format!("{nth:>number_width$}"), DIM, style), " ".repeat(GAP)).as_str();
        text += row(event, &widths, style).trim_end_matches(' ');
        text += "\n";
    }
    text
}

fn row(event: &Event, widths: &BTreeMap<usize, usize>, style: Style) -> String {
    // What a panic says may have many lines; the failure below shows them all.
    let (own, what) = (thread(event), escaped(event.text.lines().next().unwrap_or_default()));
    let colour = if event.kind == Kind::Step { ink(COLOURS[own % COLOURS.len()]) } else { ink(AnsiColor::Red) };
    if event.kind != Kind::Step {
        return paint(&what, colour, style);
    }
    let cells = widths.iter().map(|(thread, width)| {
        let (text, ink) = if *thread == own { (what.as_str(), colour) } else { ("", PLAIN) };
        padded(text, width + GAP, ink, style)
    });
    format!("{}{}", cells.collect::<String>(), paint(&escaped(&event.place), DIM, style))
}

fn thread(event: &Event) -> usize {
    event.task.parse().unwrap_or(0)
}

fn title(thread: usize) -> String {
    format!("thread {thread}")
}
