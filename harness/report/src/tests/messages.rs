//! The sentence of each kind of failure and of each kind of cause, with real values. Every kind has one here.

use crate::{cause::cause, failure::message};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use refrain_core::{
    arbitrary::{causes, failures},
    verdict::{Cause, Detail, Failure, Property},
};
use serde_json::{Value, json};
use std::mem::{Discriminant, discriminant};

/// Number of values drawn to meet every kind: there are about 30.
const DRAWN: usize = 3_000;

fn failure(property: Value, detail: Value) -> Failure {
    serde_json::from_value(json!({ "class": "panic", "property": property, "detail": detail, "causes": [] })).unwrap()
}

/// Draws many values, and fails if a kind is not among those of the table.
#[track_caller]
fn are_all<T, K: std::fmt::Debug>(
    strategy: impl Strategy<Value = T>,
    kind: impl Fn(&T) -> (Discriminant<K>, K),
    table: &[Discriminant<K>],
) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..DRAWN {
        let (kind, value) = kind(&strategy.new_tree(&mut runner).unwrap().current());
        assert!(table.contains(&kind), "no sentence is tested for {value:?}");
    }
}

#[test]
fn each_kind_of_failure_has_its_sentence() {
    let task = json!({ "task": { "host": "notes", "task": { "place": "src/link.rs:88", "nth": 1 } } });
    let access = |thread: u8, line: u8, writes: bool| json!({ "thread": thread, "place": format!("src/table.rs:{line}"), "writes": writes });
    let not_reached = |within: u64, healed: bool, attempts: u32, last: Option<&str>, pending: bool| {
        let mut detail = json!({ "within": within, "healed": healed, "attempts": attempts, "pending": pending });
        if let Some(last) = last {
            detail["last"] = json!(last);
        }
        json!({ "not-reached": detail })
    };
    let eventually = || json!({ "eventually": "a query is answered" });
    let conserved = || json!({ "conserved": "session" });
    let table = [
        (
            json!("no-panic"),
            json!({ "panicked": { "by": task, "message": "index out of bounds" } }),
            "notes: index out of bounds",
        ),
        (
            json!("test-assertions"),
            json!({ "panicked": { "by": "test", "message": "no answer" } }),
            "the test: no answer",
        ),
        (json!("no-crash"), json!({ "killed": { "signal": "SIGSEGV" } }), "the process was killed by SIGSEGV"),
        (json!("stack-bounded"), json!("stack-overflowed"), "the stack overflowed"),
        (
            json!("memory-bounded"),
            json!({ "out-of-memory": { "limit_bytes": 2_147_483_648_u64 } }),
            "the run exceeded its memory limit of 2048 MiB",
        ),
        (json!("no-exit"), json!({ "exited": { "code": 3 } }), "the process called exit(3) in the middle of the run"),
        (
            json!("stays-inside"),
            json!({ "escaped": { "by": "test", "call": "connect", "to": "192.0.2.1:80" } }),
            "`connect` reaches out of the simulation, to 192.0.2.1:80",
        ),
        (
            json!({ "keeps-running": "server" }),
            json!({ "process-exited": { "host": "server", "error": "no config" } }),
            "the process of server exited with an error: no config",
        ),
        (
            json!({ "keeps-running": "server" }),
            json!({ "process-exited": { "host": "server" } }),
            "the process of server exited by itself; if that is expected, call may_exit() on its host",
        ),
        (
            json!("time-advances"),
            json!({ "hung": { "limit_ms": 10_000, "busy": true } }),
            "one poll took more than 10 s of processor time: a loop that never ends",
        ),
        (
            json!("execution-ends"),
            json!({ "hung": { "limit_ms": 500, "busy": false } }),
            "one execution took more than 500 ms of real time: a call that blocks the thread",
        ),
        (
            json!("time-advances"),
            json!({ "livelocked": { "last": "test" } }),
            "tasks wake each other without end while virtual time does not advance",
        ),
        (
            eventually(),
            not_reached(60_000_000_000, true, 1, Some("refused"), false),
            "`a query is answered` did not hold within 60 s after the network healed: 1 attempt, the last one failed: refused",
        ),
        (
            eventually(),
            not_reached(400_000, false, 0, None, true),
            "`a query is answered` did not hold within less than 1 ms: 1 attempt, still pending",
        ),
        (
            eventually(),
            not_reached(1_500_000_000, true, 2, Some("refused"), true),
            "`a query is answered` did not hold within 1.5 s after the network healed: 3 attempts, the last one still pending, \
             the one before failed: refused",
        ),
        (
            json!("time-limit"),
            json!({ "timed-out": { "at": 3_600_000_000_000_u64 } }),
            "the test did not end within 3600 s of virtual time",
        ),
        (json!("progress"), json!("deadlocked"), "no task can make progress: all of them wait"),
        (
            json!("progress"),
            json!({ "locked-twice": { "thread": 1 } }),
            "thread 1 waits for a lock that it holds itself",
        ),
        (
            json!({ "always": "one leader" }),
            json!({ "broken": { "by": task } }),
            "`one leader` does not hold after a poll of the task spawned at src/link.rs:88 on notes",
        ),
        (
            conserved(),
            json!({ "leaked": { "open": 2, "limit": 0, "waited": 120_000_000_000_u64 } }),
            "2 `session` still open after 120 s (limit 0)",
        ),
        (
            conserved(),
            json!({ "leaked": { "open": 1, "limit": 0, "waited": 0 } }),
            "1 `session` still open after less than 1 ms (limit 0)",
        ),
        (
            json!({ "closed-once": "session" }),
            json!({ "closed-twice": { "id": "7", "by": "test" } }),
            "`session` 7 was closed although it was not open there",
        ),
        (
            json!("accesses-ordered"),
            json!({ "raced": { "said": "Causality violation" } }),
            "two threads access the same memory without synchronization: Causality violation",
        ),
        (
            json!("accesses-ordered"),
            json!({ "cell-raced": { "cell": 1, "created": "src/table.rs:9", "accesses": [access(2, 31, false), access(1, 20, true)] } }),
            "thread 2 reads cell1 at src/table.rs:31, thread 1 writes it at src/table.rs:20, without synchronization; cell1 was \
             created at src/table.rs:9",
        ),
        (
            json!("freed-once"),
            json!("not-allocated"),
            "memory was freed that is not allocated: it was freed before, or never allocated",
        ),
        (
            json!("freed-once"),
            json!({ "freed-again": { "by": task } }),
            "memory was freed that is not allocated: it was freed before, or never allocated",
        ),
        (
            json!("not-used-after-free"),
            json!({ "used-after-free": { "said": "cell used after free" } }),
            "cell used after free",
        ),
        (
            json!("not-used-after-free"),
            json!({ "freed-used": { "used": access(2, 31, false), "freed": access(1, 20, true), "after": true } }),
            "thread 2 uses memory at src/table.rs:31 that thread 1 freed at src/table.rs:20",
        ),
        (
            json!("not-used-after-free"),
            json!({ "freed-used": { "used": access(2, 31, false), "freed": access(1, 20, true), "after": false } }),
            "thread 1 frees memory at src/table.rs:20, without synchronization with its use by thread 2 at src/table.rs:31",
        ),
        (json!("freed"), json!({ "not-freed": "arc" }), "an Arc is never freed"),
        (
            json!("deterministic"),
            json!({ "runs-differ": { "event": 12 } }),
            "two runs of the same plan differ from event 12 on",
        ),
        (
            json!("deterministic"),
            json!({ "runs-differ": { "event": 12, "origin": { "answers": [
                { "call": "read", "about": "data/count", "answers": [{ "number": 1 }, { "failed": 2 }] },
            ] } } }),
            "two runs of the same plan differ from event 12 on, after `read` of data/count gave another answer",
        ),
        (
            json!({ "never": { "target": "calcon", "message": "gave up" } }),
            json!({ "logged": { "by": "test", "target": "calcon::link", "message": "gave up after 3" } }),
            "`gave up` must never be logged, and calcon::link logged: gave up after 3",
        ),
        (
            json!({ "invariant": "the queue is short" }),
            json!({ "logged": { "by": "test", "target": "calcon::link", "message": "3 jobs" } }),
            "the invariant `the queue is short` of calcon::link does not hold: 3 jobs",
        ),
        (
            json!({ "linearizable": "register" }),
            json!({ "not-linearizable": { "key": "7", "begins": ["Register(0)"], "operations": [
                { "number": 0, "client": "one", "call": "Write(1)", "answer": "1", "called": 0, "answered": 5 },
                { "number": 3, "client": "other", "call": "Read", "called": 9 },
            ] } }),
            "`register` of key 7 is not linearizable: no order of 2 operations explains their answers",
        ),
        (
            json!({ "agrees-with-model": "store" }),
            json!({ "disagrees": { "begin": "Store({})", "expected": ["Some(6)", "None"], "operations": [
                { "number": 0, "client": "test", "call": "Put(3, 6)", "called": 0 },
                { "number": 1, "client": "test", "call": "Take(3)", "answer": "Some(5)", "called": 5, "answered": 9 },
            ] } }),
            "`store` does not agree with its model: it answers Take(3) with Some(5), and the model with Some(6) or None",
        ),
        (json!("deterministic"), json!("not-as-planned"), "an execution of the model did not follow its plan"),
    ];
    let table = table.map(|(property, detail, sentence)| (failure(property, detail), sentence));
    for (failure, sentence) in &table {
        assert_eq!(message(failure), *sentence);
    }
    let kinds = table.map(|(failure, _)| discriminant(&failure.detail));
    are_all::<_, Detail>(failures(), |failure| (discriminant(&failure.detail), failure.detail.clone()), &kinds);
}

#[test]
fn each_kind_of_cause_has_its_sentence() {
    let fault = || json!("cut exchange <-> notes at 12.3 s for 4.2 s");
    let hold = || json!("hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll for 1 s");
    let task = || json!({ "place": "src/link.rs:88", "nth": 1 });
    let connection = || json!([["notes", 49152], ["exchange", 5010]]);
    let store = |value: u8, line: u8| json!({ "value": { "unsigned": value }, "thread": 1, "place": format!("src/table.rs:{line}") });
    let started = || json!({ "at": 12_300_000_001_u64, "host": "notes", "kind": "start" });
    let table = [
        (
            json!({ "waits": { "host": "notes", "task": task(), "waits": [{ "read": [connection(), "established"] }], "since": 12_301_000_000_u64 } }),
            "notes: the task spawned at src/link.rs:88 waits to read from notes:49152 -> exchange:5010 (established), since \
             00:00:12.301, no deadline",
        ),
        (json!({ "runs": "test" }), "the test is running"),
        (
            json!({ "thread-waits": { "thread": 1, "waits": { "lock": { "mutex": 2 } }, "place": "src/table.rs:7" } }),
            "thread 1 waits: mutex2.lock() at src/table.rs:7",
        ),
        (
            json!({ "last-fault": { "fault": fault(), "began": 12_300_000_000_u64, "ended": 16_500_000_000_u64 } }),
            "last fault affecting it: cut exchange <-> notes at 00:00:12.300 for 4.2 s",
        ),
        (
            json!({ "fault": { "fault": fault(), "began": 12_300_000_000_u64 } }),
            "fault before it: cut exchange <-> notes at 00:00:12.300 and still active",
        ),
        (json!("unknown"), "the cause is unknown: nothing that the simulation sees keeps the property from holding"),
        (json!({ "more-wait": 1 }), "and 1 more task waits"),
        (json!({ "more-wait": 7 }), "and 7 more tasks wait"),
        (
            json!({ "held": hold() }),
            "no fault started, but a task was held: hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll for 1 s",
        ),
        (
            json!({ "open": { "host": "notes", "id": "7", "since": 1_000_000, "place": "src/session.rs:9" } }),
            "notes: `session` 7 open since 00:00:00.001, opened at src/session.rs:9 by the test",
        ),
        (
            json!({ "open-socket": { "host": "notes", "socket": { "tcp": connection() } } }),
            "notes: notes:49152 -> exchange:5010 is open",
        ),
        (json!({ "rose": [1_000_000, 2_000_000] }), "those still open rose to 1 at 00:00:00.001, 2 at 00:00:00.002"),
        (json!({ "totals": { "opened": 3, "closed": 1 } }), "in total 3 opened, 1 closed"),
        (json!({ "level": { "kind": "session", "open": 2 } }), "2 `session` open"),
        (json!({ "not-triggered": { "fault": fault() } }), "not triggered: cut exchange <-> notes at 12.3 s for 4.2 s"),
        (
            json!({ "stale-read": { "thread": 2, "place": "src/table.rs:31", "was": store(0, 8), "newest": store(1, 20) } }),
            "thread 2 read an old value at src/table.rs:31: 0, which thread 1 stored at src/table.rs:8; the newest was 1, which \
             thread 1 stored at src/table.rs:20",
        ),
        (json!({ "last-polled": "src/link.rs:88" }), "polled last: the task spawned at src/link.rs:88"),
        (json!({ "last-operation": "src/table.rs:7" }), "the last operation began at src/table.rs:7"),
        (json!({ "printed": "out of sockets" }), "printed: out of sockets"),
        (json!({ "run-shows": { "run": 1, "event": started() } }), "run 1: 00:00:12.300000001  notes  starts"),
        (json!({ "run-ends": { "run": 2 } }), "run 2: no further events, and it passes"),
        (
            json!({ "run-ends": { "run": 2, "failure": { "class": "panic", "property": "no-panic" } } }),
            "run 2: no further events, and it fails: panic",
        ),
    ];
    let table = table.map(|(cause, sentence)| (serde_json::from_value::<Cause>(cause).unwrap(), sentence));
    for (shown, sentence) in &table {
        assert_eq!(cause(shown, &Property::Conserved("session".into())), *sentence);
    }
    let kinds = table.map(|(cause, _)| discriminant(&cause));
    are_all::<_, Cause>(causes(), |cause| (discriminant(cause), cause.clone()), &kinds);
}

/// Whatever two events differ in is visible, if need be as data.
#[test]
fn no_two_events_read_the_same() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..DRAWN / 10 {
        let one = super::any_events().new_tree(&mut runner).unwrap().current();
        let data = serde_json::to_value(&one).unwrap();
        for other in changed(&data).into_iter().filter_map(|data| serde_json::from_value(data).ok()) {
            if one != other {
                let rows =
                    [(&one, &other), (&other, &one)].map(|(this, that)| crate::differs::row_beside(this, Some(that)));
                assert_ne!(rows[0], rows[1], "{one:?}\n{other:?}");
            }
        }
    }
}

/// Returns copies of a value, in each of which one number, text or flag is another one.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => number.as_u64().map(|number| json!(number ^ 1)).into_iter().collect(),
        Value::String(text) => vec![json!(format!("{text} ")), json!(text.trim())],
        Value::Array(items) => (0..items.len())
            .flat_map(|at| {
                changed(&items[at]).into_iter().map(move |item| {
                    let mut items = items.clone();
                    items[at] = item;
                    Value::Array(items)
                })
            })
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| {
                changed(field).into_iter().map(move |field| {
                    let mut fields = fields.clone();
                    fields[name] = field;
                    Value::Object(fields)
                })
            })
            .collect(),
        Value::Null => vec![],
    }
}
