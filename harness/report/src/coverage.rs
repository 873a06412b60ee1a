//! Formats the coverage of an exploration: which faults met connections in which states, and which combinations never
//! occurred.

use super::{
    Style,
    paint::{DIM, PLAIN, columns, ink, padded, paint},
    words::grouped,
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    protocol::{Coverage, Fired},
    socket::STATES,
};
use std::collections::BTreeMap;

/// Wide enough for numbers below a thousand million.
const COUNT_WIDTH: usize = 11;
/// Wide enough for most state names, and for numbers below ten million.
const STATE_WIDTH: usize = 9;
const YELLOW: anstyle::Style = ink(AnsiColor::Yellow);

/// Formats what was covered and what never was, as a table; empty if there is nothing to report. Every kind of fault
/// has a row: how many were planned and started, and how often it met a connection in each state.
pub fn coverage(coverage: &Coverage, style: Style) -> String {
    let names = coverage.faults.keys().chain(coverage.sometimes.keys()).chain(coverage.counts.keys());
    let width = names.map(|name| columns(&escaped(name))).max().unwrap_or(0).max("sometimes".len());
    let mut text = String::new();
    let mut row = |name: &str, numbers: &str, never: Option<&str>, ink| {
        let never = never.map(|never| format!("  {}", paint(never, YELLOW, style)));
        let name = padded(&escaped(name), width, ink, style);
        text += &format!("{name}{}{}\n", paint(numbers, ink, style), never.unwrap_or_default());
    };
    let never = coverage.faults.values().any(|fired| fired.began == 0);
    let counts_width = 2 * COUNT_WIDTH + if never { "  never began".len() } else { 0 };
    let room = style.width.map(|columns| columns.saturating_sub(width));
    for (nth, states) in blocks(room, counts_width).into_iter().enumerate() {
        if coverage.faults.is_empty() {
            break;
        }
        let counts = |cells: [&str; 2]| match nth {
            0 => cells.map(|cell| format!("{cell:>COUNT_WIDTH$}")).concat(),
            _ => String::new(),
        };
        let titles: String = states.iter().map(|state| format!("  {state:>STATE_WIDTH$}")).collect();
        row("fault", &(counts(["planned", "began"]) + &titles), None, DIM);
        for (kind, fired) in &coverage.faults {
            let cells: String = states.iter().map(|state| cell(fired, state)).collect();
            let numbers = counts([&grouped(fired.planned), &grouped(fired.began)]) + &cells;
            row(kind, &numbers, (nth == 0 && fired.began == 0).then_some("never began"), PLAIN);
        }
    }
    if !coverage.sometimes.is_empty() {
        row("sometimes", &format!("{:>COUNT_WIDTH$}", "runs"), None, DIM);
    }
    for (property, &runs) in &coverage.sometimes {
        row(property, &format!("{:>COUNT_WIDTH$}", grouped(runs)), (runs == 0).then_some("never reached"), PLAIN);
    }
    if !coverage.counts.is_empty() {
        row("counted", &format!("{:>COUNT_WIDTH$}", "runs"), None, DIM);
    }
    for (what, &runs) in &coverage.counts {
        row(what, &format!("{:>COUNT_WIDTH$}", grouped(runs)), None, PLAIN);
    }
    text += &never_met(coverage, style);
    if coverage.polls > 0 {
        text += &format!("{} of {} polls held back\n", grouped(coverage.holds), grouped(coverage.polls));
    }
    text
}

/// Splits the states into as many tables as fit beside the names of the faults; the first one has the counts, too.
fn blocks(room: Option<usize>, counts_width: usize) -> Vec<Vec<&'static str>> {
    let mut blocks = vec![vec![]];
    let mut left = room.map(|room| room.saturating_sub(counts_width));
    for state in STATES {
        let columns = 2 + state.len().max(STATE_WIDTH);
        if left.is_some_and(|left| left < columns) && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(vec![]);
            left = room;
        }
        blocks.last_mut().expect("there is one").push(state);
        left = left.map(|left| left.saturating_sub(columns));
    }
    blocks
}

/// Formats how often a fault met a state; `-` for never.
fn cell(fired: &Fired, state: &str) -> String {
    let times = fired.met.get(state).map_or("-".into(), |times| grouped(*times));
    format!("  {times:>0$}", state.len().max(STATE_WIDTH))
}

/// Formats the cells that were never hit: `LAST-ACK never met by any fault`, `SYN-RECV never met by cut, reset`.
fn never_met(coverage: &Coverage, style: Style) -> String {
    let began: Vec<_> = coverage.faults.iter().filter(|(_, fired)| fired.began > 0).collect();
    let mut lines = BTreeMap::<usize, String>::new();
    for (nth, state) in STATES.iter().enumerate() {
        let without = began.iter().filter(|(_, fired)| !fired.met.contains_key(*state));
        let without: Vec<String> = without.map(|(kind, _)| escaped(kind)).collect();
        match without.len() {
            0 => {}
            // All states that no fault met are on one line, the last one.
            all if all == began.len() => {
                let states = lines.entry(STATES.len()).or_default();
                *states += &format!("{}{state}", if states.is_empty() { "" } else { ", " });
            }
            _ => drop(lines.insert(nth, format!("{state} never met by {}", without.join(", ")))),
        }
    }
    lines.entry(STATES.len()).and_modify(|states| *states += " never met by any fault");
    lines.values().map(|line| format!("{}\n", paint(line, YELLOW, style))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_names_what_was_never_hit() {
        let reached = Coverage {
            faults: [("cut", 1_200, 1_100), ("kill", 5, 5), ("reset", 3, 0)]
                .map(|(name, planned, began)| {
                    let met = if began > 5 { vec![("none", 2), ("ESTAB", 1_098)] } else { vec![("ESTAB", began)] };
                    let met = met.into_iter().filter(|(_, times)| *times > 0);
                    let met = met.map(|(state, times)| (state.to_owned(), times)).collect();
                    (name.into(), Fired { planned, began, met })
                })
                .into(),
            sometimes: [("link re-established".into(), 40), ("session reaped".into(), 0)].into(),
            holds: 7,
            polls: 12_000,
            ..Coverage::default()
        };
        let expected = "\
fault                  planned      began       none   SYN-SENT   SYN-RECV      ESTAB  FIN-WAIT-1  FIN-WAIT-2  CLOSE-WAIT   LAST-ACK
cut                      1,200      1,100          2          -          -      1,098           -           -           -          -
kill                         5          5          -          -          -          5           -           -           -          -
reset                        3          0          -          -          -          -           -           -           -          -  never began
sometimes                 runs
link re-established         40
session reaped               0  never reached
none never met by kill
SYN-SENT, SYN-RECV, FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, LAST-ACK never met by any fault
7 of 12,000 polls held back
";
        assert_eq!(coverage(&reached, Style::default()), expected);
        let narrow = coverage(&reached, Style { width: Some(80), ..Style::default() });
        let expected = "\
fault                  planned      began       none   SYN-SENT
cut                      1,200      1,100          2          -
kill                         5          5          -          -
reset                        3          0          -          -  never began
fault                 SYN-RECV      ESTAB  FIN-WAIT-1  FIN-WAIT-2  CLOSE-WAIT
cut                          -      1,098           -           -           -
kill                         -          5           -           -           -
reset                        -          -           -           -           -
fault                 LAST-ACK
cut                          -
kill                         -
reset                        -
sometimes                 runs
";
        assert!(narrow.starts_with(expected), "{narrow}");
        assert_eq!(coverage(&Coverage::default(), Style::default()), "");
    }
}
