//! Formats the result of an exploration, for both `cargo refrain explore` and `cargo test`.

use super::{
    Style, failure,
    paint::{DIM, columns, ink, lines, padded, paint},
    plan_summary,
    words::{counted, grouped},
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    plan::Plan,
    protocol::{Caught, Exploration, Machine, SavedAt, Unreached},
    verdict::Class,
};
use std::path::Path;

/// Maximum length of a plan's sentence in the report of a failure: the trace has the whole sentence.
const SENTENCE_CHARS_MAX: usize = 200;
/// As wide as `caught as expected nondeterminism`, so that the results of several tests are aligned.
const RESULT_WIDTH: usize = 33;

/// The result of an exploration compared with what its test expects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing<'a> {
    /// Nothing was caught, as expected.
    Passed,
    /// The seeded bug was caught, as expected.
    CaughtAsExpected(&'a Caught),
    /// An unexpected failure was caught.
    Failed(&'a Caught),
    /// Nothing was caught, but no run reached something that the test requires.
    Unreached,
    /// The seeded bug was not caught: the harness can no longer detect this class.
    NotCaught(Class),
}

/// Compares the result of an exploration with what its test expects.
pub fn standing(exploration: &Exploration) -> Standing<'_> {
    match (&exploration.caught, exploration.expect) {
        (None, None) if !exploration.unreached.is_empty() => Standing::Unreached,
        (None, None) => Standing::Passed,
        (None, Some(class)) => Standing::NotCaught(class),
        (Some(caught), Some(class)) if caught.failure.class == class => Standing::CaughtAsExpected(caught),
        (Some(caught), _) => Standing::Failed(caught),
    }
}

/// A test's name, result and effort, and a note, on one line; on two where the terminal is too narrow. Names of all tests take
/// `width` columns.
pub fn named_result(name: &str, width: usize, exploration: &Exploration, note: &str, style: Style) -> String {
    let line = |style| format!("  {name:width$}  {}  {note}", result(exploration, style)).trim_end().to_owned();
    let fits = |most: usize| columns(&line(Style { colour: false, ..style })) <= most;
    if style.width.is_none_or(fits) {
        return line(style);
    }
    format!("  {name}\n    {}  {note}", result(exploration, style)).trim_end().to_owned()
}

/// Formats result and effort on one line: `caught as expected stall              12 runs     0.1 s`.
pub fn result(exploration: &Exploration, style: Style) -> String {
    let (good, bad) = (ink(AnsiColor::Green), ink(AnsiColor::Red).bold());
    let (result, ink) = match standing(exploration) {
        Standing::Passed => ("ok".into(), good),
        Standing::CaughtAsExpected(caught) => (format!("caught as expected {}", caught.failure.class), good),
        Standing::Failed(caught) => (format!("FAILED {}", caught.failure.class), bad),
        Standing::Unreached => ("FAILED unreached".into(), bad),
        Standing::NotCaught(class) => (format!("FAILED no {class} caught"), bad),
    };
    let runs = counted(exploration.runs, "runs");
    let seconds = exploration.took_ms as f64 / 1_000.0;
    format!("{}  {runs:>12}  {seconds:>6.1} s", padded(&result, RESULT_WIDTH, ink, style))
}

/// Formats what no run reached, one per line, and what to do. Each line ends with a newline.
pub fn unreached(exploration: &Exploration, style: Style) -> String {
    let failed = paint("FAILED unreached:", ink(AnsiColor::Red).bold(), style);
    let runs = counted(exploration.runs, "runs");
    let line = |unreached: &Unreached| {
        let (what, then) = unreached_sentence(unreached, &runs);
        format!("{failed} {}\n  {}\n", escaped(&what), escaped(&then))
    };
    exploration.unreached.iter().map(line).collect()
}

fn unreached_sentence(unreached: &Unreached, runs: &str) -> (String, String) {
    match unreached {
        Unreached::Sometimes(what) => (
            format!("\"{what}\" did not happen in {runs}"),
            "check the target and the message, make more runs, or only count it with world.counts()".into(),
        ),
        Unreached::Kind { kind, near } => (
            format!("no event with the kind \"{kind}\" came in {runs}"),
            match near.as_slice() {
                [] => "check the kind: world.conserves() proves nothing without events".into(),
                near => format!("the service reports \"{}\"", near.join("\", \"")),
            },
        ),
        Unreached::Faults => (
            format!("none of the test's faults was triggered in {runs}"),
            "check the hosts and when the faults are to begin, or make more runs".into(),
        ),
    }
}

/// Formats a failure with its causes, where it was saved and how to reproduce it. Ends with a newline.
pub fn caught(caught: &Caught, style: Style) -> String {
    let size = format!("  ({})", plan_summary(&caught.plan, caught.events));
    let plan = match caught.saved {
        SavedAt::Traces(_) | SavedAt::Already(_) => short_plan_lines(&caught.plan, style),
        // The full plan follows below.
        SavedAt::Elsewhere { .. } | SavedAt::Nowhere { .. } => String::new(),
    };
    failure(&caught.failure, style)
        + &plan
        + &saved(&caught.saved, &caught.plan, &size, style)
        + &page_at(caught, style)
}

/// Formats where the page that shows a run is; empty if there is none.
fn page_at(caught: &Caught, style: Style) -> String {
    let page = caught.page.as_ref().map(|page| escaped(&page.to_string_lossy()));
    page.map(|page| format!("  {} {page}\n", paint("page  ", DIM, style))).unwrap_or_default()
}

/// Formats the sentences of a plan, shortened. Those of a model are omitted: only its engine can interpret them.
fn short_plan_lines(plan: &Plan, style: Style) -> String {
    if plan.threads.is_some() {
        return String::new();
    }
    let short = |sentence: String| match sentence.char_indices().nth(SENTENCE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &sentence[..end]),
        None => sentence,
    };
    labelled(plan.sentences().into_iter().map(short), style)
}

/// Formats where a trace was saved, a remark and how to replay it; with the plan, if it is not at its regular place.
pub fn saved(saved: &SavedAt, plan: &Plan, remark: &str, style: Style) -> String {
    let label = |name: &str| paint(&format!("{name:6}"), DIM, style);
    let [saved_as, replay, not_saved] = ["saved", "replay", "not saved:"].map(label);
    let warning = paint("warning:", ink(AnsiColor::Yellow), style);
    let at = |path: &Path| format!("  {saved_as} {}{remark}\n", escaped(&path.to_string_lossy()));
    let again = |path: &Path| format!("  {replay} cargo refrain replay {}\n", shell_word(path));
    let because = |why: &str| format!("  {not_saved} {}\n", escaped(why));
    match saved {
        SavedAt::Traces(path) => at(path) + &again(path),
        SavedAt::Already(path) => format!("  {saved_as} already, as {}{remark}\n", escaped(&path.to_string_lossy())),
        SavedAt::Elsewhere { path, why } => {
            let out_of_place = format!("  {warning} `cargo test` does not replay it there. {}\n", escaped(why));
            plan_lines(plan, style) + &at(path) + &again(path) + &out_of_place
        }
        SavedAt::Nowhere { why } => plan_lines(plan, style) + &because(why),
    }
}

/// Formats the sentences of a plan, below a label.
fn plan_lines(plan: &Plan, style: Style) -> String {
    labelled(plan.sentences().into_iter(), style)
}

fn labelled(sentences: impl Iterator<Item = String>, style: Style) -> String {
    const INDENT: usize = "  plan   ".len();
    let sentences = sentences.flat_map(|sentence| lines(&sentence, INDENT, style));
    let label = |nth| if nth == 0 { paint("plan  ", DIM, style) } else { " ".repeat(6) };
    sentences.enumerate().map(|(nth, line)| format!("  {} {line}\n", label(nth))).collect()
}

/// Formats the machine's interference with runs, one per line; empty if there was none.
pub fn machine(machine: Machine) -> String {
    let mut text = String::new();
    if machine.made_again > 0 {
        let runs = counted(machine.made_again, "runs");
        text += &format!(
            "note: {runs} were killed by a signal from outside and passed when repeated: did the machine run out of memory?\n"
        );
    }
    if machine.randomises_addresses {
        text += "note: this system does not allow disabling address randomisation (personality), so addresses differ from run to \
                 run; a service that depends on them is reported as nondeterminism. In Docker, allow it with \
                 `--security-opt seccomp=unconfined`\n";
    }
    if machine.is_unguarded {
        text += "note: this system has no seccomp filters, so a service leaves the simulation unnoticed where it makes system calls without \
                 libc; runs that differ because of it are reported as nondeterminism\n";
    }
    if machine.forks_each {
        text += "note: this system does not let a process be rewound after a run, so each run has a process of its own, which takes several \
                 times as long\n";
    }
    if machine.differ > 0 {
        let runs = match machine.differ {
            1 => "1 run was another one in a process of its own".to_owned(),
            many => format!("{} runs were others in processes of their own", grouped(many)),
        };
        text += &format!(
            "warning: {runs} than after other runs in one process, so all runs of its test were made again, each in a process of its own: the service keeps something that is not rewound, or depends on what is not simulated. `--isolation fork` saves \
             the time of the first ones; please report it\n"
        );
    }
    text
}

/// Quotes a path for a shell.
pub fn shell_word(path: &Path) -> String {
    let path = path.to_string_lossy();
    // Only a NUL cannot be quoted, and no path contains one.
    escaped(&shlex::try_quote(&path).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::{
        plan::{Argument, Plan},
        verdict::{Cause, Detail, Failure, Property},
    };
    use serde_json::json;

    fn exploration(expect: Option<Class>, caught: Option<Class>) -> Exploration {
        let caught = caught.map(|class| Caught {
            failure: Failure {
                class,
                property: Property::Eventually("answered".into()),
                place: None,
                detail: Detail::NotReached {
                    within: 60_000_000_000,
                    healed: true,
                    attempts: 0,
                    last: None,
                    pending: true,
                },
                causes: vec![Cause::Printed("one".into()), Cause::Printed("two".into())],
            },
            plan: Plan { workload: vec![Argument { name: "queries".into(), value: json!([1]) }], ..Plan::default() },
            events: 31,
            run: 12,
            saved: SavedAt::Traces("traces/link-7c1e.jsonl".into()),
            page: None,
        });
        let (coverage, engines) = Default::default();
        Exploration {
            seed: 1,
            runs: 1_200,
            took_ms: 340,
            expect,
            coverage,
            engines,
            caught,
            machine: Machine::default(),
            unreached: vec![],
        }
    }

    #[test]
    fn a_result_says_whether_it_was_expected() {
        let check = |expect, caught, text: &str| {
            let expected = format!("{text:33}    1,200 runs     0.3 s");
            assert_eq!(result(&exploration(expect, caught), Style::default()), expected);
        };
        check(None, None, "ok");
        check(None, Some(Class::Stall), "FAILED stall");
        check(Some(Class::Stall), Some(Class::Stall), "caught as expected stall");
        check(Some(Class::Stall), Some(Class::Panic), "FAILED panic");
        check(Some(Class::Stall), None, "FAILED no stall caught");
    }

    #[test]
    fn what_no_run_reached_says_what_to_do() {
        let mut exploration = exploration(None, None);
        exploration.unreached = vec![
            Unreached::Sometimes("link re-established".into()),
            Unreached::Kind { kind: "notes.sesion".into(), near: vec!["notes.session".into()] },
            Unreached::Faults,
        ];
        let expected = "\
FAILED unreached: \"link re-established\" did not happen in 1,200 runs
  check the target and the message, make more runs, or only count it with world.counts()
FAILED unreached: no event with the kind \"notes.sesion\" came in 1,200 runs
  the service reports \"notes.session\"
FAILED unreached: none of the test's faults was triggered in 1,200 runs
  check the hosts and when the faults are to begin, or make more runs
";
        assert_eq!(unreached(&exploration, Style::default()), expected);
        assert!(result(&exploration, Style::default()).starts_with("FAILED unreached "));
    }

    #[test]
    fn a_result_that_is_wider_than_the_terminal_takes_a_line_of_its_own() {
        let name = "queries_recover_after_the_link_heals_and_everything_else_is_well";
        let (explored, note) = (exploration(None, None), "loom, no preemption: complete");
        let check = |width, colour, lines: usize| {
            let text = named_result(name, 70, &explored, note, Style { width, colour, exact: false });
            assert_eq!(text.lines().count(), lines, "{text}");
            assert_eq!(text.matches(name).count(), 1, "{text}");
            if let (Some(width), false) = (width, colour) {
                assert!(text.lines().all(|line| columns(line) <= width), "{text}");
            }
        };
        check(None, false, 1);
        check(Some(200), true, 1);
        check(Some(100), true, 2);
        check(Some(100), false, 2);
    }

    #[test]
    fn no_result_is_wider_than_the_column() {
        for class in Class::ALL {
            assert!(format!("caught as expected {class}").len() <= RESULT_WIDTH, "{class}");
            assert!(format!("FAILED no {class} caught").len() <= RESULT_WIDTH, "{class}");
        }
    }

    #[test]
    fn a_failure_tells_its_causes_and_the_command_that_replays_it() {
        let failed = exploration(None, Some(Class::Stall)).caught.expect("it was caught");
        let expected = "\
FAILED stall: `answered` did not hold within 60 s after the network healed: 1 attempt, still pending
  printed: one
  printed: two
  plan   seed 0
         queries = [1]
  saved  traces/link-7c1e.jsonl  (1 query, 31 events)
  replay cargo refrain replay traces/link-7c1e.jsonl
";
        assert_eq!(caught(&failed, Style::default()), expected);
    }

    #[test]
    fn a_path_with_spaces_is_quoted_for_the_shell() {
        assert_eq!(shell_word(Path::new("traces/a-1.jsonl")), "traces/a-1.jsonl");
        assert_eq!(shell_word(Path::new("it's here/a")), r#""it's here/a""#);
    }
}
