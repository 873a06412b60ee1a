//! What programs read: messages in JSON, JUnit reports, and what GitHub Actions shows.

use super::fixture::{
    Ran, answers, caught, exploration, failure, fixture, lines, refrain, refrain_command, saved, write,
};
use refrain_core::{
    protocol::{Message, Outcome, Replay, SavedAt},
    verdict::{Cause, Class},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

const SCHEMA: &str = include_str!("../../../report/schema/messages.json");

/// Returns the messages of a command, each with the keys that the schema demands and no other; the last one has the exit code.
#[track_caller]
fn messages(args: &[&str]) -> Vec<Value> {
    let ran = refrain(&[args, &["--message-format", "json"]].concat());
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let all: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    for message in &all {
        let reason = message["reason"].as_str().expect("it has a reason");
        let definition = &schema["$defs"][reason];
        let keys: BTreeSet<&str> = message.as_object().expect("an object").keys().map(String::as_str).collect();
        let required = definition["required"].as_array().expect("the schema has the reason");
        assert_eq!(keys, required.iter().filter_map(Value::as_str).collect(), "{reason}");
        assert_eq!(message["format"], schema["$id"], "{reason}");
    }
    let last = all.last().expect("a command ends with a message");
    assert_eq!((&last["reason"], &last["exit_code"]), (&"finished".into(), &ran.code.into()), "{ran:?}");
    all
}

fn reasons(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["reason"].as_str().expect("it has a reason")).collect()
}

#[test]
fn every_command_speaks_to_programs() {
    let reproduced = Replay::Reproduced { failure: failure(Class::Stall), saved_causes: None, diverges: None };
    saved("replays/told.jsonl", "bad::fails", Some(Outcome::Replayed(reproduced)));
    let replayed = messages(&["replay", "replays/told.jsonl"]);
    assert_eq!(reasons(&replayed), ["replayed", "finished"]);
    assert_eq!((&replayed[0]["result"], &replayed[0]["failure"]["class"]), (&"reproduced".into(), &"stall".into()));
    assert_eq!(
        (&replayed[0]["failure"]["file"], &replayed[0]["failure"]["line"]),
        (&"tests/link.rs".into(), &31.into())
    );

    let shown = messages(&["show", "replays/told.jsonl", "--from", "1"]);
    assert_eq!(reasons(&shown), ["shown", "finished"]);
    assert_eq!(shown[0]["run"]["events"][0]["n"], 1);
    assert_eq!(reasons(&messages(&["show", "replays/told.jsonl", "--plan"])), ["plan", "finished"]);
    assert_eq!(reasons(&messages(&["show", "replays/told.jsonl", "-o", "replays/told.txt"])), ["written", "finished"]);

    let explored = messages(&["explore", "bad::fails"]);
    assert_eq!(reasons(&explored), ["explored", "finished"]);
    assert_eq!((&explored[0]["result"], &explored[0]["test"]["name"]), (&"failed".into(), &"bad::fails".into()));
    let trace = explored[0]["failure"]["trace"].as_str().expect("it was saved");
    assert!(trace.ends_with("traces/fails-7c1e.jsonl"), "{trace}");
    assert_eq!(reasons(&messages(&["explore", "broken::refuses"])), ["not-explored", "finished"]);

    let listed = messages(&["list", "--package", "fixture"]);
    assert!(reasons(&listed).iter().filter(|reason| **reason == "test").count() >= 18, "{listed:?}");
    let missing = messages(&["replay", "replays/missing.jsonl"]);
    assert_eq!(reasons(&missing), ["error", "finished"]);
    assert_eq!(reasons(&messages(&["sync"])), ["error", "finished"]);
}

#[test]
fn a_run_that_waits_for_a_debugger_says_how_to_get_there() {
    let trace = saved("replays/debugged.jsonl", "bad::fails", None);
    let ended = Outcome::Replayed(Replay::PassesNow);
    let said = lines(&[Message::AwaitsDebugger { process: 4711, event: 42 }, Message::Done(Box::new(ended))]);
    write(&trace.with_added_extension("answers"), &said);
    let debug = ["replay", "replays/debugged.jsonl", "--debug", "--at", "42"];
    let ran = refrain(&debug);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("process 4711 has come to event 42 and waits for a debugger:\n"), "{ran:?}");
    assert!(
        ran.stdout.contains("  gdb   rust-gdb -p 4711 -ex 'handle SIGSYS ") && ran.stdout.contains("' -ex continue ")
    );
    assert!(
        ran.stdout.contains("  lldb  rust-lldb -p 4711 -o 'process handle SIGSYS ")
            && ran.stdout.contains("' -o continue\n")
    );
    let request = fs::read_to_string(trace.with_added_extension("answers.request")).expect("it was asked");
    assert!(request.starts_with("{\"debug\":") && request.ends_with(",\"at\":42}}\n"), "{request}");
    assert_eq!(reasons(&messages(&debug)), ["awaits-debugger", "replayed", "finished"]);
    let both = refrain(&["replay", "replays/debugged.jsonl", "--debug", "--until", "3"]);
    assert_eq!(both.code, 2, "{both:?}");
    let alone = refrain(&["replay", "replays/debugged.jsonl", "--at", "3"]);
    assert_eq!(alone.code, 2, "{alone:?}");
}

#[test]
fn a_junit_report_has_every_test() {
    let ran = refrain(&["explore", "bad::", "--junit", "answers/junit.xml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report = fs::read_to_string(fixture().join("answers/junit.xml")).expect("it was written");
    assert!(report.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"refrain\" tests=\"2\" skipped=\"0\" failures=\"2\""
    ));
    let case =
        report.lines().find(|line| line.contains("<testcase name=\"bad::fails\" classname=\"fixture test/talks\" "));
    assert!(case.is_some_and(|case| case.ends_with(" file=\"tests/talks.rs\" line=\"300\">")), "{report}");
    let failure = report.lines().find(|line| line.contains("<failure message=\"FAILED stall: "));
    assert!(failure.is_some_and(|failure| failure.contains(" type=\"stall\">FAILED stall: ")), "{report}");
    let ran = refrain(&["explore", "broken::refuses", "--junit", "answers/refused.xml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let report = fs::read_to_string(fixture().join("answers/refused.xml")).expect("it was written");
    assert!(report.contains(" type=\"did not run\">"), "{report}");
    let ran = refrain(&["explore", "good::passes", "--junit", "no-such-folder/junit.xml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("cannot write no-such-folder/junit.xml: "), "{ran:?}");
}

/// A service chooses the texts of a failure.
#[test]
fn github_shows_a_failure_and_nothing_in_it_is_a_command() {
    let trace = saved("replays/evil.jsonl", "evil::github", None);
    let mut caught = caught(Path::new("/"), Class::Panic);
    caught.failure.causes = vec![Cause::Printed("x\n::error::forged\r\n```\n<b>100%".into())];
    caught.saved = SavedAt::Traces(trace);
    answers("evil-github", &lines(&[Message::Done(Box::new(Outcome::Explored(exploration(None, Some(caught)))))]));
    let summary = fixture().join("answers/summary.md");
    write(&summary, "before\n");
    let mut command = refrain_command(&["explore", "evil::github"]);
    let ran = Ran::of(command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary));
    assert_eq!(ran.code, 1, "{ran:?}");
    let commands: Vec<&str> =
        ran.stderr.lines().chain(ran.stdout.lines()).filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 1, "{ran:?}");
    assert!(
        commands[0].starts_with("::error file=tests/link.rs,line=31,title=evil%3A%3Agithub%3A panic::FAILED panic: ")
    );
    let summary = fs::read_to_string(&summary).expect("it is there");
    assert!(summary.starts_with("before\n### <code>evil&#58;&#58;github</code> failed\n"), "{summary}");
    assert!(summary.contains("\n```mermaid\nsequenceDiagram\n"), "{summary}");
    // The fence of the report is longer than the one in it, which so is text.
    let (_, report) = summary.split_once("\n````text\n").expect("the report has a fence");
    let (report, after) = report.split_once("\n````\n").expect("the fence ends");
    assert!(report.contains("    ```\n    <b>100%") && !report.contains("````"), "{summary}");
    assert!(!after.contains("<b>") && !after.contains("forged"), "{summary}");
    let elsewhere = refrain(&["explore", "good::passes"]);
    assert!(!elsewhere.stderr.contains("::error"), "{elsewhere:?}");
}
