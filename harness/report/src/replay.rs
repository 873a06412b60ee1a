//! Says what a replay showed: `cargo refrain replay` and `cargo test` print the same.

use super::{
    Style,
    cause::{cause, not_triggered},
    differs::row,
    failure,
    paint::{BOLD, DIM, ink, lines, paint},
};
use anstyle::AnsiColor;
use refrain_core::{event::Event, protocol::Replay, trace::Build, verdict::Property};

/// What a replay showed. The first line begins with the answer; it ends with a new line.
pub fn replay(replay: &Replay, style: Style) -> String {
    match replay {
        Replay::Reproduced { failure: now, saved_causes } => {
            let answer = paint("reproduced", ink(AnsiColor::Red).bold(), style);
            let mut text = format!("{answer}: the same events, the same failure\n{}", failure(now, style));
            if let Some(causes) = saved_causes {
                text += "the saved trace explains it differently:\n";
                text += &indented(causes.iter().map(|what| cause(what, &now.property)), style);
            }
            text
        }
        Replay::PassesNow { not_triggered: parts } => {
            let answer = paint("passes now", ink(AnsiColor::Green), style);
            let text = format!("{answer}: the saved failure does not happen any more\n");
            text + &indented(parts.iter().map(not_triggered), style)
        }
        Replay::Differs { failure: verdict, event, saved, now, builds, not_triggered: parts } => {
            let answer = paint("differs", ink(AnsiColor::Yellow), style);
            let mut text = format!("{answer}: event {event} is the first that is not as it was saved\n");
            text += &side("saved", saved.as_ref(), style);
            text += &side("now", now.as_ref(), style);
            text += &indented(std::iter::once(builds_differ(builds)).chain(parts.iter().map(not_triggered)), style);
            text + &match verdict {
                Some(verdict) => format!("now it is another run that fails:\n{}", failure(verdict, style)),
                None => "now it is another run, which passes\n".into(),
            }
        }
        Replay::Stopped { events, waits } => {
            let mut text = super::events(events, 0, style);
            text += &format!("{}\n", paint("stopped here, as asked; what waits:", BOLD, style));
            text + &indented(waits.iter().map(|wait| cause(wait, &Property::Progress)), style)
        }
    }
}

/// Texts below the answer, each on lines of its own.
fn indented(texts: impl Iterator<Item = String>, style: Style) -> String {
    texts.flat_map(|text| lines(&text, 2, style)).map(|line| format!("  {line}\n")).collect()
}

/// What to suspect: another build, or the service.
fn builds_differ((saved, now): &(Build, Build)) -> String {
    if saved == now {
        return "the build is of the same kind as the one that saved it: the service has changed, or it reads something \
                from outside the simulation"
            .into();
    }
    format!(
        "saved by refrain {} on {} ({}), this is {} on {} ({})",
        saved.refrain, saved.platform, saved.profile, now.refrain, now.platform, now.profile
    )
}

/// One side of a difference.
fn side(name: &str, event: Option<&Event>, style: Style) -> String {
    const INDENT: usize = "  saved  ".len();
    let event = lines(&event.map_or_else(|| "the run had ended".to_owned(), row), INDENT, style);
    let label = paint(&format!("{name:5}"), DIM, style);
    let label = |nth| if nth == 0 { format!("  {label}  ") } else { " ".repeat(INDENT) };
    event.iter().enumerate().map(|(nth, line)| format!("{}{line}\n", label(nth))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::{
        event::Kind,
        place::Task,
        plan::Part,
        verdict::{Cause, Class, Detail, Failure, Wait, Waiting},
    };

    #[track_caller]
    fn check(shown: &Replay, expected: &str) {
        assert_eq!(replay(shown, Style::default()), expected);
    }

    fn waits() -> Cause {
        let task = Task { place: "src/link.rs:88".parse().unwrap(), nth: 1 };
        let (waits, since) = (vec![Wait::Signal], 12_301_000_000);
        Cause::Waits(Waiting { host: "notes".into(), task, main: true, waits, since, deadline: None, used: None })
    }

    fn deadlock() -> Failure {
        let (class, property, detail) = (Class::Deadlock, Property::Progress, Detail::Deadlocked);
        Failure { class, property, place: None, detail, causes: vec![waits()] }
    }

    fn build(profile: &str) -> Build {
        Build { refrain: "0.1.0".into(), platform: "x86_64-linux".into(), profile: profile.into() }
    }

    #[test]
    fn a_reproduced_failure_tells_its_causes() {
        let expected = "\
reproduced: the same events, the same failure
FAILED deadlock: nothing can run any more: everything waits
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Reproduced { failure: deadlock(), saved_causes: None }, expected);
    }

    #[test]
    fn a_failure_that_is_explained_in_another_way_shows_the_saved_explanation() {
        let saved_causes = Some(vec![Cause::Printed("out of sockets".into())]);
        let expected = "\
reproduced: the same events, the same failure
FAILED deadlock: nothing can run any more: everything waits
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
the saved trace explains it differently:
  printed: out of sockets
";
        check(&Replay::Reproduced { failure: deadlock(), saved_causes }, expected);
    }

    #[test]
    fn a_difference_shows_both_sides_to_the_nanosecond() {
        let event = |at| Event { at, host: "notes".into(), task: None, kind: Kind::Start };
        let differs = Replay::Differs {
            failure: Some(deadlock()),
            event: 17,
            saved: Some(event(12_300_000_000)),
            now: Some(event(12_300_000_001)),
            builds: (build("debug"), build("release")),
            not_triggered: vec![Part::Choices],
        };
        let expected = "\
differs: event 17 is the first that is not as it was saved
  saved  00:00:12.300000000  notes  starts
  now    00:00:12.300000001  notes  starts
  saved by refrain 0.1.0 on x86_64-linux (debug), this is 0.1.0 on x86_64-linux (release)
  not triggered: the last choices of the plan, for the model has other ones now
now it is another run that fails:
FAILED deadlock: nothing can run any more: everything waits
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&differs, expected);
    }

    #[test]
    fn a_plan_that_passes_tells_what_of_it_was_not_triggered() {
        let fault = "cut a <-> b when a accepts its 9th connection".parse().unwrap();
        let expected = "\
passes now: the saved failure does not happen any more
  not triggered: cut a <-> b when a accepts its 9th connection
";
        check(&Replay::PassesNow { not_triggered: vec![Part::Fault(fault)] }, expected);
    }

    #[test]
    fn a_stopped_run_shows_what_waits() {
        let event = Event { at: 0, host: "notes".into(), task: None, kind: Kind::Start };
        let expected = "\
#  time          host   task  what
0  00:00:00.000  notes        starts
stopped here, as asked; what waits:
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Stopped { events: vec![event], waits: vec![waits()] }, expected);
    }
}
