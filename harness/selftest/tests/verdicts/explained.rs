//! Explanations of current failures: the saved plan of each seeded bug in this directory is executed again.

use crate::driver::{Started, ask};
use refrain::{
    event::{Event, Kind},
    plan::Plan,
    report::{self, Style},
    trace,
    verdict::{Class, Failure},
};
use refrain_core::{
    job::Ran,
    protocol::{Budget, Outcome, Request},
};
use serde_json::json;
use std::{fs, path::Path};

/// Returns the saved plan of a test, and nothing else of its trace.
fn saved_plan(test: &str) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let prefix = format!("{}-", test.replace("::", "."));
    let paths =
        fs::read_dir(&folder).expect("the seeded bugs have saved their traces").map(|entry| entry.unwrap().path());
    let mut of_test = paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
    let path = of_test.next().unwrap_or_else(|| panic!("no trace of {test}: run it once"));
    assert_eq!(of_test.next(), None, "two traces of one seeded bug");
    trace::read(&path).unwrap().plan
}

/// Executes the saved plan once.
pub(super) fn run(test: &str) -> Ran {
    serde_json::from_value(Started::worker(test).record(json!({ "plan": saved_plan(test) }))).unwrap()
}

/// Returns how the saved plan fails now. Nondeterminism takes two runs to detect, and an exploration executes its first
/// run twice.
pub(super) fn failure(test: &str, class: Class) -> Failure {
    if class != Class::Nondeterminism {
        return run(test).verdict.failure().expect("the run fails").clone();
    }
    match ask(test, &Request::explore(1, Budget::Runs(1), Some(1))) {
        Outcome::Explored(explored) => explored.caught.expect("two runs differ").failure,
        other => panic!("{other:#?}"),
    }
}

/// Returns the nth line that contains `text` in a file of this directory.
fn place(file: &str, text: &str, nth: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts").join(file);
    let source = fs::read_to_string(path).unwrap();
    let line = (1..).zip(source.lines()).filter(|(_, line)| line.contains(text)).nth(nth).expect("the text is there").0;
    format!("harness/selftest/tests/verdicts/{file}:{line}")
}

/// Checks the report of the failure: its headline, then place and causes, line by line.
#[track_caller]
fn check(test: &str, class: Class, place: &str, headline: &str, below: &[&str]) {
    let failure = failure(test, class);
    assert_eq!(failure.class, class, "{failure:#?}");
    assert_eq!(failure.place.as_ref().map(ToString::to_string).unwrap_or_default(), place, "{failure:#?}");
    assert_eq!(report::message(&failure), headline, "{failure:#?}");
    let text = report::failure(&failure, Style::default());
    let lines: Vec<&str> = text.lines().skip(headline.lines().count()).collect();
    for (line, wanted) in lines.iter().zip(below) {
        assert!(line.contains(wanted), "{line:?} does not say {wanted:?}");
    }
    assert_eq!(lines.len(), below.len(), "{text}");
}

#[test]
fn a_verdict_has_every_socket() {
    let sockets = report::sockets(&run("verdicts::sockets::a_verdict_has_every_socket").sockets, Style::default());
    insta::assert_snapshot!(sockets, @"
    Host    Netid  State       Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    server  tcp    LISTEN      1       128     0.0.0.0:80          *
    server  tcp    ESTAB       0       0       server:80           client:49152
    server  tcp    FIN-WAIT-2  0       0       server:80           client:49153
    server  tcp    ESTAB       0       0       server:80           client:49154
    server  tcp    ESTAB       0       0       server:80           client:49155
    server  udp    UNCONN      0       0       0.0.0.0:53          *
    client  tcp    ESTAB       10      0       client:49152        server:80
    client  tcp    CLOSE-WAIT  0       0       client:49153        server:80
    client  tcp    ESTAB       0       4       client:49154        server:80          timer:(on,2.636sec,5)
    client  tcp    FIN-WAIT-1  0       0       client:49155        server:80          timer:(on,2.635sec,5)
    client  tcp    SYN-SENT    0       0       client:49156        server:80          timer:(on,5.021sec,3)
    ");
}

#[test]
fn panics_say_who_and_where() {
    let check = |test: &str, place: &str, headline: &str, below: &[&str]| {
        let at = format!("  at {place}");
        check(test, Class::Panic, place, headline, &[&[at.as_str()], below].concat());
    };
    let spawn = place("deaths.rs", "tokio::spawn(async { panic!", 0);
    let task = format!("  in the task spawned at {spawn} on server");
    check("verdicts::deaths::a_panic_of_a_task_is_caught", &spawn, "server: no slot is free", &[&task]);
    let sum = "the test: assertion `left == right` failed: the sum\n  left: 2\n right: 3";
    check(
        "verdicts::deaths::a_panic_of_the_test_itself_is_caught",
        &place("deaths.rs", "assert_eq!(1 + 1, 3", 0),
        sum,
        &[],
    );
    let line = place("deaths.rs", ".expect(\"a port is set\")", 0);
    check(
        "verdicts::deaths::a_panic_while_a_process_starts_is_caught",
        &line,
        "server: a port is set",
        &["  in the task spawned"],
    );
    let line = place("deaths.rs", "panic!(\"a guard", 0);
    let headline = "server: a guard of a task that is aborted";
    check("verdicts::deaths::a_panic_of_a_destructor_is_caught", &line, headline, &["  in the task spawned"]);
    let line = place("properties.rs", "assert_eq!(seen.live", 0);
    let headline = "the test: assertion `left == right` failed: there is one\n  left: 0\n right: 1";
    check("verdicts::properties::a_panic_of_an_always_is_the_tests", &line, headline, &[]);
}

#[test]
fn deaths_say_how_and_in_which_task() {
    let check = |test: &str, class, nth, headline, printed: &[&str]| {
        let place = place("deaths.rs", "world.host(\"server\"", nth);
        let task = format!("polled last: the task spawned at {place}");
        check(&format!("verdicts::deaths::{test}"), class, &place, headline, &[&[task.as_str()], printed].concat());
    };
    check("an_abort_is_caught", Class::Crash, 3, "the process was killed by SIGABRT", &[]);
    check("a_segmentation_fault_is_caught", Class::Crash, 4, "the process was killed by SIGSEGV", &[]);
    check("a_kill_from_outside_is_caught", Class::Crash, 5, "the process was killed by SIGKILL", &[]);
    let overflow = ["has overflowed its stack"];
    check("a_recursion_without_end_is_caught", Class::Crash, 6, "the stack overflowed", &overflow);
    let headline = "the run exceeded its memory limit of 2048 MiB";
    let printed = ["memory allocation of 1048576 bytes failed"];
    check("memory_without_bound_is_caught", Class::OutOfMemory, 7, headline, &printed);
    let headline = "the process called exit(0) in the middle of the run";
    check("an_exit_with_0_is_caught", Class::Exit, 8, headline, &[]);
    let headline = "the process called exit(7) in the middle of the run";
    check("an_exit_with_7_is_caught", Class::Exit, 9, headline, &[]);
}

#[test]
fn loops_say_what_took_so_long() {
    let check = |test: &str, nth, headline, more: &[&str]| {
        let place = place("loops.rs", "world.host(\"server\"", nth);
        let last = format!("polled last: the task spawned at {place}");
        check(
            &format!("verdicts::loops::{test}"),
            Class::EndlessLoop,
            &place,
            headline,
            &[more, &[last.as_str()]].concat(),
        );
    };
    let endless = "one poll took more than 200 ms of processor time: a loop that never ends";
    check("a_loop_without_end_is_caught", 0, endless, &[]);
    check("a_loop_that_talks_without_end_is_caught", 1, endless, &[]);
    let blocks = "one poll took more than 200 ms of real time: a call that blocks the thread";
    check("a_call_that_blocks_the_thread_is_caught", 2, blocks, &[]);
    let yields = "tasks wake each other without end while virtual time does not advance";
    check("tasks_that_only_yield_are_caught", 3, yields, &["  at "]);
}

#[test]
fn a_loop_that_talks_fills_no_disk() {
    assert!(run("verdicts::loops::a_loop_that_talks_without_end_is_caught").events.len() < 1_100);
}

#[test]
fn stalls_say_who_waits_for_what_and_the_last_fault() {
    let headline = "`the asker asks again` did not hold within 60 s after the network healed: 1 attempt, still pending";
    let below = [
        "  at ",
        "asker: the main task waits to read from asker:49152 -> server:80 (half-open: server has lost power since), since",
        "last fault affecting it: crash server at 00:00:02",
    ];
    let line = place("stalls.rs", "world.host(\"asker\"", 0);
    check("verdicts::stalls::an_answer_that_never_comes_is_a_stall", Class::Stall, &line, headline, &below);
    let ran = run("verdicts::stalls::an_answer_that_never_comes_is_a_stall");
    let fault = "crash server when server reads from asker the 3rd time and reboot it after 1 s";
    assert_eq!(ran.plan.faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [fault]);
    let answered = |event: &Event| matches!(&event.kind, Kind::Log(log) if log.message == "answered");
    assert!(ran.events.iter().any(|event| answered(event) && event.host == "asker"));
}

#[test]
fn a_deadlock_says_what_each_task_waits_for() {
    let line = place("stalls.rs", "let done = world.client", 0);
    let headline = "no task can make progress: all of them wait";
    let lock = place("stalls.rs", "let lock = Mutex::new(());", 0);
    let held = format!("(held by the task spawned at {line} on client since");
    let below = format!("client: the task spawned at {line} waits to lock the mutex created at {lock} {held}");
    check("verdicts::stalls::a_lock_taken_twice_is_a_deadlock", Class::Deadlock, &line, headline, &[&below]);
}

#[test]
fn nondeterminism_shows_the_first_event_of_both() {
    let spawn = place("stalls.rs", "tokio::spawn(async {});", 0);
    let line = place("stalls.rs", "world.host(\"server\", || async {", 0);
    let spawns = format!("spawns {spawn}");
    let headline = "two runs of the same plan differ from event 1 on";
    let at = format!("  at {line}");
    let below = [at.as_str(), &spawns, &spawns, "the guard's log is missing", "a process number, /dev/urandom"];
    check("verdicts::stalls::a_process_number_is_nondeterminism", Class::Nondeterminism, &line, headline, &below);
}

#[test]
fn properties_say_what_is_open_and_who_opened_it() {
    let opened = place("properties.rs", "world.host(\"server\", opens_two)", 2);
    let headline = "2 `session` still open after 120 s (limit 0)";
    let below = [
        "  at ",
        "server: `session` 1 open since 00:00:00.000, opened at harness/selftest/tests/verdicts/properties.rs:",
        "those still open rose to 1 at 00:00:00.000, 2 at 00:00:01.001",
        "in total 2 opened, 0 closed",
    ];
    check("verdicts::properties::what_is_not_closed_is_a_leak", Class::Leak, &opened, headline, &below);
    let place_of_always = place("properties.rs", "world.always(\"one session", 0);
    let headline = format!(
        "`one session at a time` does not hold after a poll of the task spawned at {} on server",
        place("properties.rs", "world.host(\"server\", opens_two)", 0)
    );
    let test = "verdicts::properties::what_must_always_hold_is_watched";
    check(test, Class::Safety, &place_of_always, &headline, &["  at ", "2 `session` open"]);
    let headline = "`gave up` must never be logged, and selftest::verdicts::logged logged: gave up after 3 attempts";
    let test = "verdicts::logged::what_must_never_be_logged_is_watched";
    let said = place("logged.rs", "warn!(\"gave up", 0);
    check(test, Class::Safety, &said, headline, &["  at ", "logged by the task spawned at"]);
    let headline = "the invariant `the queue is short` of selftest::verdicts::logged does not hold: 3 jobs";
    let test = "verdicts::logged::an_invariant_that_does_not_hold_is_a_failure";
    let said = place("logged.rs", "debug!(invariant", 0);
    check(test, Class::Safety, &said, headline, &["  at ", "logged by the task spawned at"]);
    let headline = "`register` is not linearizable: nothing explains an answer";
    let test = "verdicts::histories::a_read_that_misses_a_write_has_no_order";
    let checked = place("histories.rs", "world.linearizable(&history", 0);
    let below = ["  at ", "before them it is Register(7)", "reader: Read -> 3, from "];
    check(test, Class::Safety, &checked, headline, &below);
    let headline = "`session` 7 was closed although it was not open there";
    let closer = place("properties.rs", "world.host(\"server\", || async {", 0);
    let test = "verdicts::properties::what_is_closed_twice_is_a_double_close";
    check(test, Class::DoubleClose, &closer, headline, &["  at ", "closed by the task spawned at"]);
    let headline = "1 `socket` still open after 120 s (limit 0)";
    let test = "verdicts::properties::a_socket_that_is_kept_is_a_leak";
    check(test, Class::Leak, "", headline, &["server: server:80 -> client:49152 is open"]);
}
