//! What a replay showed, as plain text: `cargo refrain replay` and `cargo test` print the same.

use super::exploration::caused;
use crate::protocol::Replay;

/// What a replay showed; several lines, the first begins with the answer, the last ends with a line break.
pub fn text(replay: &Replay) -> String {
    match replay {
        Replay::Reproduced(failure) => format!("reproduced {}", caused(failure)),
        Replay::PassesNow => "passes now: the saved failure does not happen any more\n".into(),
        Replay::Differs { failure, event, saved, now, note } => {
            let mut text = format!("differs: event {event} is the first that is not as it was saved\n");
            text += &format!("  saved  {}\n", saved.as_deref().unwrap_or("the run had ended"));
            text += &format!("  now    {}\n", now.as_deref().unwrap_or("the run had ended"));
            if !note.is_empty() {
                text += &format!("  {note}\n");
            }
            text + &match failure {
                Some(failure) => format!("  now it fails with {}", caused(failure).replace("\n  ", "\n    ")),
                None => "  now it passes\n".into(),
            }
        }
        Replay::Stopped { timeline, waits } => {
            let mut text = format!("stopped where it was asked to\n{}\n", timeline.trim_end());
            for wait in waits {
                text += &format!("  {wait}\n");
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Class, Failure};

    fn failure() -> Failure {
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
        let expected = "reproduced stall: \"answered\" was still pending\n  notes: link task waits\n";
        assert_eq!(text(&Replay::Reproduced(failure())), expected);
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let differs = Replay::Differs {
            failure: Some(failure()),
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
  now it fails with stall: \"answered\" was still pending
    notes: link task waits
";
        assert_eq!(text(&differs), expected);
    }

    #[test]
    fn a_stopped_run_shows_what_waits() {
        let stopped = Replay::Stopped { timeline: "0  start\n".into(), waits: vec!["notes: sleeps".into()] };
        assert_eq!(text(&stopped), "stopped where it was asked to\n0  start\n  notes: sleeps\n");
    }
}
