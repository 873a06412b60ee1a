//! `calcon check`: each cause of event 41220 is named, with the file, the line and the remedy.

use crate::entry::Keys;
use crate::production::{Daemon, query, root};
use crate::{TWO_DAYS, calcon, exchange, folder, notes, pair, printed};
use calcon::check::Check;
use calcon::keys::Authority;
use calcon::problem::Cause;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Writes the files of a Notes side that finds the server, and returns its settings file.
pub fn notes_side(name: &str, server: &str, profile: &str) -> PathBuf {
    let folder = folder(name);
    let calendars = root().join("samples/notes");
    let settings = format!("calendars = {calendars:?}\nnotes_ini = \"notes.ini\"\nexchange = {server:?}\n");
    let files = [("notes.toml", settings.as_str()), ("notes.ini", profile), ("calcon.id", ID)];
    files.into_iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("written"));
    folder.join("notes.toml")
}

/// The ID file of Calcon.
const ID: &str = "Name=CN=Calcon\n";

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

pub const GOOD: &str = "[Notes]\nKeyFilename=calcon.id\nLocation=Office\n";

#[test]
fn a_side_that_can_start_passes() {
    let exchange = exchange("samples/exchange", &[]);
    let settings = notes_side("check-good", &exchange.address, GOOD);
    let shown = printed(check(&settings, &[]), 0);
    assert_eq!(shown.lines().filter(|line| line.starts_with("ok      ")).count(), 4, "{shown}");
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
fn the_id_file_must_be_that_of_the_connector() {
    let exchange = exchange("samples/exchange", &[]);
    let of = |id: &str, more: &str| {
        let settings = notes_side("check-id", &exchange.address, GOOD);
        fs::write(settings.with_file_name("calcon.id"), id).expect("written");
        let text = fs::read_to_string(&settings).expect("read") + more;
        fs::write(&settings, text).expect("written");
        settings
    };
    let (cause, place, text) = one_problem(&of("Name=CN=Erin/O=Example\n", ""));
    assert_eq!((cause, place.as_str()), (Cause::KeyFilename, "notes.ini:2"), "{text}");
    assert!(text.contains("that is the ID file of CN=Erin/O=Example, not of CN=Calcon"), "{text}");
    printed(check(&of("Name=CN=Erin/O=Example\n", "identity = \"cn=erin/o=example\"\n"), &[]), 0);
    for id in ["", "Name=\n", "-----BEGIN PRIVATE KEY-----\nhunter2\n"] {
        let (cause, place, text) = one_problem(&of(id, ""));
        assert_eq!((cause, place.as_str()), (Cause::KeyFilename, "notes.ini:2"), "{text}");
        assert!(text.contains("calcon.id is no ID file") && !text.contains("hunter2"), "{text}");
    }
    let (cause, place, text) = one_problem(&of(ID, "\n[access]\nrevoked = [\"CN=Calcon\"]\n"));
    assert_eq!((cause, place.as_str()), (Cause::Refused, "notes.toml:6"), "{text}");
    assert!(text.contains("CN=Calcon is revoked: take it from `revoked`"), "{text}");
}

#[test]
fn a_certificate_that_the_other_side_does_not_pin_is_refused_before_the_start() {
    let keys = Keys::new("check-pinned");
    let exchange = keys.exchange();
    keys.make(&["--name", "mallory"]);
    let to = format!("exchange = {:?}", exchange.address);
    let (cause, _, text) = one_problem(Path::new(&keys.settings("notes", "mallory", &to, "")));
    assert_eq!(cause, Cause::Refused, "{text}");
    assert!(text.contains("mallory") && text.contains("is not notes, which `peer` names"), "{text}");
    assert!(text.contains("set `peer` of that side to the name in the certificate of this side"), "{text}");
}

#[test]
fn a_check_affects_no_link() {
    let (mut exchange, _notes) = pair(&[]);
    for _ in 0..3 {
        printed(check(&notes_side("check-link", &exchange.address, GOOD), &[]), 0);
    }
    printed(query(&exchange.address, "carol@notes.example", &TWO_DAYS), 0);
    exchange.stop();
    assert_eq!(exchange.log.iter().filter(|line| line.contains("link up")).count(), 1, "{:#?}", exchange.log);
    assert!(!exchange.log.iter().any(|line| line.contains("replaced")), "{:#?}", exchange.log);
}

#[test]
fn wrong_settings_are_named_with_their_line() {
    let folder = folder("check-settings");
    let file = folder.join("notes.toml");
    let cases = [
        ("calendars = \"x\"\nsessions_max = \"hunter2\"\n", 2, "invalid type: a text, expected usize"),
        ("calendars = \"x\"\n\npasword = \"hunter2\"\n", 3, "unknown field `pasword`"),
        ("calendars = hunter2\n", 1, ""),
    ];
    for (text, line, what) in cases {
        fs::write(&file, text).expect("written");
        let (cause, place, text) = one_problem(&file);
        assert_eq!((cause, place), (Cause::Settings, format!("notes.toml:{line}")), "{text}");
        assert!(text.contains(what) && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_log_that_cannot_be_written_is_named_and_none_is_left() {
    let exchange = exchange("samples/exchange", &[]);
    let settings = notes_side("check-log", &exchange.address, GOOD);
    let text = fs::read_to_string(&settings).expect("read");
    let with = |log: &str| fs::write(&settings, format!("{text}browse_log = {log:?}\n")).expect("written");
    with("gone/browse.log");
    let (cause, place, text) = one_problem(&settings);
    assert_eq!((cause, place.as_str()), (Cause::Settings, "notes.toml:4"), "{text}");
    assert!(text.contains("set `browse_log` to a file"), "{text}");
    with("browse.log");
    printed(check(&settings, &[]), 0);
    assert!(!settings.with_file_name("browse.log").exists(), "a check leaves nothing");
}

/// Checks the Exchange side, whose certificates have one problem; returns its cause, its file, and its text.
#[track_caller]
fn problem_of_exchange(keys: &Keys) -> (Cause, String, String) {
    let settings = keys.settings("exchange", "exchange", "", "");
    let output = calcon(&["check", "exchange", "--json", "--settings", &settings]);
    let checks: Vec<Check> = serde_json::from_slice(&output.stdout).expect("checks");
    printed(output, 6);
    let problems: Vec<_> = checks.into_iter().flat_map(|check| check.problems).collect();
    let [problem] = &problems[..] else { panic!("not one problem: {problems:?}") };
    assert!(problem.tried.starts_with("to ") && !problem.remedy.is_empty(), "{problem:?}");
    let file = problem.file.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    (problem.cause, file.to_owned(), problem.to_string())
}

#[test]
fn each_problem_of_the_certificates_is_named_with_its_file() {
    let (keys, other) = (Keys::new("check-keys"), Keys::new("check-keys-other"));
    let key = keys.file("exchange.key");
    let set = |mode| fs::set_permissions(&key, Permissions::from_mode(mode)).expect("set");
    set(0o640);
    let (cause, file, text) = problem_of_exchange(&keys);
    assert_eq!((cause, file.as_str()), (Cause::MissingRight, "exchange.key"), "{text}");
    assert!(text.ends_with("others may read it: its mode is 640: `chmod 600` it"), "{text}");
    set(0o600);
    let put_aside = |name: &str| fs::rename(keys.file(name), keys.file("aside")).expect("moved");
    let put_back = |name: &str| fs::rename(keys.file("aside"), keys.file(name)).expect("moved");
    put_aside("exchange.key");
    let (cause, file, text) = problem_of_exchange(&keys);
    assert_eq!((cause, file.as_str()), (Cause::Certificate, "exchange.key"), "{text}");
    assert!(text.contains("No such file"), "{text}");
    fs::copy(other.file("exchange.key"), &key).expect("copied");
    let (cause, file, text) = problem_of_exchange(&keys);
    assert_eq!((cause, file.as_str()), (Cause::Certificate, "exchange.pem"), "{text}");
    assert!(text.contains("the key is not that of the certificate"), "{text}");
    put_back("exchange.key");
    put_aside("ca.pem");
    fs::copy(other.file("ca.pem"), keys.file("ca.pem")).expect("copied");
    let (cause, file, text) = problem_of_exchange(&keys);
    assert_eq!((cause, file.as_str()), (Cause::Certificate, "exchange.pem"), "{text}");
    assert!(text.contains("the certificate is not of the CA in `ca`"), "{text}");
    // Of a CA that made it long ago.
    let now = chrono::Utc::now();
    let authority = Authority::new(now).expect("a CA");
    let expired = authority.issue("exchange", now - chrono::TimeDelta::days(100), 50).expect("issued");
    let files =
        [("ca.pem", &authority.certificate), ("exchange.pem", &expired.certificate), ("exchange.key", &expired.key)];
    files.iter().for_each(|(name, text)| fs::write(keys.file(name), text).expect("written"));
    let (cause, file, text) = problem_of_exchange(&keys);
    assert_eq!((cause, file.as_str()), (Cause::Certificate, "exchange.pem"), "{text}");
    assert!(text.contains("the certificate has expired: make another one, `calcon keys DIR --renew NAME`"), "{text}");
}

#[test]
fn what_the_other_side_shows_is_checked() {
    let keys = Keys::new("check-peer");
    let (secured, plain) = (keys.exchange(), exchange("samples/exchange", &[]));
    let of = |settings: &str| one_problem(Path::new(settings));
    let to = |daemon: &Daemon| format!("exchange = {:?}", daemon.address);
    let good = keys.settings("notes", "notes", &to(&secured), "");
    printed(check(Path::new(&good), &[]), 0);
    // The name is not that in its certificate.
    let text = fs::read_to_string(&good).expect("read").replace("peer = \"exchange\"", "peer = \"outlook\"");
    fs::write(&good, text).expect("written");
    let (cause, place, text) = of(&good);
    assert_eq!((cause, place.as_str()), (Cause::Certificate, "notes-notes.toml:3"), "{text}");
    assert!(text.contains("the certificate is not of outlook, but of"), "{text}");
    // One of the two has no credentials.
    let (cause, _, text) = of(&keys.settings("notes", "notes", &to(&plain), ""));
    assert_eq!(cause, Cause::Refused, "{text}");
    assert!(text.ends_with("give that side credentials, or take those of this side away"), "{text}");
    let (cause, _, text) = one_problem(&notes_side("check-plain", &secured.address, GOOD));
    assert_eq!(cause, Cause::Refused, "{text}");
    assert!(text.contains("make credentials, `calcon keys DIR`"), "{text}");
}

#[test]
fn an_open_address_without_credentials_is_named() {
    let output = calcon(&["check", "exchange", "--listen", "0.0.0.0:0", "--calendars", "samples/exchange"]);
    let shown = printed_text(output);
    assert!(shown.contains("0.0.0.0:0 is open to other machines, and there are no credentials"), "{shown}");
}
