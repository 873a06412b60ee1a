//! The browse log as a file: lines in the old form, set aside when it is long, and no obstacle when it cannot be written.

use crate::check::{GOOD, notes_side};
use crate::memory::asking;
use crate::production::{Daemon, LIMIT, query};
use crate::{TWO_DAYS, calcon, folder, printed};
use calcon::query::Query;
use calcon::wire::Role;
use chrono::{NaiveDateTime, Utc};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Starts a Notes side whose other side is not there.
fn start(folder: &Path, more: &[&str]) -> Daemon {
    let log = folder.join("browse.log");
    let args = ["notes", "--listen", "127.0.0.1:0", "--calendars", "samples/notes", "--exchange", "127.0.0.1:1"];
    Daemon::start(&[&args[..], &["--browse-log", log.to_str().expect("UTF-8")], more].concat())
}

/// Returns the files of a folder that begin with a name, by name.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
    names.retain(|name| name.starts_with("browse.log"));
    names.sort();
    names
}

#[test]
fn events_are_lines_in_the_old_form() {
    let settings = notes_side("browse-form", "127.0.0.1:1", &GOOD.replace("calcon.id", "user.id"));
    let ini = settings.with_file_name("notes.ini");
    let folder = settings.parent().expect("a folder");
    let mut notes = start(folder, &["--notes-ini", ini.to_str().expect("UTF-8")]);
    notes.wait_for("41220");
    printed(query(&notes.address, "alice@exchange.example", &TWO_DAYS), 5);
    assert_eq!(notes.stop(), Some(0));
    let text = fs::read_to_string(folder.join("browse.log")).expect("read");
    let events: Vec<&str> = text
        .lines()
        .map(|line| {
            let (time, event) = line.split_at("2026-08-03 09:00:00Z ".len());
            NaiveDateTime::parse_from_str(time, "%F %TZ ").expect("a time");
            event
        })
        .collect();
    let at = ini.display();
    let why = format!("{at}:2: KeyFilename=user.id: there is no file {}", ini.with_file_name("user.id").display());
    let id_file = format!("LME-NOTES-NTSMEX(0130) 1 2001:Error: the ID file cannot be used: {why}: name the ID file");
    let no_session = format!("LME-NOTES-NTSMEX(0130) 1 41220:Error: no Notes Session Open; {why}: name the ID file");
    assert_eq!(events[..2], [&id_file, &no_session], "{text}");
    let link = events.iter().filter(|event| event.starts_with("CALCON(0140) 1 5010:Error: the link to the other side"));
    assert_eq!(link.count(), 1, "{text}");
}

#[test]
fn a_long_log_is_set_aside_and_the_oldest_is_removed() {
    let folder = folder("browse-rotation");
    let mut notes = start(&folder, &["--browse-log-bytes-max", "4096", "--browse-log-files-max", "3"]);
    let began = Instant::now();
    let (query, mut clients) = (Query::days("alice@exchange.example", Utc::now(), 1), vec![]);
    let oldest = || fs::metadata(folder.join("browse.log.2")).ok().map(|file| file.ino());
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        assert!(began.elapsed() < LIMIT, "{:?}", files(&folder));
        clients.push(asking(&notes.address, Role::Client, &query, 10));
        sleep(Duration::from_millis(10));
        seen.extend(oldest());
    }
    assert_eq!(notes.stop(), Some(0));
    assert_eq!(files(&folder), ["browse.log", "browse.log.1", "browse.log.2"]);
    for name in ["browse.log.1", "browse.log.2"] {
        let bytes = fs::metadata(folder.join(name)).expect("it is there").len();
        assert!((2048..=4096).contains(&bytes), "{name} has {bytes} bytes");
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_and_what_is_missing_is_told() {
    let parent = folder("browse-gone");
    let folder = parent.join("log");
    fs::create_dir(&folder).expect("made");
    let mut notes = start(&folder, &[]);
    let at = notes.address.clone();
    let ask = || printed(query(&at, "alice@exchange.example", &TWO_DAYS), 5);
    let has_event = || fs::read_to_string(folder.join("browse.log")).unwrap_or_default().contains("5010:Error");
    let began = Instant::now();
    ask();
    // Events are written after the answer, by a thread of their own.
    while !has_event() {
        assert!(began.elapsed() < LIMIT, "it is not written");
        sleep(Duration::from_millis(10));
    }
    fs::rename(&folder, parent.join("aside")).expect("moved");
    ask();
    notes.wait_for("cannot write the browse log");
    fs::create_dir(&folder).expect("made");
    // The file is written with the next event.
    while !has_event() {
        assert!(began.elapsed() < LIMIT, "it is not written again");
        ask();
    }
    assert_eq!(notes.stop(), Some(0));
    let text = fs::read_to_string(folder.join("browse.log")).expect("read");
    assert!(text.contains("CALCON(0140) 1 5013:Error: 1 events are missing here\n"), "{text}");
}

#[test]
fn a_log_that_cannot_be_made_prevents_the_start() {
    let args = ["exchange", "--calendars", "samples/exchange", "--browse-log", "/nowhere/browse.log"];
    let refused = printed(calcon(&args), 1);
    assert!(refused.contains("cannot write the browse log to /nowhere/browse.log"), "{refused}");
}

#[test]
fn the_numbers_are_printed_with_what_to_do() {
    let text = printed(calcon(&["events"]), 0);
    assert_eq!(text.lines().filter(|line| line.starts_with("41220 ")).count(), 1, "{text}");
    let json = printed(calcon(&["events", "--json"]), 0);
    let numbers: Vec<serde_json::Value> = serde_json::from_str(&json).expect("a list");
    assert_eq!(numbers.last().map(|number| &number["number"]), Some(&41220.into()), "{json}");
}
