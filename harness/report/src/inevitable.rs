//! Formats when a failure became inevitable: a bar for each event from which its run was continued in other ways.

use super::{
    Style,
    differs::row,
    paint::{BOLD, DIM, ink, lines, padded, paint},
    view::{Curve, Point, View, ascii, page},
    words::{counted, grouped},
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    protocol::{Beginning, Inevitable},
    trace::Trace,
};
use serde_json::json;

/// The length of the longest bar.
const BAR: u64 = 20;
/// The format of the data; see `view.rs`.
const FORMAT: &str = "refrain-cause/1";

/// Formats how many continuations fail from each event on, and names the event after which none was saved. Ends with a newline.
pub fn inevitable(found: &Inevitable, style: Style) -> String {
    let rows: Vec<[String; 4]> = found.beginnings.iter().map(cells).collect();
    let titles = ["after event", "", "fail", "last event"].map(str::to_owned);
    let width = |nth: usize| rows.iter().chain([&titles]).map(|cells| cells[nth].chars().count()).max().unwrap_or(0);
    let widths = [width(0), BAR as usize, width(2)];
    let indent = widths.iter().map(|width| width + 2).sum();
    let mut text = line(&titles, &widths, [DIM; 2], indent, style);
    for (cells, beginning) in rows.iter().zip(&found.beginnings) {
        let colour = if beginning.saved() == 0 { AnsiColor::Red } else { AnsiColor::Yellow };
        text += &line(cells, &widths, [DIM, ink(colour)], indent, style);
    }
    text += "\n";
    for sentence in conclusions(found) {
        text += &lines(&sentence, 0, style)
            .iter()
            .map(|line| format!("{}\n", paint(line, BOLD, style)))
            .collect::<String>();
    }
    let seconds = found.took_ms as f64 / 1_000.0;
    let not_counted = match found.not_counted {
        0 => String::new(),
        runs => format!(", {} not counted: they began with other events, or cannot be made", grouped(runs)),
    };
    let interrupted = if found.interrupted { "; interrupted" } else { "" };
    text + &format!("{}, {seconds:.1} s{not_counted}{interrupted}\n", counted(found.runs, "runs"))
}

/// Formats the same as one JSON object on one line, in printable ASCII.
pub fn inevitable_json(found: &Inevitable) -> String {
    let (saved, none_saved) = found.turning_point();
    let turning_point = json!({
        "saved_until": saved.map(|beginning| beginning.events),
        "none_saved_from": none_saved.map(|beginning| beginning.events),
    });
    let object = json!({
        "format": FORMAT,
        "events": found.events,
        "beginnings": found.beginnings,
        "turning_point": turning_point,
        "conclusions": conclusions(found),
        "runs": found.runs,
        "not_counted": found.not_counted,
        "interrupted": found.interrupted,
    });
    ascii(&object.to_string()) + "\n"
}

/// Formats the page of the trace with the same as a curve, in which the event after which none was saved is marked.
///
/// # Errors
/// Returns why they do not belong together: the run that was continued is not the saved one.
pub fn inevitable_page(trace: &Trace, view: View<'_>, found: &Inevitable) -> Result<String, String> {
    for beginning in &found.beginnings {
        let (Some(last), Some(at)) = (&beginning.last, after(beginning)) else { continue };
        let saved = at.checked_sub(trace.left_out).and_then(|nth| trace.events.get(nth));
        if !saved.is_some_and(|saved| saved.is_same_but_for_lines(last)) {
            return Err(format!(
                "event {at} is not the one that was saved, so a page of the trace cannot show the curve: `cargo refrain replay` says what differs"
            ));
        }
    }
    let points = found.beginnings.iter();
    let points = points.map(|of| Point { after: after(of), fails: of.fails, of: of.of() }).collect();
    let sentences = conclusions(found).iter().map(|sentence| escaped(sentence)).collect();
    let curve = Curve { points, inevitable_after: found.turning_point().1.and_then(after), sentences };
    Ok(page(&view.with_curve(curve)))
}

/// Returns the number of the last event of a beginning, unless it has none.
fn after(beginning: &Beginning) -> Option<usize> {
    beginning.events.checked_sub(1)
}

fn cells(beginning: &Beginning) -> [String; 4] {
    let of = beginning.of().max(1);
    let length = (beginning.fails * BAR).div_ceil(of) as usize;
    let bar = "#".repeat(length) + &".".repeat(BAR as usize - length);
    let after = after(beginning).map_or_else(|| "(start)".to_owned(), |last| last.to_string());
    let fail = format!("{} of {}", beginning.fails, beginning.of());
    [after, bar, fail, beginning.last.as_ref().map(row).unwrap_or_default()]
}

fn line(cells: &[String; 4], widths: &[usize; 3], inks: [anstyle::Style; 2], indent: usize, style: Style) -> String {
    let [after, bar, fail, last] = cells;
    let after = format!("{after:>width$}", width = widths[0]);
    let left = padded(&after, widths[0] + 2, inks[0], style)
        + &padded(bar, widths[1] + 2, inks[1], style)
        + &padded(fail, widths[2] + 2, inks[0], style);
    let last = lines(last, indent, style);
    let mut text = format!("{left}{}", last.first().map_or("", String::as_str)).trim_end_matches(' ').to_owned() + "\n";
    text += &last.iter().skip(1).map(|line| format!("{}{line}\n", " ".repeat(indent))).collect::<String>();
    text
}

/// The sentences that say what the numbers mean.
fn conclusions(found: &Inevitable) -> Vec<String> {
    if found.beginnings.is_empty() {
        return vec!["nothing is known: no run was continued".to_owned()];
    }
    let (saved, none_saved) = found.turning_point();
    let event = |beginning: &Beginning| {
        let (n, last) = (beginning.events.saturating_sub(1), beginning.last.as_ref().map(row).unwrap_or_default());
        format!("event {n}: {last}")
    };
    let mut sentences = vec![match (saved, none_saved) {
        (None, Some(none)) => format!(
            "none of {} was saved, from the first event on: the workload is enough, whatever the schedule and the faults are",
            counted(none.of(), "continuations")
        ),
        (Some(saved), Some(none)) if none.events > saved.events + 1 => {
            format!("the failure became inevitable between event {} and {}", saved.events, event(none))
        }
        (_, Some(none)) => format!("after this one none was saved, {}", event(none)),
        (_, None) => "some were saved up to the end: the failure became inevitable with the last event".to_owned(),
    }];
    if let Some((before, after)) = found.largest_rise()
        && none_saved.is_none_or(|none| none.events != after.events)
    {
        let percent = |of: &Beginning| of.fails * 100 / of.of().max(1);
        let which = if after.events == before.events + 1 { "with" } else { "up to" };
        sentences.push(format!(
            "the largest rise, from {} % to {} %, is {which} {}",
            percent(before),
            percent(after),
            event(after)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::event::{Event, Kind};

    fn beginning(events: usize, fails: u64, passes: u64) -> Beginning {
        let last = Event { at: events as u64, host: "notes".into(), task: None, kind: Kind::Start };
        Beginning { events, last: (events > 0).then_some(last), fails, fails_otherwise: 0, passes }
    }

    fn found(beginnings: Vec<Beginning>) -> Inevitable {
        Inevitable { events: 40, beginnings, runs: 1_200, not_counted: 3, took_ms: 9_000, interrupted: false }
    }

    #[test]
    fn the_event_after_which_none_was_saved_is_named() {
        let found = found(vec![beginning(0, 1, 19), beginning(7, 12, 8), beginning(8, 20, 0), beginning(39, 20, 0)]);
        let expected = "\
after event                        fail      last event
    (start)  #...................  1 of 20
          6  ############........  12 of 20  00:00:00.000000007  notes  starts
          7  ####################  20 of 20  00:00:00.000000008  notes  starts
         38  ####################  20 of 20  00:00:00.000000039  notes  starts

after this one none was saved, event 7: 00:00:00.000000008  notes  starts
the largest rise, from 5 % to 60 %, is up to event 6: 00:00:00.000000007  notes  starts
1,200 runs, 9.0 s, 3 not counted: they began with other events, or cannot be made
";
        assert_eq!(inevitable(&found, Style::default()), expected);
    }

    #[test]
    fn a_failure_that_only_the_workload_causes_is_said_to_be_one() {
        let text = inevitable(&found(vec![beginning(0, 20, 0), beginning(8, 20, 0)]), Style::default());
        assert!(text.contains("none of 20 continuations was saved, from the first event on"), "{text}");
    }

    #[test]
    fn without_continuations_nothing_is_claimed() {
        let text = inevitable(&found(vec![]), Style::default());
        assert!(text.contains("nothing is known: no run was continued") && !text.contains("saved"), "{text}");
    }

    #[test]
    fn a_gap_between_the_events_is_not_hidden() {
        let text = inevitable(&found(vec![beginning(0, 0, 20), beginning(8, 20, 0)]), Style::default());
        assert!(text.contains("inevitable between event 0 and event 7: "), "{text}");
    }
}
