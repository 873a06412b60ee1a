//! Commands on saved traces: replay, shrink, show, list.

use super::fixture::{Ran, caught, event, exploration, failure, fixture, refrain, refrain_command, saved, waits};
use refrain_core::{
    event::Tcp,
    plan::{Fault, Nearest, NotTriggered, Part, Plan},
    protocol::{Difference, Outcome, Replay, SavedAt, Shrunk},
    trace::Build,
    verdict::Class,
};
use std::{fs, path::Path};

fn reproduced() -> Outcome {
    Outcome::Replayed(Replay::Reproduced { failure: failure(Class::Stall), saved_causes: None, diverges: None })
}

fn differs() -> Outcome {
    let build = |platform: &str| Build { refrain: "0.1.0".into(), platform: platform.into(), profile: "debug".into() };
    let from = Box::new(Difference {
        event: 1,
        saved: Some(event(2_000_000, Tcp::Connected)),
        now: None,
        builds: (build("any"), build("another")),
        packages: vec![],
        not_triggered: vec![],
        nearby: None,
    });
    Outcome::Replayed(Replay::Differs { failure: failure(Class::Panic), from })
}

#[test]
fn a_reproduced_failure_ends_with_1() {
    saved("replays/reproduced.jsonl", "bad::fails", Some(reproduced()));
    let ran = refrain(&["replay", "replays/reproduced.jsonl"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r#"
    replays/reproduced.jsonl  bad::fails
    reproduced: the same events, the same failure
    FAILED stall: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
      at tests/link.rs:31
      notes: the main task waits for a signal, since 00:00:00.000, no deadline
    "#);
}

#[test]
fn a_failure_that_does_not_happen_any_more_ends_with_0() {
    saved("replays/passes.jsonl", "bad::fails", Some(Outcome::Replayed(Replay::PassesNow)));
    let ran = refrain(&["replay", "replays/passes.jsonl"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    replays/passes.jsonl  bad::fails
    passes now: the saved failure does not happen any more
    ");
}

#[test]
fn another_run_ends_with_5_and_shows_both_sides() {
    saved("replays/differs.jsonl", "bad::fails", Some(differs()));
    let ran = refrain(&["replay", "replays/differs.jsonl"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    replays/differs.jsonl  bad::fails
    differs: event 1 is the first that differs from the saved run
      saved  00:00:00.002000000  notes  src/link.rs:88  is connected notes:49152 -> exchange:5010
      now    the run had ended
      saved by refrain 0.1.0 on any (debug), this is 0.1.0 on another (debug)
    the failure now:
    FAILED panic: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
      at tests/link.rs:31
      notes: the main task waits for a signal, since 00:00:00.000, no deadline
    ");
}

#[test]
fn a_plan_of_which_parts_were_not_triggered_ends_with_6() {
    let fault: Fault = "cut a <-> b when a accepts its 9th connection".parse().unwrap();
    let not_triggered = vec![NotTriggered { part: Part::Fault(fault), nearest: Nearest::Happened(2) }];
    saved("replays/stale.jsonl", "bad::fails", Some(Outcome::Replayed(Replay::Stale { not_triggered })));
    let ran = refrain(&["replay", "replays/stale.jsonl"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    replays/stale.jsonl  bad::fails
    stale: the plan passes now, but parts of it were not triggered: this proves nothing
      not triggered: cut a <-> b when a accepts its 9th connection: that happened 2 times in the run
    ");
}

#[test]
fn a_run_that_ends_before_it_is_stopped_says_so() {
    let ended = Replay::Ended { events: 26, failure: None };
    saved("replays/short.jsonl", "bad::fails", Some(Outcome::Replayed(ended)));
    let ran = refrain(&["replay", "replays/short.jsonl", "--until", "99999"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    replays/short.jsonl  bad::fails
    not stopped: the run has only 26 events
    it passes
    ");
}

#[test]
fn a_run_stops_where_it_is_asked_to() {
    let stopped = Replay::Stopped { events: vec![event(1_000_000, Tcp::Connect)], waits: vec![waits()] };
    let trace = saved("replays/stops.jsonl", "bad::fails", Some(Outcome::Replayed(stopped)));
    let ran = refrain(&["replay", "replays/stops.jsonl", "--until", "1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    replays/stops.jsonl  bad::fails
    #  time          host   task            what
    0  00:00:00.001  notes  src/link.rs:88  connects notes:49152 -> exchange:5010
    stopped before event 1; the state at this point:
      notes: the main task waits for a signal, since 00:00:00.000, no deadline
    ");
    let request = fs::read_to_string(trace.with_added_extension("answers.request")).expect("it was asked");
    assert!(request.ends_with(",\"until\":1}}\n"), "{request}");
}

/// Another package enables a feature of a dependency: together with that one, cargo would build both once more.
#[test]
fn what_explore_has_built_of_the_package_is_not_built_again() {
    saved("replays/built.jsonl", "bad::fails", Some(reproduced()));
    let explored = refrain(&["explore", "good::passes", "--package", "fixture"]);
    assert_eq!(explored.code, 0, "{explored:?}");
    for command in ["replay", "shrink"] {
        let ran = refrain(&[command, "replays/built.jsonl"]);
        assert!(ran.stderr.contains("Finished"), "cargo tells what it does: {ran:?}");
        assert!(!ran.stderr.contains("Compiling"), "{ran:?}");
    }
}

#[test]
fn of_several_replays_the_most_serious_counts_and_each_is_made() {
    saved("replays/one.jsonl", "bad::fails", Some(differs()));
    saved("replays/two.jsonl", "bad::fails", Some(reproduced()));
    let ran = refrain(&["replay", "replays/one.jsonl", "replays/two.jsonl"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = refrain(&["replay", "replays/missing.jsonl", "replays/two.jsonl"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("\nreproduced: "), "{ran:?}");
}

#[test]
fn a_trace_is_replayed_from_any_directory() {
    let trace = saved("replays/anywhere.jsonl", "bad::fails", Some(reproduced()));
    let ran = Ran::of(refrain_command(&["replay"]).arg(trace).current_dir("/"));
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_trace_that_was_copied_out_of_its_package_is_replayed_from_there() {
    let trace = saved("replays/copied.jsonl", "bad::fails", Some(reproduced()));
    let copy = std::env::temp_dir().join(format!("refrain-copied-{}.jsonl", std::process::id()));
    fs::copy(&trace, &copy).expect("it can be copied");
    let answers = copy.with_added_extension("answers");
    fs::copy(trace.with_added_extension("answers"), &answers).expect("it can be copied");
    let ran = Ran::of(refrain_command(&["replay"]).arg(&copy));
    for left in [copy, answers.with_added_extension("request"), answers] {
        fs::remove_file(left).expect("it can be removed");
    }
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_bad_trace_ends_with_3_and_is_not_replayed() {
    let trace = saved("replays/torn.jsonl", "bad::fails", Some(reproduced()));
    let whole = fs::read_to_string(&trace).expect("it was written");
    fs::write(&trace, &whole[..whole.len() - 10]).expect("it can be written");
    for command in ["replay", "shrink", "show"] {
        let ran = refrain(&[command, "replays/torn.jsonl"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
        assert!(ran.stderr.starts_with("error: replays/torn.jsonl:3: is torn"), "{}", ran.stderr);
    }
    assert!(!trace.with_added_extension("answers.request").exists());
}

#[test]
fn a_renamed_test_ends_with_3_and_lists_near_names() {
    saved("replays/renamed.jsonl", "bad::failed", Some(reproduced()));
    let ran = refrain(&["replay", "replays/renamed.jsonl"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let told = "replays/renamed.jsonl: no test bad::failed in test/talks of package fixture; it may have been renamed; \
                similar names: bad::fails";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_trace_of_another_package_or_target_ends_with_3() {
    let trace = saved("replays/other.jsonl", "bad::fails", Some(reproduced()));
    let other = |from: &str, to: &str, told: &str| {
        let text = fs::read_to_string(&trace).expect("it was written");
        let path = trace.with_file_name(format!("other-{}.jsonl", to.len()));
        fs::write(&path, text.replacen(from, to, 1)).expect("it can be written");
        let ran = Ran::of(refrain_command(&["replay"]).arg(path));
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    };
    other("\"test/talks\"", "\"test/talk\"", "package fixture has no target test/talk; it may have been renamed");
    other("\"package\":\"fixture\"", "\"package\":\"fixtures\"", "cannot find its package: no package fixtures in");
}

#[test]
fn an_answer_to_another_request_ends_with_3() {
    saved("replays/confused.jsonl", "bad::fails", Some(Outcome::Explored(exploration(None, None))));
    let ran = refrain(&["replay", "replays/confused.jsonl"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("protocol error: bad::fails replied with an exploration instead of a replay"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_shrunk_trace_tells_before_and_after() {
    let after = caught(Path::new("/"), Class::Stall).plan;
    let mut before = after.clone();
    before.workload[0].value = vec![1, 2, 3].into();
    let shrunk = |before: &Plan, interrupted| {
        Outcome::Shrunk(Shrunk {
            runs: 1_200,
            took_ms: 900,
            before: before.clone(),
            after: after.clone(),
            events: 2,
            ends_at: (12_304_000_000, 0),
            saved: (*before != after).then(|| SavedAt::Traces(fixture().join("replays/shrinks.jsonl"))),
            interrupted,
            fewest: None,
        })
    };
    saved("replays/shrinks.jsonl", "bad::fails", Some(shrunk(&before, true)));
    let ran = refrain(&["shrink", "replays/shrinks.jsonl", "--jobs", "2"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    shrunk in 1,200 runs, 0.9 s; interrupted: this is the smallest so far
      before 3 queries, 2 events, 12.304 s of virtual time
      after  1 query, 2 events
      saved  replays/shrinks.jsonl
      replay cargo refrain replay replays/shrinks.jsonl
    ");
    saved("replays/small.jsonl", "bad::fails", Some(shrunk(&after, false)));
    let ran = refrain(&["shrink", "replays/small.jsonl"]);
    insta::assert_snapshot!(ran.stdout, @"as small as before: 1 query, 2 events (1,200 runs, 0.9 s; nothing more can be removed)");
}

#[test]
fn a_trace_is_shown_without_building_anything() {
    saved("replays/shown.jsonl", "bad::fails", None);
    let show =
        |args: &[&str]| Ran::of(refrain_command(&["show", "replays/shown.jsonl"]).args(args).env("CARGO", "/none"));
    let (timeline, plan) = (show(&[]), show(&["--plan"]));
    assert_eq!((timeline.code, plan.code), (0, 0), "{timeline:?}");
    assert!(timeline.stdout.contains("connects notes:49152 -> exchange:5010"), "{}", timeline.stdout);
    insta::assert_snapshot!(plan.stdout, @"
    seed 9
    queries = [1]
    ");
}

#[test]
fn a_trace_is_shown_in_the_form_and_with_the_events_that_are_asked_for() {
    let trace = saved("replays/forms.jsonl", "bad::fails", None);
    let show = |args: &[&str]| refrain(&[&["show", "replays/forms.jsonl"][..], args].concat());
    let json = show(&["--format", "json", "--from", "1"]);
    let parsed: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    let numbers: Vec<_> = parsed["events"].as_array().expect("it has events").iter().map(|event| &event["n"]).collect();
    assert_eq!((json.code, parsed["format"].as_str(), numbers), (0, Some("refrain-show/1"), vec![&1.into()]));
    assert!(show(&["--format", "mermaid"]).stdout.starts_with("sequenceDiagram\n"));
    let perfetto: serde_json::Value =
        serde_json::from_str(&show(&["--format", "perfetto"]).stdout).expect("it is JSON");
    assert!(perfetto["traceEvents"].is_array());
    let page = trace.with_extension("html");
    let html = show(&["--format", "html", "--output", "replays/forms.html"]);
    assert_eq!((html.code, html.stdout.as_str(), html.stderr.as_str()), (0, "", "written replays/forms.html\n"));
    let page = fs::read_to_string(page).expect("it was written");
    assert!(page.starts_with("<!doctype html>") && page.contains("<title>bad::fails</title>"), "{page}");
    let nothing = show(&["--grep", "no event has this"]);
    assert!(!nothing.stdout.contains("connects notes:49152"), "{}", nothing.stdout);
}

#[test]
fn what_cannot_be_shown_says_what_to_do() {
    saved("replays/shown-1.jsonl", "bad::fails", None);
    saved("replays/shown-2.jsonl", "bad::fails", None);
    let both = ["show", "replays/shown-1.jsonl", "replays/shown-2.jsonl", "--format"];
    let ran = refrain(&[&both[..], &["html"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("run `cargo refrain show` for each of them"), "{}", ran.stderr);
    assert_eq!(refrain(&[&both[..], &["json"]].concat()).stdout.lines().count(), 2);
    let ran = refrain(&["show", "replays/shown-1.jsonl", "--output", "no-such-folder/x.txt"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("cannot write no-such-folder/x.txt: "), "{}", ran.stderr);
}

#[test]
fn a_list_has_every_test_its_traces_and_the_orphans() {
    saved("traces/bad.fails-0001.jsonl", "bad::fails", None);
    saved("traces/gone-0002.jsonl", "bad::gone", None);
    let ran = refrain(&["list", "--package", "fixture"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r#"
    fixture test/talks
      asked::passes      tests/talks.rs:12
      bad::fails         tests/talks.rs:300
        traces/bad.fails-0001.jsonl  stall: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
      bad::missed        tests/talks.rs:4    expects stall
      broken::dies       tests/talks.rs:5
      broken::garbage    tests/talks.rs:6
      broken::is_silent  tests/talks.rs:8
      broken::refuses    tests/talks.rs:7
      evil::floods       tests/talks.rs:14
      evil::github       tests/talks.rs:18
      evil::nasty        tests/talks.rs:13
      good::catches      tests/talks.rs:20   expects stall
      good::passes       tests/talks.rs:1
      lazy::ignored      tests/talks.rs:15   ignored
      other::differs     tests/talks.rs:19
      shown::runs        tests/talks.rs:17
      slow::stops        tests/talks.rs:10
      slow::waits        tests/talks.rs:9
      stuck::hangs       tests/talks.rs:11
      told::waits        tests/talks.rs:16
    orphan: traces/gone-0002.jsonl  stall: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
      no test bad::gone in test/talks of package fixture
    "#);
}

#[test]
fn a_list_with_an_unreadable_trace_ends_with_3_and_names_it() {
    let ran = refrain(&["list", "--package", "cracked"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("cracked/traces/bad.jsonl:1: is no trace"), "{}", ran.stderr);
}

#[test]
fn traces_that_cannot_be_listed_end_with_3() {
    let ran = refrain(&["list", "--package", "blocked"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    assert!(ran.stderr.contains("cannot list the traces in blocked/traces: Not a directory"), "{}", ran.stderr);
}
