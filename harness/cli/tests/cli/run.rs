//! `cargo refrain run` and `cause`: runs that are executed now.

use super::fixture::{Ran, answers, event, exploration, failure, fixture, lines, refrain, saved, write};
use refrain_core::{
    event::Tcp,
    protocol::{Beginning, Compared, Inevitable, Message, Outcome, Run},
    verdict::{Class, Verdict},
};
use serde_json::Value;
use std::fs;

fn run(plan: &str, verdict: Verdict, events: &[(u64, Tcp)]) -> Run {
    Run {
        test: "shown::runs".into(),
        package: "fixture".into(),
        plan: plan.parse().expect("a plan"),
        verdict,
        digest: "0123456789abcdef".into(),
        left_out: 0,
        events: events.iter().map(|(at, what)| event(*at, *what)).collect(),
        sockets: vec![],
        not_triggered: vec![],
        printed: "hello\u{1b}[2J\n".into(),
    }
}

/// Has the test answer with what `ran` says; all tests of this file share it, so each sets what it needs and asks at once.
#[track_caller]
fn ask(ran: Compared, args: &[&str]) -> Ran {
    asked(ran, args).0
}

/// Returns the request, too, if it was asked.
#[track_caller]
fn asked(ran: Compared, args: &[&str]) -> (Ran, Option<String>) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    answers("shown-runs", &lines(&[Message::Done(Box::new(Outcome::Ran(ran)))]));
    let request = fixture().join("answers/shown-runs.request");
    let _ = fs::remove_file(&request);
    (refrain(&[&["run"], args].concat()), fs::read_to_string(request).ok())
}

fn alone(run: Run) -> Compared {
    Compared { run, other: None, tried: 0 }
}

fn passing() -> Run {
    run("seed 9", Verdict::Passed, &[(1_000_000, Tcp::Connect), (3_000_000, Tcp::Connected)])
}

fn failing() -> Run {
    let events = [(1_000_000, Tcp::Connect), (2_000_000, Tcp::Refused)];
    run("seed 9\nreset exchange <-> notes at 2 ms", Verdict::Failed(failure(Class::Stall)), &events)
}

#[test]
fn a_run_that_passes_is_shown_like_one_that_fails() {
    let ran = ask(alone(passing()), &["shown::", "--package", "fixture"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    shown::runs
      seed 9

    #  time          host   task            what
    0  00:00:00.001  notes  src/link.rs:88  connects notes:49152 -> exchange:5010
    1  00:00:00.003  notes  src/link.rs:88  is connected notes:49152 -> exchange:5010

    passed: every property held
    output of the run:
      hello\u{1b}[2J
    ");
    let failed = ask(alone(failing()), &["runs", "--seed", "7", "--tail", "1"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("is refused") && !failed.stdout.contains("connects"), "{}", failed.stdout);
    assert!(failed.stdout.contains("FAILED stall: "), "{}", failed.stdout);
}

#[test]
fn a_run_has_every_form_of_a_trace() {
    let json = ask(alone(passing()), &["runs", "--format", "json"]);
    let view: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!((view["format"].as_str(), &view["failure"]), (Some("refrain-show/1"), &Value::Null));
    let mermaid = ask(alone(passing()), &["runs", "--format", "mermaid"]);
    assert!(mermaid.stdout.contains("Note over l0: passed"), "{mermaid:?}");
    let page = ask(alone(passing()), &["runs", "--format", "html", "-o", "answers/run.html"]);
    assert_eq!((page.code, page.stderr.ends_with("written answers/run.html\n")), (0, true), "{page:?}");
    let page = fs::read_to_string(fixture().join("answers/run.html")).expect("it was written");
    assert!(page.starts_with("<!doctype html>") && page.contains("<title>shown::runs</title>"));
}

#[test]
fn two_runs_are_shown_beside_each_other() {
    let both = Compared { run: failing(), other: Some(passing()), tried: 3 };
    let ran = ask(both.clone(), &["runs", "--diff"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in [
        "only the run has: reset exchange <-> notes at 2 ms",
        "the other: passed: every property held",
        "they part at event 1:",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let json = ask(both, &["runs", "--diff", "--format", "json"]);
    let both: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!((both["format"].as_str(), both["parts_at"].as_u64()), (Some("refrain-diff/1"), Some(1)));
    let none = ask(Compared { run: failing(), other: None, tried: 12 }, &["runs", "--diff"]);
    assert!(none.stdout.contains("none of 12 plans like this one passes"), "{none:?}");
}

#[test]
fn a_plan_comes_from_its_sentences_or_from_a_trace() {
    write(&fixture().join("answers/a.plan"), "seed 5\ncut a <-> b at 1 s\n");
    let check = |args: &[&str], expected: &str| {
        let (ran, request) = asked(alone(passing()), args);
        assert!(ran.code == 0 && request.as_ref().is_some_and(|text| text.contains(expected)), "{ran:?} {request:?}");
    };
    check(&["runs", "--plan", "answers/a.plan"], r#""decisions":{"plan":["seed 5","cut a <-> b at 1 s"]}"#);
    saved("replays/runs.jsonl", "shown::runs", None);
    check(&["runs", "--plan", "replays/runs.jsonl", "--diff=answers/a.plan"], r#""beside":{"plan":["seed 5""#);
}

#[test]
fn what_cannot_be_run_says_what_to_do() {
    let check = |args: &[&str], code: i32, told: &str| {
        let ran = ask(alone(passing()), args);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{ran:?}");
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    };
    check(&["shown::run5"], 4, "no refrain test matches \"shown::run5\"; similar names: shown::runs");
    check(&["bad::"], 2, "may be one of these tests; give a whole name");
    saved("replays/of-another.jsonl", "bad::fails", None);
    check(
        &["runs", "--plan", "replays/of-another.jsonl"],
        3,
        "is a trace of bad::fails in fixture, not of shown::runs: run that test, or replay the trace",
    );
    write(&fixture().join("answers/bad.plan"), "seed 5\ncut everything\n");
    check(
        &["runs", "--plan", "answers/bad.plan"],
        3,
        "`cargo refrain show --plan TRACE` prints a plan as it has to be",
    );
    check(&["runs", "--plan", "answers/no.plan"], 3, "answers/no.plan: No such file");
    check(&["runs", "--diff", "--format", "html"], 2, "--diff has two forms");
    check(&["runs", "--seed", "1", "--plan", "answers/a.plan"], 2, "cannot be used with");
}

/// What came of continuing a run whose second event is this one.
fn found(second: Tcp) -> Inevitable {
    let beginning = |events, last, fails, passes| Beginning { events, last, fails, fails_otherwise: 0, passes };
    Inevitable {
        events: 3,
        beginnings: vec![
            beginning(0, None, 1, 9),
            beginning(1, Some(event(1_000_000, Tcp::Connect)), 5, 5),
            beginning(2, Some(event(2_000_000, second)), 10, 0),
        ],
        runs: 30,
        not_counted: 0,
        took_ms: 1_500,
        interrupted: false,
    }
}

#[test]
fn the_page_of_a_trace_has_the_curve_of_its_continuations() {
    saved("replays/curve.jsonl", "bad::fails", Some(Outcome::Caused(found(Tcp::Connected))));
    let ran = refrain(&["cause", "replays/curve.jsonl", "--format", "html", "--output", "replays/curve.html"]);
    assert!(ran.code == 0 && ran.stderr.ends_with("\nwritten replays/curve.html\n"), "{ran:?}");
    let page = fs::read_to_string(fixture().join("replays/curve.html")).expect("it was written");
    let (_, data) = page.split_once("id=\"run\">").expect("the page has data");
    let run: Value = serde_json::from_str(data.split_once("</script>").expect("it ends").0).expect("it is JSON");
    let expected = serde_json::json!([
        {"after": null, "fails": 1, "of": 10},
        {"after": 0, "fails": 5, "of": 10},
        {"after": 1, "fails": 10, "of": 10},
    ]);
    assert_eq!((&run["curve"]["points"], &run["curve"]["inevitable_after"]), (&expected, &1.into()));
    let sentence = run["curve"]["sentences"][0].as_str().expect("a sentence");
    assert!(sentence.starts_with("after this one none was saved, event 1: "), "{sentence}");
    assert_eq!(run["events"].as_array().map(Vec::len), Some(2));

    let ran = refrain(&["cause", "replays/curve.jsonl", "--format", "json"]);
    let object: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(
        (&object["format"], &object["turning_point"]["none_saved_from"]),
        (&"refrain-cause/1".into(), &2.into())
    );
}

#[test]
fn a_page_does_not_show_the_curve_of_another_run() {
    saved("replays/other-curve.jsonl", "bad::fails", Some(Outcome::Caused(found(Tcp::Reset))));
    let ran = refrain(&["cause", "replays/other-curve.jsonl", "--format", "html", "-o", "replays/other-curve.html"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("replays/other-curve.jsonl: event 1 is not the one that was saved"), "{ran:?}");
    assert!(!fixture().join("replays/other-curve.html").exists());
}

#[test]
fn the_event_after_which_none_was_saved_is_named() {
    saved("replays/cause.jsonl", "bad::fails", Some(Outcome::Caused(found(Tcp::Connect))));
    let ran = refrain(&["cause", "replays/cause.jsonl"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    replays/cause.jsonl  bad::fails
    after event                        fail      last event
        (start)  ##..................  1 of 10
              0  ##########..........  5 of 10   00:00:00.001000000  notes  src/link.rs:88  connects notes:49152 -> exchange:5010
              1  ####################  10 of 10  00:00:00.002000000  notes  src/link.rs:88  connects notes:49152 -> exchange:5010

    after this one none was saved, event 1: 00:00:00.002000000  notes  src/link.rs:88  connects notes:49152 -> exchange:5010
    30 runs, 1.5 s
    ");
    saved("replays/no-cause.jsonl", "bad::fails", Some(Outcome::Explored(exploration(None, None))));
    let ran = refrain(&["cause", "replays/no-cause.jsonl"]);
    assert!(ran.stderr.contains("replied with an exploration instead of a cause"), "{ran:?}");
    assert_eq!(ran.code, 3);
}
