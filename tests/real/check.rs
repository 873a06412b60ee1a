//! `calcon check`: each cause of event 41220 is named, with the file, the line and the remedy.

use crate::production::root;
use crate::{calcon, exchange, folder, notes, printed};
use calcon::check::Check;
use calcon::problem::Cause;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Writes the files of a Notes side that finds the server, and returns its settings file.
fn notes_side(name: &str, server: &str, profile: &str) -> PathBuf {
    let folder = folder(name);
    let calendars = root().join("samples/notes");
    let settings = format!("calendars = {calendars:?}\nnotes_ini = \"notes.ini\"\nexchange = {server:?}\n");
    let files = [("notes.toml", settings.as_str()), ("notes.ini", profile), ("calcon.id", "")];
    files.into_iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("written"));
    folder.join("notes.toml")
}

fn check(settings: &Path, more: &[&str]) -> Output {
    calcon(&[&["check", "notes", "--settings", settings.to_str().expect("UTF-8")], more].concat())
}

/// Asserts that the check finds one problem, and returns its cause, its file and line, and its text.
#[track_caller]
fn one_problem(settings: &Path) -> (Cause, String, String) {
    let output = check(settings, &["--json"]);
    let checks: Vec<Check> = serde_json::from_slice(&output.stdout).expect("checks");
    printed(output, 6);
    let mut problems = checks.into_iter().flat_map(|check| check.problems);
    let problem = problems.next().expect("a problem");
    assert_eq!(problems.next(), None);
    assert!(problem.tried.starts_with("to ") && !problem.remedy.is_empty(), "{problem:?}");
    let file = problem.file.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let place = format!("{file}:{}", problem.line.unwrap_or_default());
    (problem.cause, place, problem.to_string())
}

const GOOD: &str = "[Notes]\nKeyFilename=calcon.id\nLocation=Office\n";

#[test]
fn a_side_that_can_start_passes() {
    let exchange = exchange("samples/exchange", &[]);
    let settings = notes_side("check-good", &exchange.address, GOOD);
    let shown = printed(check(&settings, &[]), 0);
    assert_eq!(shown.lines().filter(|line| line.starts_with("ok      ")).count(), 3, "{shown}");
    let checks = printed(calcon(&["check", "exchange", "--settings", "samples/exchange.toml"]), 0);
    assert!(checks.starts_with("ok      the calendars in samples/exchange"), "{checks}");
}

#[test]
fn each_cause_of_event_41220_is_named_with_its_line() {
    let exchange = exchange("samples/exchange", &[]);
    let of = |profile: &str| one_problem(&notes_side("check-profile", &exchange.address, profile));
    let (cause, place, text) = of("[Notes]\nKeyFilename=user.id\nLocation=Office\n");
    assert_eq!((cause, place.as_str()), (Cause::KeyFilename, "notes.ini:2"), "{text}");
    assert!(text.ends_with("user.id: name the ID file"), "{text}");
    let (cause, place, text) = of("[Notes]\nLocation=Office\n");
    assert_eq!((cause, place.as_str()), (Cause::KeyFilename, "notes.ini:3"), "{text}");
    let (cause, place, text) = of("[Notes]\nKeyFilename=calcon.id\nLocation=Travel\n");
    assert_eq!((cause, place.as_str()), (Cause::Location, "notes.ini:3"), "{text}");
    let (cause, place, text) = one_problem(&notes_side("check-unreachable", "127.0.0.1:1", GOOD));
    assert_eq!((cause, place.as_str()), (Cause::Unreachable, "notes.toml:3"), "{text}");
    assert!(text.contains("cannot connect to 127.0.0.1:1"), "{text}");
    let other = notes(root().join("samples/notes").to_str().expect("UTF-8"), &exchange.address);
    let (cause, place, text) = one_problem(&notes_side("check-refused", &other.address, GOOD));
    assert_eq!((cause, place.as_str()), (Cause::Refused, "notes.toml:3"), "{text}");
}

#[test]
fn every_problem_is_found_at_once() {
    let settings = notes_side("check-all", "127.0.0.1:1", "Location=Island\n");
    let shown = printed_text(check(&settings, &[]));
    for expected in
        ["KeyFilename is missing", "Location=Island", "cause: unreachable, tried: to connect to 127.0.0.1:1"]
    {
        assert!(shown.contains(expected), "{shown}");
    }
    let broken = printed_text(calcon(&["check", "notes", "--settings", "/nowhere.toml"]));
    assert!(broken.contains("cannot read the settings in /nowhere.toml"), "{broken}");
}

/// Asserts that a check failed, and returns what it printed.
#[track_caller]
fn printed_text(output: Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    printed(output, 6);
    text
}

#[test]
fn a_daemon_that_cannot_open_a_session_says_so_in_the_old_form() {
    let settings = notes_side("check-41220", "127.0.0.1:1", "[Notes]\nKeyFilename=user.id\nLocation=Office\n");
    let output = calcon(&["notes", "--settings", settings.to_str().expect("UTF-8")]);
    let log = printed(output, 2);
    assert!(log.contains("LME-NOTES-NTSMEX(0130) 1 41220:Error: no Notes Session Open"), "{log}");
    assert!(log.contains("notes.ini:2: KeyFilename=user.id: there is no file"), "{log}");
}
