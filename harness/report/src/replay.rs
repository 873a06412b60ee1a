//! Says what a replay showed: `cargo refrain replay` and `cargo test` print the same.

use super::{
    Style, failure,
    paint::{BOLD, DIM, ink, lines, paint},
};
use anstyle::AnsiColor;
use refrain_core::{escape::EscapedLines, protocol::Replay};

/// What a replay showed. The first line begins with the answer; it ends with a new line.
pub fn replay(replay: &Replay, style: Style) -> String {
    match replay {
        Replay::Reproduced(saved) => {
            let answer = paint("reproduced", ink(AnsiColor::Red).bold(), style);
            format!("{answer}: the same events, the same failure\n{}", failure(saved, style))
        }
        Replay::PassesNow { never_began } => {
            let answer = paint("passes now", ink(AnsiColor::Green), style);
            let mut text = format!("{answer}: the saved failure does not happen any more\n");
            for what in never_began {
                text.extend(lines(&format!("never began: {what}"), 2, style).iter().map(|line| format!("  {line}\n")));
            }
            text
        }
        Replay::Differs { failure: verdict, event, saved, now, note } => {
            let answer = paint("differs", ink(AnsiColor::Yellow), style);
            let mut text = format!("{answer}: event {event} is the first that is not as it was saved\n");
            text += &side("saved", saved.as_deref(), style);
            text += &side("now", now.as_deref(), style);
            let note = lines(note, 2, style);
            text.extend(note.iter().filter(|line| !line.is_empty()).map(|line| format!("  {line}\n")));
            text + &match verdict {
                Some(verdict) => format!("now it is another run that fails:\n{}", failure(verdict, style)),
                None => "now it is another run, which passes\n".into(),
            }
        }
        Replay::Stopped { timeline, waits } => {
            // The timeline was rendered where the run is, and is aligned: its lines are not broken.
            let mut text = format!("{}\n", EscapedLines(timeline.trim_end()));
            text += &format!("{}\n", paint("stopped here, as asked; what waits:", BOLD, style));
            text.extend(waits.iter().flat_map(|wait| lines(wait, 2, style)).map(|line| format!("  {line}\n")));
            text
        }
    }
}

/// One side of a difference.
fn side(name: &str, event: Option<&str>, style: Style) -> String {
    const INDENT: usize = "  saved  ".len();
    let event = lines(event.unwrap_or("the run had ended"), INDENT, style);
    let label = paint(&format!("{name:5}"), DIM, style);
    let label = |nth| if nth == 0 { format!("  {label}  ") } else { " ".repeat(INDENT) };
    event.iter().enumerate().map(|(nth, line)| format!("{}{line}\n", label(nth))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::verdict::{Class, Failure};

    #[track_caller]
    fn check(shown: &Replay, expected: &str) {
        assert_eq!(replay(shown, Style::default()), expected);
    }

    fn stall() -> Failure {
        Failure {
            class: Class::Stall,
            property: "answered".into(),
            place: String::new(),
            message: "\"answered\" was still pending".into(),
            causes: vec!["notes: link task waits".into()],
        }
    }

    #[test]
    fn a_reproduced_failure_tells_its_causes() {
        let expected = "\
reproduced: the same events, the same failure
FAILED stall: \"answered\" was still pending
  notes: link task waits
";
        check(&Replay::Reproduced(stall()), expected);
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let differs = Replay::Differs {
            failure: Some(stall()),
            event: 17,
            saved: Some("00:00:12.300 notes connects".into()),
            now: None,
            note: "saved by build 1f2e, this is build 9a3b".into(),
        };
        let expected = "\
differs: event 17 is the first that is not as it was saved
  saved  00:00:12.300 notes connects
  now    the run had ended
  saved by build 1f2e, this is build 9a3b
now it is another run that fails:
FAILED stall: \"answered\" was still pending
  notes: link task waits
";
        check(&differs, expected);
    }

    #[test]
    fn a_plan_that_passes_tells_what_of_it_never_began() {
        let passes = Replay::PassesNow { never_began: vec!["cut a <-> b when a accepts its 9th connection".into()] };
        let expected = "\
passes now: the saved failure does not happen any more
  never began: cut a <-> b when a accepts its 9th connection
";
        check(&passes, expected);
    }

    #[test]
    fn a_stopped_run_shows_what_waits() {
        let stopped = Replay::Stopped { timeline: "0  notes starts\n".into(), waits: vec!["notes: sleeps".into()] };
        check(&stopped, "0  notes starts\nstopped here, as asked; what waits:\n  notes: sleeps\n");
    }
}
