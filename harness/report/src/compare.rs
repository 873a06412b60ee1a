//! Formats two runs side by side, around the first event in which they differ.

use super::{
    Filter, Shown, Style, View, event as sentence, headline,
    paint::{BOLD, DIM, PLAIN, ink, lines, padded, paint},
    view::{PASSED, ascii},
    words,
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind},
    protocol::{Compared, Run},
};
use serde::Serialize;

/// How many events before the first difference are shown, and how many of each run from it on.
const BEFORE: usize = 6;
const AFTER: usize = 18;
/// The width of a column where the terminal has none, and the least one.
const COLUMN: usize = 76;
const COLUMN_MIN: usize = 30;
/// The format of the data; see `view.rs`.
const FORMAT: &str = "refrain-diff/1";

/// Formats a run and another one: their plans and results, the first event in which they differ, and what happened around it, in two
/// columns like `sdiff`: `<` and `>` mark what happened in one of them only. Ends with a newline.
pub fn compare(compared: &Compared, style: Style) -> String {
    let Compared { run, other, tried } = compared;
    let mut text = format!("{}\n", paint(&escaped(&run.test), BOLD, style));
    let Some(other) = other else {
        text += &result("the run", run, style);
        let tried = words::counted(*tried, "plans");
        return text
            + &match run.verdict.failure() {
                Some(_) => {
                    format!("none of {tried} like this one passes: compare it with a plan of yours, --diff=FILE\n")
                }
                None => {
                    "it passes, so there is no failure to compare: --diff=FILE compares it with any plan\n".to_owned()
                }
            };
    };
    text += &(result("the run", run, style) + &only("the run", run, other));
    text += &(result("the other", other, style) + &only("the other", other, run));
    match compared.parts_at() {
        None => text + "both have the same events\n",
        Some(n) => text + &format!("they part at event {n}:\n\n") + &table(run, other, n, style),
    }
}

/// Formats the same as one JSON object on one line, in printable ASCII, with both runs whole.
pub fn compared_json(compared: &Compared, filter: &Filter) -> String {
    #[derive(Serialize)]
    struct Both<'a> {
        format: &'static str,
        parts_at: Option<usize>,
        tried: u64,
        run: View<'a>,
        other: Option<View<'a>>,
    }
    let view = |run| View::new(Shown::from(run), filter);
    let (run, other) = (view(&compared.run), compared.other.as_ref().map(view));
    let both = Both { format: FORMAT, parts_at: compared.parts_at(), tried: compared.tried, run, other };
    ascii(&serde_json::to_string(&both).expect("its keys are strings")) + "\n"
}

fn result(which: &str, run: &Run, style: Style) -> String {
    let (text, colour) = match run.verdict.failure() {
        Some(failure) => (headline(failure, Style::default()), AnsiColor::Red),
        None => (PASSED.to_owned(), AnsiColor::Green),
    };
    let line = |(nth, line): (usize, String)| match nth {
        0 => format!("{} {}\n", paint(&format!("{which}:"), BOLD, style), paint(&line, ink(colour), style)),
        _ => format!("  {}\n", paint(&line, ink(colour), style)),
    };
    lines(&text, which.len() + 2, style).into_iter().enumerate().map(line).collect()
}

/// The sentences of a plan that the other one does not have.
fn only(which: &str, run: &Run, other: &Run) -> String {
    let of_other = other.plan.sentences();
    let own = run.plan.sentences().into_iter().filter(|sentence| !of_other.contains(sentence));
    own.map(|sentence| format!("  only {which} has: {}\n", escaped(&sentence))).collect()
}

/// A line of the table: an event of each run, or of one of them.
type Pair<'a> = (Option<(usize, &'a Event)>, Option<(usize, &'a Event)>);

fn table(run: &Run, other: &Run, parts_at: usize, style: Style) -> String {
    let numbered = |run, from, to| (from..to).filter_map(move |n| Some((n, Run::event(run, n)?)));
    let before = parts_at.saturating_sub(BEFORE);
    let common = numbered(run, before, parts_at).zip(numbered(other, before, parts_at));
    let common = common.map(|(left, right)| (Some(left), Some(right)));
    let [left, right] = [run, other].map(|run| numbered(run, parts_at, parts_at + AFTER).collect::<Vec<_>>());
    let pairs: Vec<Pair<'_>> = common.chain(aligned(&left, &right)).collect();
    let number = (parts_at + AFTER).to_string().len();
    let column = style.width.map_or(COLUMN, |width| (width.saturating_sub(2 * number + 7) / 2).max(COLUMN_MIN));
    let style = Style { width: Some(column), ..style };
    let mut text = String::new();
    for (left, right) in pairs {
        let marker = match (left, right) {
            (Some(_), Some(_)) => " ",
            (Some(_), None) => "<",
            (None, _) => ">",
        };
        let [left, right] = [left, right].map(|side| cells(side, number, style));
        let none = (String::new(), String::new());
        for nth in 0..left.len().max(right.len()) {
            let ((n, what), (other_n, other_what)) = (left.get(nth).unwrap_or(&none), right.get(nth).unwrap_or(&none));
            let ink = if marker == " " { PLAIN } else { ink(AnsiColor::Yellow) };
            let row = [
                padded(n, number + 1, DIM, style),
                padded(what, column, ink, style),
                format!(" {} ", if nth == 0 { marker } else { " " }),
                padded(other_n, number + 1, DIM, style),
                paint(other_what, ink, style),
            ];
            text += &format!("{}\n", row.concat().trim_end_matches(' '));
        }
    }
    text
}

/// The lines of an event in its column, each with its number or blanks.
fn cells(event: Option<(usize, &Event)>, number: usize, style: Style) -> Vec<(String, String)> {
    let Some((n, event)) = event else { return vec![] };
    let text = match event.kind {
        // A model has no time and no hosts.
        Kind::Step(_) => sentence::event(event),
        _ => format!("{} {} {}", words::clock(event.at), words::host(&event.host), sentence::event(event)),
    };
    let wrapped = lines(&text, 0, style).into_iter().enumerate();
    wrapped.map(|(nth, line)| (if nth == 0 { format!("{n:number$}") } else { String::new() }, line)).collect()
}

/// Puts the same events of both runs beside each other, whenever they happened: a longest common subsequence.
fn aligned<'a>(left: &[(usize, &'a Event)], right: &[(usize, &'a Event)]) -> Vec<Pair<'a>> {
    let is_same = |a: &Event, b: &Event| (&a.host, &a.kind) == (&b.host, &b.kind);
    // How long the longest one of what begins here and there is.
    let mut longest = vec![vec![0usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            longest[i][j] = match is_same(left[i].1, right[j].1) {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, vec![]);
    while i < left.len() || j < right.len() {
        let both = i < left.len() && j < right.len();
        if both && is_same(left[i].1, right[j].1) {
            pairs.push((Some(left[i]), Some(right[j])));
            (i, j) = (i + 1, j + 1);
        } else if i < left.len() && (j == right.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            pairs.push((Some(left[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(right[j])));
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::{plan::Plan, verdict::Verdict};

    fn run(plan: &str, values: &[(u64, &str)]) -> Run {
        let event = |(at, value): &(u64, &str)| Event {
            at: *at * 1_000_000,
            host: "notes".into(),
            task: None,
            kind: Kind::Saw { value: (*value).into() },
        };
        Run {
            test: "a\u{1b}[2J".into(),
            package: String::new(),
            plan: plan.parse::<Plan>().unwrap(),
            verdict: Verdict::Passed,
            digest: String::new(),
            left_out: 0,
            events: values.iter().map(event).collect(),
            sockets: vec![],
            not_triggered: vec![],
            printed: String::new(),
        }
    }

    #[test]
    fn two_runs_are_beside_each_other_from_where_they_part() {
        let run_ = run("seed 1\ncut a <-> b at 2 s", &[(1, "same"), (2, "cut"), (3, "then")]);
        let other = run("seed 1", &[(1, "same"), (4, "then"), (5, "more")]);
        let compared = Compared { run: run_, other: Some(other), tried: 1 };
        let expected = "\
a\\u{1b}[2J
the run: passed: every property held
  only the run has: cut a <-> b at 2 s
the other: passed: every property held
they part at event 1:

 0 00:00:00.001 notes saw same       0 00:00:00.001 notes saw same
 1 00:00:00.002 notes saw cut     <
 2 00:00:00.003 notes saw then       1 00:00:00.004 notes saw then
                                  >  2 00:00:00.005 notes saw more
";
        let style = Style { width: Some(2 * 2 + 7 + 2 * 30), ..Style::default() };
        assert_eq!(compare(&compared, style), expected);
    }

    #[test]
    fn the_same_run_has_no_first_difference() {
        let one = run("seed 1", &[(1, "same")]);
        let text = compare(&Compared { other: Some(one.clone()), run: one, tried: 0 }, Style::default());
        assert!(text.ends_with("both have the same events\n"), "{text}");
    }
}
