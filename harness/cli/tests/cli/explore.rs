//! `cargo refrain explore`, and behaviour common to all commands.

use super::fixture::{Ran, answers, exploration, failure, fixture, lines, refrain, refrain_command};
use refrain_core::{
    protocol::{Doing, Exploration, Machine, Message, Outcome, Progress, SlotHolder, SlotWait},
    verdict::Class,
};
use serde_json::{Value, json};
use std::fs;

#[test]
fn all_passed_ends_with_0_and_tells_what_was_covered() {
    let ran = refrain(&["explore", "good::", "--seed", "7", "--runs", "100"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(without_rates(&ran), @r#"
    exploring 2 tests from seed 7; repeat with: cargo refrain explore good:: --seed 7 --runs 100

    fixture test/talks
      good::catches  caught as expected stall             1,500 runs     1.2 s
      good::passes   ok                                   1,500 runs     1.2 s

    fault                  planned      began       none   SYN-SENT   SYN-RECV      ESTAB  FIN-WAIT-1  FIN-WAIT-2  CLOSE-WAIT   LAST-ACK
    cut                        240        236        118        118        118        118         118         118         118        118
    reset                        6          0          -          -          -          -           -           -           -          -  never began
    sometimes                 runs
    link re-established         80
    session reaped               0  never reached
    14 of 24,000 polls held back

    2 tests, 2 passed, 3,000 runs
    "#);
}

#[test]
fn ignored_tests_are_left_out_until_they_are_asked_for() {
    let ran = refrain(&["explore", "lazy::"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("all of these tests are ignored: explore them with --include-ignored"), "{ran:?}");
    let ran = refrain(&["explore", "lazy::", "--include-ignored"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("1 passed, 1,500 runs"), "{ran:?}");
}

#[test]
fn a_failure_ends_with_1_and_tells_its_causes_and_how_to_replay_it() {
    let ran = refrain(&["explore", "bad::", "--seed", "7"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(without_rates(&ran), @r#"
    exploring 2 tests from seed 7; repeat with: cargo refrain explore bad:: --seed 7

    fixture test/talks
      bad::fails   FAILED stall                         1,500 runs     1.2 s
        FAILED stall: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
          at tests/link.rs:31
          notes: the main task waits for a signal, since 00:00:00.000, no deadline
          plan   seed 9
                 queries = [1]
          saved  traces/fails-7c1e.jsonl  (1 query, 31 events)
          replay cargo refrain replay traces/fails-7c1e.jsonl
      bad::missed  FAILED no stall caught               1,500 runs     1.2 s

    fault                  planned      began       none   SYN-SENT   SYN-RECV      ESTAB  FIN-WAIT-1  FIN-WAIT-2  CLOSE-WAIT   LAST-ACK
    cut                        240        236        118        118        118        118         118         118         118        118
    reset                        6          0          -          -          -          -           -           -           -          -  never began
    sometimes                 runs
    link re-established         80
    session reaped               0  never reached
    14 of 24,000 polls held back

    fixture test/talks bad::fails  FAILED stall                         1,500 runs     1.2 s
        FAILED stall: `a fresh query is answered` did not hold within 60 s after the network healed: 1 attempt, still pending
          at tests/link.rs:31
          notes: the main task waits for a signal, since 00:00:00.000, no deadline
          plan   seed 9
                 queries = [1]
          saved  traces/fails-7c1e.jsonl  (1 query, 31 events)
          replay cargo refrain replay traces/fails-7c1e.jsonl
    fixture test/talks bad::missed  FAILED no stall caught               1,500 runs     1.2 s

    2 tests, 0 passed, 2 failed, 3,000 runs
    "#);
}

/// Only a comparison fails because of it: otherwise its runs were made again, and passed.
#[test]
fn a_run_that_is_another_one_on_its_own_fails_a_comparison() {
    let machine = Machine { differ: 1, ..Machine::default() };
    let explored = Exploration { machine, ..exploration(None, None) };
    answers("other-differs", &lines(&[Message::Done(Box::new(Outcome::Explored(explored)))]));
    let said = "warning: 1 run was another one in a process of its own";
    for (isolation, code) in [("rewind", 0), ("both", 1)] {
        let ran = refrain(&["explore", "other::differs", "--isolation", isolation]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stdout.contains(said), "{ran:?}");
    }
}

#[test]
fn what_did_not_run_is_told_again_at_the_end() {
    let ran = refrain(&["explore", "broken::", "--seed", "7"]);
    let again = "\nfixture test/talks broken::garbage  did not run\n    protocol error: broken::garbage sent a message that cargo-refrain";
    assert!(ran.stdout.contains(again), "{ran:?}");
}

/// The output for programs: the exploration of each test, or the error.
#[test]
fn programs_get_an_object_a_line() {
    let lines = |filter| -> Vec<Value> {
        let ran = refrain(&["explore", filter, "--seed", "7", "--json"]);
        assert_ne!(ran.code, 0, "{ran:?}");
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let [fails, missed] = &lines("bad::")[..] else { panic!("two tests") };
    assert_eq!((&fails["test"], &missed["test"]), (&json!("bad::fails"), &json!("bad::missed")));
    let explored: Exploration = serde_json::from_value(fails["explored"].clone()).expect("an exploration");
    assert_eq!(explored.caught.expect("it fails").failure, failure(Class::Stall));
    assert_eq!(missed["explored"]["caught"], json!(null));
    let [refused] = &lines("broken::refuses")[..] else { panic!("one test") };
    assert!(refused["refused"].as_str().is_some_and(|why| why.contains("no memory")), "{refused}");
}

#[test]
fn the_executable_is_asked_for_what_the_command_line_says() {
    let check = |args: &[&str], asked: &str| {
        let ran = refrain(&[&["explore", "asked::", "--seed", "7"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let request = fs::read_to_string(fixture().join("answers/asked-passes.request")).expect("it was asked");
        assert_eq!(request, format!("{{\"explore\":{{\"seed\":7,{asked},\"coverage\":null}}}}\n"));
    };
    check(&[], r#""budget":"of_test","jobs":null,"isolation":"rewind""#);
    check(&["--runs", "100", "--jobs", "3"], r#""budget":{"runs":100},"jobs":3,"isolation":"rewind""#);
    check(&["--for", "1m"], r#""budget":{"seconds":60},"jobs":null,"isolation":"rewind""#);
    check(&["--isolation", "both"], r#""budget":"of_test","jobs":null,"isolation":"both""#);
}

#[test]
fn a_fresh_seed_is_told_with_the_command_that_repeats_it() {
    let ran = refrain(&["explore", "good::passes", "--for", "1m 30s"]);
    let (_, again) =
        ran.stdout.lines().next().and_then(|line| line.split_once("; repeat with: cargo refrain ")).expect("a command");
    let (command, seed) = again.rsplit_once(' ').expect("a seed");
    assert_eq!(command, "explore good::passes --for '1m 30s' --seed");
    assert!(seed.parse::<u64>().is_ok(), "{again}");
}

#[test]
fn an_executable_that_dies_ends_with_3_and_its_last_words() {
    check_broken("broken::dies", "exited without a result (signal: 6 (SIGABRT)", "  malloc(): corrupted top size");
}

#[test]
fn an_executable_that_says_nothing_ends_with_3() {
    check_broken(
        "broken::is_silent",
        "exited without a result (exit status: 0); the end of its output:",
        "  running 1 test",
    );
}

#[test]
fn an_answer_that_is_garbage_ends_with_3() {
    check_broken("broken::garbage", "cannot read: \"{\\\"explored\\\":7}\"", "use the same version of");
}

#[test]
fn a_refusal_ends_with_3() {
    check_broken("broken::refuses", "broken::refuses: cannot fork: no memory", "");
}

#[track_caller]
fn check_broken(test: &str, message: &str, more: &str) {
    let ran = refrain(&["explore", test]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains(message) && ran.stderr.contains(more), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 test, 0 passed, 1 did not run"), "{}", ran.stdout);
}

#[test]
fn what_could_not_run_is_more_serious_than_a_failure() {
    assert_eq!(refrain(&["explore", "b"]).code, 3);
}

#[test]
fn no_matching_test_ends_with_4_and_lists_near_names() {
    let ran = refrain(&["explore", "good::pases"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("no refrain test matches \"good::pases\"; similar names: good::passes"), "{ran:?}");
    assert_eq!(refrain(&["explore", "--package", "bare"]).code, 4);
    assert_eq!(refrain(&["list", "--package", "bare"]).code, 4);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for args in [&["explore", "--runs", "0"][..], &["replay"], &["explore", "--for", "soon"], &["sing"], &[]] {
        assert_eq!(refrain(args).code, 2, "{args:?}");
    }
    assert_eq!(refrain(&["replay", "a", "b", "--until", "3"]).code, 2);
}

#[test]
fn a_directory_without_a_package_ends_with_3() {
    let ran = Ran::of(refrain_command(&["list"]).current_dir("/"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("could not find `Cargo.toml`"), "{}", ran.stderr);
}

#[test]
fn the_manifest_can_be_elsewhere() {
    let manifest = fixture().join("Cargo.toml");
    let manifest = manifest.to_str().expect("it is text");
    let ran = Ran::of(refrain_command(&["explore", "good::", "--manifest-path", manifest]).current_dir("/"));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn without_a_terminal_progress_is_a_plain_line_every_few_seconds() {
    let progress = |runs| Message::Progress(Progress { doing: Doing::Exploring, runs, of: Some(2_000) });
    let done = Message::Done(Box::new(Outcome::Explored(exploration(None, None))));
    answers("slow-waits", &[&lines(&[progress(1)]), "rest", &lines(&[progress(1_500), done])].join("\n"));
    let ran = refrain(&["explore", "slow::waits"]);
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("exploring")).collect();
    assert_eq!(told.len(), 1, "{ran:?}");
    assert!(told[0].starts_with("  slow::waits: exploring 1,500/2,000 runs  2"), "{told:?}");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn what_a_test_waits_for_is_told_at_once() {
    let holder = SlotHolder { process: 4242, name: "calcon\u{1b}".into(), is_stopped: true };
    let waits = Message::Waits(SlotWait { holders: vec![holder], goes_on_after_s: 0 });
    let done = Message::Done(Box::new(Outcome::Explored(exploration(None, None))));
    answers("told-waits", &lines(&[waits, done]));
    let ran = refrain(&["explore", "told::waits"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let note: Vec<&str> = ran.stderr.lines().skip_while(|line| !line.starts_with("note: ")).collect();
    assert_eq!(
        note,
        [
            r"note: the slots of this machine for runs are taken by process 4242 (calcon\u{1b}, stopped); the test goes on without one now",
            "  `fg`, or `kill -CONT 4242`, lets what is stopped go on; `kill -KILL 4242` ends it",
        ]
    );
}

fn without_rates(ran: &Ran) -> String {
    let (text, summary) = ran.stdout.trim_end().rsplit_once('\n').expect("a summary");
    let summary = summary.split(", ").filter(|part| !part.ends_with("runs/s") && !part.ends_with(" s"));
    format!("{text}\n{}", summary.collect::<Vec<_>>().join(", "))
}
