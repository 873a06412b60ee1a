//! The task that needs a session (Q245545): what it says when it has none, and that it starts when it has one, without a restart.

use crate::calcon;
use crate::check::{GOOD, notes_side};
use crate::console::shows;
use crate::production::{Daemon, query};
use crate::{TWO_DAYS, printed};
use calcon::console::Task;
use std::fs;
use std::path::Path;

const FORM: &str = "LME-NOTES-NTSMEX(0130) 1 41220:Error: no Notes Session Open; ";

fn start(settings: &Path) -> Daemon {
    Daemon::start(&["notes", "--listen", "127.0.0.1:0", "--settings", settings.to_str().expect("UTF-8")])
}

#[test]
fn without_a_session_the_task_says_why_and_the_rest_is_served() {
    let profiles = [
        ("[Notes]\nLocation=Office\n", "notes.ini:3: KeyFilename is missing: add `KeyFilename=` and the ID file"),
        ("[Notes]\nKeyFilename=other.id\nLocation=Office\n", "notes.ini:2: KeyFilename=other.id: there is no file "),
        ("[Notes]\nKeyFilename=calcon.id\n", "notes.ini:3: Location is missing: add `Location=Office`"),
        (
            "[Notes]\nKeyFilename=calcon.id\nLOCATION=Travel,2AE,CN=Calcon\n",
            "notes.ini:3: Location=Travel: databases on the server open only from Office: write `Location=Office`",
        ),
        (
            "KeyFilename=calcon.id\nLocation=Moon\n",
            "notes.ini:2: Location=Moon: no such location: write `Location=Office`",
        ),
    ];
    for (profile, reason) in profiles {
        let settings = notes_side("ntsmex-profile", "127.0.0.1:1", profile);
        let mut notes = start(&settings);
        let line = notes.wait_for("41220");
        assert!(line.contains(FORM) && line.contains(reason), "{line}");
        let tasks = shows(&["show", "tasks", "--at", &notes.console], "LME-NOTES-NTSMEX waiting for a session: ");
        assert!(tasks.contains(reason), "{tasks}");
        printed(query(&notes.address, "carol@notes.example", &TWO_DAYS), 0);
        assert_eq!(notes.stop(), Some(0));
        let is_of_id = reason.contains("KeyFilename");
        assert_eq!(notes.log.iter().any(|line| line.contains("number=2001")), is_of_id, "{:#?}", notes.log);
    }
}

#[test]
fn the_task_starts_when_its_profile_is_repaired() {
    let settings = notes_side("ntsmex-repaired", "127.0.0.1:1", "[Notes]\nKeyFilename=user.id\nLocation=Office\n");
    let mut notes = start(&settings);
    let at = notes.console.clone();
    notes.wait_for(FORM);
    assert!(!printed(calcon(&["show", "users", "--at", &at]), 0).contains("CN=Calcon"));
    fs::write(settings.with_file_name("notes.ini"), GOOD).expect("written");
    shows(&["show", "tasks", "--at", &at], "LME-NOTES-NTSMEX running as CN=Calcon in session 10000\n");
    let users = printed(calcon(&["show", "users", "--at", &at]), 0);
    assert!(users.contains("10000       CN=Calcon"), "{users}");
    assert_eq!(notes.stop(), Some(0));
}

#[test]
fn a_task_whose_session_is_dropped_gets_another_one() {
    let mut notes = start(&notes_side("ntsmex-dropped", "127.0.0.1:1", GOOD));
    let at = notes.console.clone();
    let tasks = ["show", "tasks", "--at", &at];
    shows(&tasks, "running as CN=Calcon in session 10000");
    assert_eq!(printed(calcon(&["drop", "CN=Calcon", "--at", &at]), 0), "dropped\n");
    let line = notes.wait_for("41220");
    assert!(line.contains("an operator has dropped the session of CN=Calcon"), "{line}");
    shows(&tasks, "running as CN=Calcon in session 20000");
    assert_eq!(printed(calcon(&["tell", "ntsmex", "quit", "--at", &at]), 0), "started\n");
    shows(&tasks, "LME-NOTES-NTSMEX not loaded\n");
    shows(&["show", "users", "--at", &at], "IDLE\n0 of 1024 sessions\n");
    printed(calcon(&["load", "NTSMEX", "--at", &at]), 0);
    shows(&tasks, "running as CN=Calcon in session 30000");
    let json = printed(calcon(&["show", "tasks", "--json", "--at", &at]), 0);
    let tasks: Vec<Task> = serde_json::from_str(&json).expect("tasks");
    let task = tasks.iter().find(|task| task.name == "ntsmex").expect("it is listed");
    assert_eq!((task.status.as_str(), task.holder.as_deref()), ("running", Some("CN=Calcon")), "{json}");
    assert_eq!((task.session.as_deref(), task.why.as_deref()), (Some("30000"), None), "{json}");
}

#[test]
fn a_task_whose_identity_is_revoked_stops() {
    let settings = notes_side("ntsmex-revoked", "127.0.0.1:1", GOOD);
    let text = fs::read_to_string(&settings).expect("read");
    let mut notes = start(&settings);
    let at = notes.console.clone();
    let tasks = ["show", "tasks", "--at", &at];
    shows(&tasks, "running as CN=Calcon");
    fs::write(&settings, format!("{text}[access]\nrevoked = [\"CN=Calcon\"]\n")).expect("written");
    printed(calcon(&["reload", "--at", &at]), 0);
    let line = notes.wait_for("41220");
    assert!(line.contains("CN=Calcon is not accepted: take it from `revoked`, and `calcon reload`"), "{line}");
    shows(&["show", "users", "--at", &at], "IDLE\n0 of 1024 sessions\n");
    fs::write(&settings, text).expect("written");
    printed(calcon(&["reload", "--at", &at]), 0);
    shows(&tasks, "running as CN=Calcon");
}
