//! What an exploration caught and covered, as plain text: `cargo refrain explore` and `cargo test` print the same.

use crate::{
    plan::Plan,
    protocol::{Caught, Coverage, Exploration},
    verdict::{Class, Failure},
};
use std::{fmt::Write, path::Path};

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

/// The result in a few words: `ok`, `caught as expected stall`, `FAILED stall`.
pub fn result(exploration: &Exploration) -> String {
    match standing(exploration) {
        Standing::Passed => "ok".into(),
        Standing::CaughtAsExpected(caught) => format!("caught as expected {}", caught.failure.class),
        Standing::Failed(caught) => format!("FAILED {}", caught.failure.class),
        Standing::NotCaught(class) => format!("FAILED expected {class} was not caught"),
    }
}

/// A failure with its causes, where it was saved and how to see it again; several lines, ends with a line break.
pub fn failure(caught: &Caught) -> String {
    let mut text = format!("FAILED {}", self::caused(&caught.failure));
    let size = size(&caught.plan, caught.events);
    match &caught.saved {
        Some(trace) => {
            text += &format!("  saved  {}  ({size})\n", trace.display());
            text += &format!("  replay cargo refrain replay {}\n", for_shell(trace));
        }
        None => text += &format!("  saved  already, by an earlier run  ({size})\n"),
    }
    text
}

/// `stall: ...` and its causes, a line each, indented; ends with a line break.
pub fn caused(failure: &Failure) -> String {
    let mut text = format!("{}: {}\n", failure.class, failure.message);
    for cause in &failure.causes {
        text += &format!("  {cause}\n");
    }
    text
}

/// How large a failing run is: `2 faults, 1 query, 31 events`.
pub fn size(plan: &Plan, events: usize) -> String {
    let mut parts = vec![counted(plan.faults.len(), "faults")];
    if !plan.holds.is_empty() {
        parts.push(counted(plan.holds.len(), "holds"));
    }
    let lists = plan.workload.iter().filter_map(|argument| Some((argument.value.as_array()?, &argument.name)));
    parts.extend(lists.map(|(values, name)| counted(values.len(), name)));
    parts.push(counted(events, "events"));
    parts.join(", ")
}

/// What was reached and what never was, as a table; empty if there is nothing to tell.
pub fn coverage(coverage: &Coverage) -> String {
    let names = coverage.faults.keys().chain(coverage.sometimes.keys());
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).max("sometimes".len());
    let mut text = String::new();
    if !coverage.faults.is_empty() {
        let _ = writeln!(text, "{:width$}  {:>9}  {:>9}", "fault", "planned", "began");
    }
    for (name, fired) in &coverage.faults {
        let never = if fired.began == 0 { "  never began" } else { "" };
        let _ = writeln!(text, "{name:width$}  {:>9}  {:>9}{never}", grouped(fired.planned), grouped(fired.began));
    }
    if !coverage.sometimes.is_empty() {
        let _ = writeln!(text, "{:width$}  {:>9}", "sometimes", "runs");
    }
    for (name, &runs) in &coverage.sometimes {
        let never = if runs == 0 { "  never reached" } else { "" };
        let _ = writeln!(text, "{name:width$}  {:>9}{never}", grouped(runs));
    }
    if coverage.polls > 0 {
        let _ = writeln!(text, "{} of {} polls held back", grouped(coverage.holds), grouped(coverage.polls));
    }
    text
}

/// `1 fault`, `2 faults`, `1 query`, from the plural.
pub fn counted(count: usize, plural: &str) -> String {
    let name = match plural.strip_suffix("ies") {
        _ if count != 1 => plural.into(),
        Some(stem) => format!("{stem}y"),
        None => plural.strip_suffix('s').unwrap_or(plural).into(),
    };
    format!("{} {name}", grouped(count as u64))
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(",")
}

/// A path as a shell takes it.
pub fn for_shell(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::Argument, protocol::Fired};
    use serde_json::json;

    fn exploration(expect: Option<Class>, caught: Option<Class>) -> Exploration {
        let caught = caught.map(|class| Caught {
            failure: Failure {
                class,
                property: "a fresh query is answered".into(),
                place: String::new(),
                message: "\"a fresh query is answered\" was still pending 60 s after the network healed".into(),
                causes: vec!["notes: link task waits for HELLO reply".into(), "last fault touching it: cut".into()],
            },
            plan: Plan { workload: vec![Argument { name: "queries".into(), value: json!([1]) }], ..Plan::default() },
            events: 1_031,
            run: 12,
            saved: Some("traces/link-7c1e.jsonl".into()),
        });
        Exploration { seed: 1, runs: 100, took_ms: 10, expect, coverage: Coverage::default(), caught }
    }

    #[test]
    fn a_result_says_whether_it_was_expected() {
        let check = |expect, caught, text| assert_eq!(result(&exploration(expect, caught)), text);
        check(None, None, "ok");
        check(None, Some(Class::Stall), "FAILED stall");
        check(Some(Class::Stall), Some(Class::Stall), "caught as expected stall");
        check(Some(Class::Stall), Some(Class::Panic), "FAILED panic");
        check(Some(Class::Stall), None, "FAILED expected stall was not caught");
    }

    #[test]
    fn a_failure_tells_its_causes_and_the_command_that_replays_it() {
        let caught = exploration(None, Some(Class::Stall)).caught.expect("it was caught");
        let expected = "\
FAILED stall: \"a fresh query is answered\" was still pending 60 s after the network healed
  notes: link task waits for HELLO reply
  last fault touching it: cut
  saved  traces/link-7c1e.jsonl  (0 faults, 1 query, 1,031 events)
  replay cargo refrain replay traces/link-7c1e.jsonl
";
        assert_eq!(failure(&caught), expected);
    }

    #[test]
    fn coverage_names_what_was_never_hit() {
        let reached = Coverage {
            faults: [("cut", 1_200, 1_100), ("reset", 3, 0)]
                .map(|(name, planned, began)| (name.into(), Fired { planned, began }))
                .into(),
            sometimes: [("link re-established".into(), 40), ("session reaped".into(), 0)].into(),
            holds: 7,
            polls: 12_000,
        };
        let expected = "\
fault                  planned      began
cut                      1,200      1,100
reset                        3          0  never began
sometimes                 runs
link re-established         40
session reaped               0  never reached
7 of 12,000 polls held back
";
        assert_eq!(coverage(&reached), expected);
        assert_eq!(coverage(&Coverage::default()), "");
    }

    #[test]
    fn a_path_with_spaces_is_quoted_for_the_shell() {
        assert_eq!(for_shell(Path::new("traces/a-1.jsonl")), "traces/a-1.jsonl");
        assert_eq!(for_shell(Path::new("it's here/a")), r"'it'\''s here/a'");
    }
}
