//! Says what an exploration caught and covered: `cargo refrain explore` and `cargo test` print the same.

use super::{
    Style, failure,
    paint::{DIM, PLAIN, columns, escaped, ink, padded, paint},
    plan_summary,
};
use crate::{
    protocol::{Caught, Coverage, Exploration, Fired, Searched},
    socket::STATES,
    verdict::Class,
};
use anstyle::AnsiColor;
use std::{collections::BTreeMap, path::Path};

/// As wide as `caught as expected stall`, so that the results of several tests stand in a column.
const RESULT_WIDTH: usize = 24;
/// As wide as nearly a thousand million.
const COUNT_WIDTH: usize = 11;
/// As wide as most names of states, and nearly ten millions.
const STATE_WIDTH: usize = 9;
const YELLOW: anstyle::Style = ink(AnsiColor::Yellow);

/// How an exploration stands against what its test expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing<'a> {
    /// Nothing was caught, and nothing was expected to be.
    Passed,
    /// The canary was caught, as it must be.
    CaughtAsExpected(&'a Caught),
    /// Something was caught that was not expected.
    Failed(&'a Caught),
    /// The canary was not caught: the harness has become blind to this class.
    NotCaught(Class),
}

/// How an exploration stands against what its test expects.
pub fn standing(exploration: &Exploration) -> Standing<'_> {
    match (&exploration.caught, exploration.expect) {
        (None, None) => Standing::Passed,
        (None, Some(class)) => Standing::NotCaught(class),
        (Some(caught), Some(class)) if caught.failure.class == class => Standing::CaughtAsExpected(caught),
        (Some(caught), _) => Standing::Failed(caught),
    }
}

/// The result and the effort on one line: `caught as expected stall     12 runs     0.1 s`.
pub fn result(exploration: &Exploration, style: Style) -> String {
    let (good, bad) = (ink(AnsiColor::Green), ink(AnsiColor::Red).bold());
    let (result, ink) = match standing(exploration) {
        Standing::Passed => ("ok".into(), good),
        Standing::CaughtAsExpected(caught) => (format!("caught as expected {}", caught.failure.class), good),
        Standing::Failed(caught) => (format!("FAILED {}", caught.failure.class), bad),
        Standing::NotCaught(class) => (format!("FAILED no {class} caught"), bad),
    };
    let runs = counted(exploration.runs, "runs");
    let seconds = exploration.took_ms as f64 / 1_000.0;
    format!("{}  {runs:>12}  {seconds:>6.1} s", padded(&result, RESULT_WIDTH, ink, style))
}

/// A failure with its causes, where it was saved and how to see it again; it ends with a new line.
pub fn caught(caught: &Caught, style: Style) -> String {
    let (saved, replay) = (paint("saved", DIM, style), paint("replay", DIM, style));
    let size = plan_summary(&caught.plan, caught.events);
    let failure = failure(&caught.failure, style);
    match &caught.saved {
        None => format!("{failure}  {saved}  already, by an earlier run  ({size})\n"),
        Some(trace) => {
            let (path, word) = (escaped(&trace.display().to_string()), shell_word(trace));
            format!("{failure}  {saved}  {path}  ({size})\n  {replay} cargo refrain replay {word}\n")
        }
    }
}

/// What was reached and what never was, as a table; empty if there is nothing to tell. Every kind of fault has its row:
/// how many were planned and began, and how often it met a connection in each state.
pub fn coverage(coverage: &Coverage, style: Style) -> String {
    let names = coverage.faults.keys().chain(coverage.sometimes.keys());
    let width = names.map(|name| columns(&escaped(name))).max().unwrap_or(0).max("sometimes".len());
    let mut text = String::new();
    let mut row = |name: &str, numbers: &str, never: Option<&str>, ink| {
        let never = never.map(|never| format!("  {}", paint(never, YELLOW, style)));
        let name = padded(&escaped(name), width, ink, style);
        text += &format!("{name}{}{}\n", paint(numbers, ink, style), never.unwrap_or_default());
    };
    if !coverage.faults.is_empty() {
        let states: String = STATES.iter().map(|state| format!("  {state:>STATE_WIDTH$}")).collect();
        row("fault", &format!("{:>COUNT_WIDTH$}{:>COUNT_WIDTH$}{states}", "planned", "began"), None, DIM);
    }
    for (kind, fired) in &coverage.faults {
        let states: String = STATES.iter().map(|state| cell(fired, state)).collect();
        let numbers = format!("{:>COUNT_WIDTH$}{:>COUNT_WIDTH$}{states}", grouped(fired.planned), grouped(fired.began));
        row(kind, &numbers, (fired.began == 0).then_some("never began"), PLAIN);
    }
    if !coverage.sometimes.is_empty() {
        row("sometimes", &format!("{:>COUNT_WIDTH$}", "runs"), None, DIM);
    }
    for (property, &runs) in &coverage.sometimes {
        row(property, &format!("{:>COUNT_WIDTH$}", grouped(runs)), (runs == 0).then_some("never reached"), PLAIN);
    }
    text += &never_met(coverage, style);
    if coverage.polls > 0 {
        text += &format!("{} of {} polls held back\n", grouped(coverage.holds), grouped(coverage.polls));
    }
    text
}

/// What each engine searched of a model, as a table; empty if there is none.
pub fn engines(engines: &[Searched], style: Style) -> String {
    let width = engines.iter().map(|searched| columns(&searched.by)).max().unwrap_or(0).max("engine".len());
    let mut text = String::new();
    if !engines.is_empty() {
        let engine = padded("engine", width, PLAIN, style);
        let titles = format!("{engine}{:>COUNT_WIDTH$}{:>COUNT_WIDTH$}", "executions", "time");
        text += &format!("{}\n", paint(&titles, DIM, style));
    }
    for Searched { by, executions, took_ms, end } in engines {
        let (by, time) = (padded(by, width, PLAIN, style), format!("{:.2} s", *took_ms as f64 / 1_000.0));
        let row = format!("{by}{:>COUNT_WIDTH$}{time:>COUNT_WIDTH$}  {}", grouped(*executions), escaped(end));
        text += &format!("{}\n", row.trim_end());
    }
    text
}

/// How often a fault met a state; `-`: never.
fn cell(fired: &Fired, state: &str) -> String {
    let times = fired.met.get(state).map_or("-".into(), |times| grouped(*times));
    format!("  {times:>0$}", state.len().max(STATE_WIDTH))
}

/// The cells that were never hit: `LAST-ACK never met by any fault`, `SYN-RECV never met by cut, reset`.
fn never_met(coverage: &Coverage, style: Style) -> String {
    let began: Vec<_> = coverage.faults.iter().filter(|(_, fired)| fired.began > 0).collect();
    let mut lines = BTreeMap::<usize, String>::new();
    for (nth, state) in STATES.iter().enumerate() {
        let without = began.iter().filter(|(_, fired)| !fired.met.contains_key(*state));
        let without: Vec<String> = without.map(|(kind, _)| escaped(kind)).collect();
        match without.len() {
            0 => {}
            // All states that no fault met stand in one line, the last one.
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

/// `1 run`, `1,200 runs`: a plural that ends in `s`.
pub fn counted(count: u64, plural: &str) -> String {
    let name = if count == 1 { plural.strip_suffix('s').unwrap_or(plural) } else { plural };
    format!("{} {name}", grouped(count))
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |group| str::from_utf8(group).expect("digits are ASCII");
    digits.as_bytes().rchunks(3).rev().map(group).collect::<Vec<_>>().join(",")
}

/// A path as a shell takes it.
pub fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if !path.is_empty() && path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Argument, Plan},
        verdict::Failure,
    };
    use serde_json::json;

    fn exploration(expect: Option<Class>, caught: Option<Class>) -> Exploration {
        let caught = caught.map(|class| Caught {
            failure: Failure {
                class,
                property: "answered".into(),
                place: String::new(),
                message: "\"answered\" was still pending 60 s after the network healed".into(),
                causes: vec!["notes: link task waits for HELLO reply".into(), "last fault touching it: cut".into()],
            },
            plan: Plan { workload: vec![Argument { name: "queries".into(), value: json!([1]) }], ..Plan::default() },
            events: 31,
            run: 12,
            saved: Some("traces/link-7c1e.jsonl".into()),
        });
        let (coverage, engines) = Default::default();
        Exploration { seed: 1, runs: 1_200, took_ms: 340, expect, coverage, engines, caught }
    }

    #[test]
    fn a_result_says_whether_it_was_expected() {
        let check = |expect, caught, text: &str| {
            let expected = format!("{text:24}    1,200 runs     0.3 s");
            assert_eq!(result(&exploration(expect, caught), Style::default()), expected);
        };
        check(None, None, "ok");
        check(None, Some(Class::Stall), "FAILED stall");
        check(Some(Class::Stall), Some(Class::Stall), "caught as expected stall");
        check(Some(Class::Stall), Some(Class::Panic), "FAILED panic");
        check(Some(Class::Stall), None, "FAILED no stall caught");
    }

    #[test]
    fn a_failure_tells_its_causes_and_the_command_that_replays_it() {
        let failed = exploration(None, Some(Class::Stall)).caught.expect("it was caught");
        let expected = "\
FAILED stall: \"answered\" was still pending 60 s after the network healed
  notes: link task waits for HELLO reply
  last fault touching it: cut
  saved  traces/link-7c1e.jsonl  (1 query, 31 events)
  replay cargo refrain replay traces/link-7c1e.jsonl
";
        assert_eq!(caught(&failed, Style::default()), expected);
    }

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
        assert_eq!(coverage(&Coverage::default(), Style::default()), "");
    }

    #[test]
    fn engines_tell_what_they_searched() {
        let searched =
            |by: &str, executions, end: &str| Searched { by: by.into(), executions, took_ms: 1_234, end: end.into() };
        let engines = [searched("shuttle, random", 1_250, ""), searched("loom, no preemption", 7, "complete")];
        let expected = "\
engine              executions       time
shuttle, random          1,250     1.23 s
loom, no preemption          7     1.23 s  complete
";
        assert_eq!(super::engines(&engines, Style::default()), expected);
        assert_eq!(super::engines(&[], Style::default()), "");
    }

    #[test]
    fn a_path_with_spaces_is_quoted_for_the_shell() {
        assert_eq!(shell_word(Path::new("traces/a-1.jsonl")), "traces/a-1.jsonl");
        assert_eq!(shell_word(Path::new("it's here/a")), r"'it'\''s here/a'");
    }
}
