//! Formats the result of a replay, for both `cargo refrain replay` and `cargo test`.

use super::{
    Filter, Style,
    cause::{cause, causes, idle},
    counted,
    differs::row_beside,
    failure,
    paint::{BOLD, DIM, ink, lines, paint},
    timeline,
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    event::Event,
    graph::Change,
    protocol::{Difference, Replay, Run},
    trace::Build,
    verdict::Property,
};

/// Maximum number of changed dependencies that are named.
const PACKAGES_MAX: usize = 10;

/// Formats the result of a replay. The first line begins with the result. Ends with a newline.
pub fn replay(replay: &Replay, style: Style) -> String {
    let answer = |answer: &str, color: AnsiColor| paint(answer, ink(color).bold(), style);
    match replay {
        Replay::Reproduced { failure: now, saved_causes, diverges: None } => {
            let answer = answer("reproduced", AnsiColor::Red);
            let mut text = format!("{answer}: the same events, the same failure\n{}", failure(now, style));
            if let Some(saved) = saved_causes {
                text += "the saved trace explains it differently:\n";
                text += &indented(causes(saved, &now.property), style);
            }
            text
        }
        Replay::Reproduced { failure: now, diverges: Some(from), .. } => {
            let answer = answer(&format!("reproduced, diverging from event {} on", from.event), AnsiColor::Red);
            let text = format!("{answer}: the same failure, in another run\n{}", difference(from, style));
            text + &failure(now, style)
        }
        Replay::PassesNow => {
            format!("{}: the saved failure does not happen any more\n", answer("passes now", AnsiColor::Green))
        }
        Replay::Stale { not_triggered } => {
            let answer = answer("stale", AnsiColor::Yellow);
            let text =
                format!("{answer}: the plan passes now, but parts of it were not triggered: this proves nothing\n");
            text + &indented(not_triggered.iter().map(idle), style)
        }
        Replay::Differs { failure: now, from } => {
            let answer = answer("differs", AnsiColor::Yellow);
            let text = format!("{answer}: event {} is the first that differs from the saved run\n", from.event);
            text + &difference(from, style) + &format!("the failure now:\n{}", failure(now, style))
        }
        Replay::Stopped { events, waits } => {
            let mut text = super::events(events, 0, style);
            let title = format!("stopped before event {}; the state at this point:", events.len());
            text += &format!("{}\n", paint(&title, BOLD, style));
            text + &indented(waits.iter().map(|wait| cause(wait, &Property::Progress)), style)
        }
        Replay::Ended { events, failure: now } => {
            let events = counted(*events as u64, "events");
            let text = format!("{}: the run has only {events}\n", paint("not stopped", BOLD, style));
            text + &now.as_ref().map_or_else(|| "it passes\n".to_owned(), |now| failure(now, style))
        }
    }
}

/// Formats a run that was executed just now, with what it printed and the parts of its plan that were not triggered. Ends with a newline.
pub fn ran(run: &Run, filter: &Filter, style: Style) -> String {
    let mut text = timeline(run, filter, style);
    // A failure names them itself.
    if run.verdict.failure().is_none() {
        text += &indented(run.not_triggered.iter().map(idle), style);
    }
    if run.printed.trim().is_empty() {
        return text;
    }
    let printed = run.printed.trim_matches('\n').lines().map(|line| format!("  {}\n", escaped(line)));
    text + "output of the run:\n" + &printed.collect::<String>()
}

/// Formats where two runs diverge, and possible reasons.
fn difference(from: &Difference, style: Style) -> String {
    let mut text = side("saved", from.saved.as_ref(), from.now.as_ref(), style)
        + &side("now", from.now.as_ref(), from.saved.as_ref(), style);
    let packages = packages_differ(&from.packages);
    let builds = || builds_differ(&from.builds.0, &from.builds.1);
    text += &match &from.nearby {
        None if packages.is_some() && from.builds.0 == from.builds.1 => String::new(),
        None => indented(std::iter::once(builds()), style),
        Some(plan) => {
            let intro = "the saved plan passes now, but this nearby plan fails:".to_owned();
            indented(std::iter::once(intro).chain(plan.sentences()), style)
        }
    };
    text += &indented(packages.into_iter(), style);
    text + &indented(from.not_triggered.iter().map(idle), style)
}

/// Formats texts below the result, each on its own lines.
fn indented(texts: impl Iterator<Item = String>, style: Style) -> String {
    texts.flat_map(|text| lines(&text, 2, style)).map(|line| format!("  {line}\n")).collect()
}

/// Formats the first suspects: dependencies of other versions.
fn packages_differ(changes: &[Change]) -> Option<String> {
    let versions = |versions: &[String]| versions.join(" and ");
    let change = |Change { name, before, now }: &Change| match (&before[..], &now[..]) {
        ([], now) => format!("{name} {} is new", versions(now)),
        (before, []) => format!("{name} {} is gone", versions(before)),
        (before, now) => format!("{name} {} -> {}", versions(before), versions(now)),
    };
    let named: Vec<String> = changes.iter().take(PACKAGES_MAX).map(change).collect();
    let more = match changes.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    (!named.is_empty()).then(|| format!("other dependencies than when it was saved: {}{more}", named.join(", ")))
}

/// Formats what else to suspect: a different build, or the service.
fn builds_differ(saved: &Build, now: &Build) -> String {
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

/// Formats one side of a difference, beside the other one.
fn side(name: &str, event: Option<&Event>, other: Option<&Event>, style: Style) -> String {
    const INDENT: usize = "  saved  ".len();
    let event =
        lines(&event.map_or_else(|| "the run had ended".to_owned(), |event| row_beside(event, other)), INDENT, style);
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
        plan::{Nearest, NotTriggered, Part},
        verdict::{Cause, Class, Detail, Failure, Wait, Waiting},
    };

    #[track_caller]
    fn check(shown: &Replay, expected: &str) {
        assert_eq!(replay(shown, Style::default()), expected);
    }

    fn waits() -> Cause {
        let task = Task { place: "src/link.rs:88".parse().unwrap(), nth: 1 };
        let (waits, since) = (vec![Wait::Signal], 12_301_000_000);
        Cause::Waits(Waiting {
            host: "notes".into(),
            task,
            main: true,
            waits,
            since,
            deadline: None,
            timer: None,
            gave_up: None,
            used: None,
        })
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
FAILED deadlock: no task can make progress: all of them wait
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Reproduced { failure: deadlock(), saved_causes: None, diverges: None }, expected);
    }

    #[test]
    fn a_failure_that_is_explained_in_another_way_shows_the_saved_explanation() {
        let saved_causes = Some(vec![Cause::Printed("out of sockets".into())]);
        let expected = "\
reproduced: the same events, the same failure
FAILED deadlock: no task can make progress: all of them wait
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
the saved trace explains it differently:
  printed: out of sockets
";
        check(&Replay::Reproduced { failure: deadlock(), saved_causes, diverges: None }, expected);
    }

    fn difference(nearby: Option<&str>) -> Box<Difference> {
        let event = |at| Event { at, host: "notes".into(), task: None, kind: Kind::Start };
        Box::new(Difference {
            event: 17,
            saved: Some(event(12_300_000_000)),
            now: Some(event(12_300_000_001)),
            builds: (build("debug"), build("release")),
            packages: vec![],
            not_triggered: vec![NotTriggered { part: Part::Choices, nearest: Nearest::Nothing }],
            nearby: nearby.map(|plan| plan.parse().unwrap()),
        })
    }

    #[test]
    fn a_difference_shows_both_sides_to_the_nanosecond() {
        let expected = "\
differs: event 17 is the first that differs from the saved run
  saved  00:00:12.300000000  notes  starts
  now    00:00:12.300000001  notes  starts
  saved by refrain 0.1.0 on x86_64-linux (debug), this is 0.1.0 on x86_64-linux (release)
  not triggered: the last choices of the plan, because the model makes other ones now: nothing similar happened
the failure now:
FAILED deadlock: no task can make progress: all of them wait
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Differs { failure: deadlock(), from: difference(None) }, expected);
    }

    #[test]
    fn a_difference_names_the_dependencies_of_other_versions() {
        let change = |name: &str, before: &[&str], now: &[&str]| {
            let owned = |versions: &[&str]| versions.iter().map(ToString::to_string).collect();
            Change { name: name.into(), before: owned(before), now: owned(now) }
        };
        let mut from = difference(None);
        from.packages = vec![
            change("hyper-util", &["0.1.9"], &["0.1.10"]),
            change("rand", &["0.8.5", "0.9.0"], &["0.9.1"]),
            change("slab", &[], &["0.4.9"]),
            change("tap", &["1.0.1"], &[]),
        ];
        let named = "hyper-util 0.1.9 -> 0.1.10, rand 0.8.5 and 0.9.0 -> 0.9.1, slab 0.4.9 is new, tap 1.0.1 is gone";
        let expected = |more: &str, build: &str| {
            format!("{build}  other dependencies than when it was saved: {named}{more}\n  not triggered:")
        };
        let text = |from: &Difference| {
            replay(&Replay::Differs { failure: deadlock(), from: Box::new(from.clone()) }, Style::default())
        };
        let build = "  saved by refrain 0.1.0 on x86_64-linux (debug), this is 0.1.0 on x86_64-linux (release)\n";
        assert!(text(&from).contains(&expected("", build)), "{}", text(&from));
        from.builds.1 = from.builds.0.clone();
        assert!(text(&from).contains(&expected("", "  now    00:00:12.300000001  notes  starts\n")), "{}", text(&from));
        from.packages.truncate(3);
        from.packages.splice(0..0, (0..PACKAGES_MAX).map(|_| change("tap", &["1"], &["2"])));
        assert!(text(&from).contains("tap 1 -> 2, and 3 more\n"), "{}", text(&from));
    }

    #[test]
    fn the_same_failure_in_another_run_tells_where_they_part() {
        let expected = "\
reproduced, diverging from event 17 on: the same failure, in another run
  saved  00:00:12.300000000  notes  starts
  now    00:00:12.300000001  notes  starts
  the saved plan passes now, but this nearby plan fails:
  seed 7
  not triggered: the last choices of the plan, because the model makes other ones now: nothing similar happened
FAILED deadlock: no task can make progress: all of them wait
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        let diverges = Some(difference(Some("seed 7")));
        check(&Replay::Reproduced { failure: deadlock(), saved_causes: None, diverges }, expected);
    }

    #[test]
    fn a_stale_plan_tells_what_was_not_triggered_and_what_came_nearest() {
        let fault = Part::Fault("cut a <-> b when a accepts its 9th connection".parse().unwrap());
        let hold = "hold the 1st task spawned on a at src/a.rs:7 at its 3rd poll for 1 s";
        let hold = || Part::Hold(hold.parse().unwrap());
        let places = vec!["src/a.rs:9".parse().unwrap(), "src/b.rs:1".parse().unwrap()];
        let idle = |part, nearest| NotTriggered { part, nearest };
        let not_triggered = vec![
            idle(fault, Nearest::Happened(1)),
            idle(hold(), Nearest::Polled(2)),
            idle(hold(), Nearest::SpawnedAt(places)),
        ];
        let expected = "\
stale: the plan passes now, but parts of it were not triggered: this proves nothing
  not triggered: cut a <-> b when a accepts its 9th connection: that happened 1 time in the run
  not triggered: hold the 1st task spawned on a at src/a.rs:7 at its 3rd poll for 1 s: that task is polled 2 times
  not triggered: hold the 1st task spawned on a at src/a.rs:7 at its 3rd poll for 1 s: no task is spawned there on that host; the nearest places where one is: src/a.rs:9, src/b.rs:1
";
        check(&Replay::Stale { not_triggered }, expected);
    }

    #[test]
    fn a_run_that_ends_before_it_is_stopped_tells_how() {
        let expected = "\
not stopped: the run has only 31 events
FAILED deadlock: no task can make progress: all of them wait
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Ended { events: 31, failure: Some(deadlock()) }, expected);
    }

    #[test]
    fn a_stopped_run_shows_what_waits() {
        let event = Event { at: 0, host: "notes".into(), task: None, kind: Kind::Start };
        let expected = "\
#  time          host   task  what
0  00:00:00.000  notes        starts
stopped before event 1; the state at this point:
  notes: the main task waits for a signal, since 00:00:12.301, no deadline
";
        check(&Replay::Stopped { events: vec![event], waits: vec![waits()] }, expected);
    }
}
