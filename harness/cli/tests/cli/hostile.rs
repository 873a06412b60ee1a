//! Nothing from a trace or a test executable reaches the terminal unescaped, and nothing becomes code.

use super::{
    fixture::{
        Ran, answers, event, exploration, failure, fixture, lines, refrain, refrain_command, saved, waits, write,
    },
    model::{ROUND_TRIP, trace_of},
};
use refrain_core::{
    event::{Kind, Tcp},
    graph::Change,
    plan::{Argument, Nearest, NotTriggered, Part, Plan},
    protocol::{
        Difference, Doing, EngineLimit, Fewest, How, Message, Outcome, Progress, Replay, SavedAt, SearchEnd, Searched,
        Shrunk,
    },
    trace::{self, Build},
    verdict::{Actor, Class, Detail, Property},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// Characters that move the cursor, set colours, clear the screen, forge a line, change the text direction or hide
/// text, and a stack of accents.
const NASTY: &str = "x\u{0}\u{7}\u{8}\t\r\u{1b}[2J\u{1b}]0;title\u{7}\u{7f}\u{85}\u{9b}31m\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{202e}\
                     \u{2028}\u{2029}\u{2060}\u{2066}\u{feff}\u{fff9}\u{e0041}\u{3164}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\
                     \nFORGED";

/// Returns whether a character would have an effect other than being displayed.
fn acts(c: char) -> bool {
    c != '\n' && (c.is_control() || NASTY.contains(c) && !c.is_ascii() && c != '\u{301}')
}

#[track_caller]
fn harmless(ran: &Ran) {
    for said in [&ran.stdout, &ran.stderr] {
        let acting: String = said.chars().filter(|c| acts(*c)).collect();
        assert!(acting.is_empty(), "{acting:?} in {said:?}");
        assert!(!said.contains(&"\u{301}".repeat(5)), "{said}");
        assert!(!said.lines().any(|line| line.starts_with("FORGED")), "{said}");
    }
}

/// Returns every position of a string in a value, including object keys, with the value in which that string is
/// hostile.
fn poisoned(value: &Value) -> Vec<(String, Value)> {
    let mut all = vec![];
    each(value, String::new(), &mut |at| {
        let mut changed = value.clone();
        poison(&mut changed, at);
        all.push((at.to_owned(), changed));
    });
    all
}

/// Makes the string at this position hostile, or adds a hostile member to the object.
fn poison(value: &mut Value, at: &str) {
    match at.strip_suffix("/*") {
        None => *value.pointer_mut(at).expect("it is there") = json!(NASTY),
        Some(object) => value.pointer_mut(object).expect("it is there")[NASTY] = json!(NASTY),
    }
}

fn each(value: &Value, at: String, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(_) => visit(&at),
        Value::Array(values) => (0..).zip(values).for_each(|(nth, value)| each(value, format!("{at}/{nth}"), visit)),
        Value::Object(members) => {
            visit(&format!("{at}/*"));
            members.iter().for_each(|(name, value)| each(value, format!("{at}/{name}"), visit));
        }
        _ => {}
    }
}

/// Returns traces in which one string each is hostile.
fn poisoned_traces() -> Vec<(String, String)> {
    let path = saved("hostile/whole.jsonl", "bad::fails", None);
    let whole = fs::read_to_string(path).expect("it was written");
    let lines: Vec<&str> = whole.lines().collect();
    let mut traces = vec![];
    for (nth, line) in lines.iter().enumerate() {
        for (at, changed) in poisoned(&serde_json::from_str(line).expect("it is JSON")) {
            let mut lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
            lines[nth] = changed.to_string();
            // serde_json sorts names, and the format must come first.
            if nth == 0 {
                let version = format!("\"refrain-trace\":{}", trace::VERSION);
                lines[0] = lines[0].replacen(&format!(",{version}"), "", 1).replacen('{', &format!("{{{version},"), 1);
            }
            traces.push((format!("line {} {at}", nth + 1), lines.join("\n") + "\n"));
        }
    }
    traces
}

#[test]
fn no_field_of_a_trace_acts_on_the_terminal() {
    let (path, name) = (fixture().join("hostile/one.jsonl"), "hostile/one.jsonl");
    let mut shown = 0;
    for (at, text) in poisoned_traces() {
        fs::write(&path, text).expect("it can be written");
        for command in [&["show", name][..], &["show", "--plan", name]] {
            let ran = refrain(command);
            println!("{at}: {}{}", ran.stdout, ran.stderr);
            harmless(&ran);
            shown += usize::from(ran.code == 0);
        }
    }
    assert!(shown > 30, "most of a trace may be any text: {shown}");
}

/// The header's contents determine which test is built, and appear in the error if there is none.
#[test]
fn no_name_in_a_header_acts_on_the_terminal() {
    let path = fixture().join("hostile/header.jsonl");
    for (at, text) in poisoned_traces().into_iter().filter(|(at, _)| at.matches('/').count() == 1) {
        fs::write(&path, text).expect("it can be written");
        for command in ["replay", "shrink"] {
            let ran = refrain(&[command, "hostile/header.jsonl"]);
            println!("{at}: {}{}", ran.stdout, ran.stderr);
            harmless(&ran);
        }
    }
}

#[test]
fn a_list_shows_each_message_on_one_line() {
    let path = saved("cracked/traces/nasty.jsonl", "bad::gone", None);
    let mut nasty = trace::read(&path).expect("it was written");
    for text in [&mut nasty.test, &mut nasty.package, &mut nasty.target] {
        *text = NASTY.to_owned();
    }
    nasty.failure.detail = panicked(NASTY);
    trace::write(&path, &nasty).expect("it can be written");
    let named = fixture().join("cracked/traces").join(format!("{}.jsonl", NASTY.replace('\0', "")));
    fs::rename(&path, &named).expect("it can be named so");
    let ran = refrain(&["list", "--package", "cracked"]);
    fs::remove_file(named).expect("it is there");
    harmless(&ran);
    assert!(ran.stdout.contains("orphan: ") && ran.stdout.contains("FORGED.jsonl"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 2, "a trace and why it is an orphan: {}", ran.stdout);
}

/// Returns a message in which every string is hostile that may be any text, and those in which one string is hostile that may not.
fn poisoned_message(message: &Value) -> Vec<(String, Value)> {
    let is_read = |value: &Value| serde_json::from_value::<Message>(value.clone()).is_ok();
    let (any, one): (Vec<_>, Vec<_>) = poisoned(message).into_iter().partition(|(_, changed)| is_read(changed));
    let mut together = message.clone();
    any.iter().for_each(|(at, _)| poison(&mut together, at));
    assert!(!any.is_empty() && is_read(&together), "{together}");
    [("all".to_owned(), together)].into_iter().chain(one).collect()
}

/// Every string of every reply is hostile once, including those that are usually names.
#[test]
fn no_answer_of_an_executable_acts_on_the_terminal() {
    let limited = EngineLimit::Panicked { place: "src/a.rs:1".parse().ok(), message: "no".into() };
    let limited = SearchEnd::Limited(limited);
    let mut explored = exploration(None, Some(super::fixture::caught(Path::new("/tmp"), Class::Stall)));
    explored.engines = vec![searched(SearchEnd::Complete), searched(limited)];
    let plan = explored.caught.as_ref().expect("something").plan.clone();
    let mut elsewhere = explored.clone();
    let (path, why) = ("/tmp/a.jsonl".into(), "full".to_owned());
    elsewhere.caught.as_mut().expect("something").saved = SavedAt::Elsewhere { path, why: why.clone() };
    let shrunk = Shrunk {
        runs: 1,
        took_ms: 1,
        before: plan.clone(),
        after: plan,
        events: 1,
        ends_at: (0, 0),
        saved: Some(SavedAt::Nowhere { why }),
        interrupted: false,
        fewest: Some(Fewest::Needed(1)),
    };
    let outcomes = [
        ("explore", Outcome::Explored(explored)),
        ("explore", Outcome::Explored(elsewhere)),
        ("explore", Outcome::Refused("no memory".into())),
        (
            "replay",
            Outcome::Replayed(Replay::Reproduced {
                failure: failure(Class::Stall),
                saved_causes: Some(vec![waits()]),
                diverges: None,
            }),
        ),
        ("replay", Outcome::Replayed(Replay::Stale { not_triggered: vec![idle()] })),
        ("replay", Outcome::Replayed(differs())),
        ("replay", Outcome::Replayed(Replay::Stopped { events: vec![event(7, Tcp::Close)], waits: vec![waits()] })),
        ("shrink", Outcome::Shrunk(shrunk)),
    ];
    let trace = saved("hostile/asked.jsonl", "bad::fails", None);
    for (command, outcome) in outcomes {
        let message = serde_json::to_value(Message::Done(Box::new(outcome))).expect("plain data");
        for (at, nasty) in poisoned_message(&message) {
            let printed = [Message::Printed(NASTY.into()), Message::Progress(progress())];
            let said = format!("{}\n{nasty}", lines(&printed));
            let ran = match command {
                "explore" => {
                    answers("evil-nasty", &said);
                    refrain(&["explore", "evil::nasty", "--verbose"])
                }
                command => {
                    write(&trace.with_added_extension("answers"), &said);
                    refrain(&[command, "hostile/asked.jsonl"])
                }
            };
            println!("{at}: {}{}", ran.stdout, ran.stderr);
            harmless(&ran);
        }
    }
}

fn differs() -> Replay {
    let (saved, now) = (Some(event(1, Tcp::Connect)), Some(event(2, Tcp::Connect)));
    let build = |platform: &str| Build { refrain: "0.1.0".into(), platform: platform.into(), profile: "debug".into() };
    let builds = (build("any"), build("another"));
    let packages = vec![Change { name: "bytes".into(), before: vec!["1.0.0".into()], now: vec!["1.1.0".into()] }];
    let nearby = Some("seed 7".parse().expect("a plan"));
    let from = Box::new(Difference { event: 0, saved, now, builds, packages, not_triggered: vec![idle()], nearby });
    Replay::Differs { failure: failure(Class::Stall), from }
}

fn idle() -> NotTriggered {
    let hold = "hold the 1st task spawned on a at src/a.rs:1 at its 2nd poll for 1 s".parse().expect("a hold");
    let places = vec!["src/b.rs:1".parse().expect("a place")];
    NotTriggered { part: Part::Hold(hold), nearest: Nearest::SpawnedAt(places) }
}

fn searched(end: SearchEnd) -> Searched {
    let how = How::Exhaustive { preemptions: None, total_order: false };
    Searched { engine: "loom".into(), how, executions: 7, abandoned: 0, took_ms: 9, end }
}

fn progress() -> Progress {
    let workload = vec![Argument { name: NASTY.into(), value: json!([1]) }];
    let best = Box::new(Plan { workload, ..Plan::default() });
    Progress { doing: Doing::Shrinking { best }, runs: 1, of: None }
}

#[test]
fn a_message_without_end_is_refused_and_fills_no_memory() {
    answers("evil-floods", "flood");
    let ran = refrain(&["explore", "evil::floods"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("cannot read: \"xxx"), "{}", ran.stderr);
}

/// Like a shell's `ulimit`: 400 MB of address space, part of which the program itself needs.
fn in_little_memory(args: &[&str]) -> Ran {
    let command = refrain_command(args);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg("ulimit -v 400000; exec \"$0\" \"$@\"").arg(command.get_program()).args(command.get_args());
    limited.current_dir(fixture());
    Ran::of(&mut limited)
}

#[test]
fn a_large_trace_takes_little_more_memory_than_its_text() {
    let path = saved("hostile/large.jsonl", "bad::fails", None);
    let mut large = trace::read(&path).expect("it was written");
    let mut event = large.events[0].clone();
    event.kind = Kind::Saw { value: "x".repeat(500) };
    large.events = vec![event; 95_000];
    trace::write(&path, &large).expect("it can be written");
    let bytes = fs::metadata(&path).expect("it is there").len();
    assert!(bytes > 55_000_000, "{bytes}");
    let ran = in_little_memory(&["show", "hostile/large.jsonl"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 95_000 + 9), "{}", ran.stderr);
}

#[test]
fn a_trace_of_many_small_values_is_refused_and_fills_no_memory() {
    let path = saved("hostile/values.jsonl", "bad::fails", None);
    let whole = fs::read_to_string(&path).expect("it was written");
    let (header, events) = whole.split_once('\n').expect("a header");
    let event = events.lines().next().expect("an event");
    let values = event.replacen('{', &format!("{{\"list\":[0{}],", ",0".repeat(2_000_000)), 1);
    let header = header.replacen("\"events\":2", "\"events\":15", 1);
    fs::write(&path, format!("{header}\n{}", format!("{values}\n").repeat(15))).expect("it can be written");
    let ran = in_little_memory(&["show", "hostile/values.jsonl"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout.len());
    let why = "error: hostile/values.jsonl:2: has more than 2000000 JSON values: shrink the trace, or explore again\n";
    assert_eq!(ran.stderr, why);
}

#[test]
fn what_is_no_regular_file_is_refused_at_once_by_every_command() {
    let fifo = fixture().join("hostile/fifo.jsonl");
    let _ = fs::remove_file(&fifo);
    fs::create_dir_all(fixture().join("hostile/folder.jsonl")).expect("it can be made");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("there is mkfifo").success());
    let output = fixture().join("hostile/never.rs");
    let model = ["--core", "src/lib.rs", "--type", "Session", "--output", output.to_str().expect("it is text")];
    for (path, what) in
        [("hostile/fifo.jsonl", "a FIFO"), ("hostile/folder.jsonl", "a folder"), ("/dev/zero", "a device")]
    {
        let commands =
            [&["show", path][..], &["replay", path], &["shrink", path], &[&["model", path], &model[..]].concat()];
        for command in commands {
            let ran = refrain(command);
            assert_eq!(ran.code, 3, "{ran:?}");
            assert!(ran.stderr.contains(&format!("{path}: is {what}, expected a regular file")), "{}", ran.stderr);
        }
    }
}

/// Each string of a trace is replaced by code and by terminators of comments, strings and lines.
#[test]
fn nothing_in_a_trace_becomes_code_of_a_model() {
    let harmless_path = trace_of("harmless", Class::DoubleClose, &ROUND_TRIP);
    let plain = written_model(&harmless_path, "harmless");
    for nasty in [
        "\nfn forged() {}\n",
        "\r\nmod forged;",
        "*/ fn forged() {} /*",
        "`\n//! ```\nfn forged() {}",
        "\"]\nmod forged;\n#[doc = \"",
        "\u{2028}fn forged() {}\u{85}",
        "(); forged()",
        "loop",
        "self",
        "7",
        "_",
        "",
        NASTY,
    ] {
        let path = trace_of("nasty", Class::DoubleClose, &ROUND_TRIP);
        let mut trace = trace::read(Path::new(&path)).expect("it was written");
        trace.test = format!("{nasty}::{nasty}");
        for text in [&mut trace.package, &mut trace.target] {
            *text = nasty.to_owned();
        }
        for event in &mut trace.events {
            let Kind::Log(log) = &mut event.kind else { continue };
            log.fields.insert("kind".into(), json!(nasty));
            let id = format!("{nasty}{}", log.fields["id"]);
            log.fields.insert("id".into(), json!(id));
            log.message = log.message.replace("handed over", nasty);
            event.host = nasty.to_owned();
            event.task.as_mut().expect("a task says it").place.file += nasty;
        }
        trace.failure.property = Property::ClosedOnce(nasty.to_owned());
        trace.failure.detail = panicked(nasty);
        trace::write(Path::new(&path), &trace).expect("it can be written");
        let model = written_model(&path, "nasty");
        println!("{model}");
        assert_eq!(shape(&model), shape(&plain), "{nasty:?}");
        assert!(!model.chars().any(acts), "{model:?}");
    }
}

fn panicked(message: &str) -> Detail {
    Detail::Panicked { by: Actor::Test, message: message.to_owned(), backtrace: Default::default() }
}

fn written_model(trace: &str, name: &str) -> String {
    let (ran, written) = super::model::model(trace, name, "src/lib.rs");
    written.unwrap_or_else(|| panic!("{ran:?}"))
}

/// Returns the structure of a program without names: the kind of each item and statement.
fn shape(source: &str) -> Vec<String> {
    let file = syn::parse_file(source).expect("it is Rust");
    let mut shape = vec![format!("{} attributes", file.attrs.len())];
    for item in file.items {
        shape.push(match item {
            syn::Item::Mod(module) => format!("mod {}", module.content.map_or(0, |(_, items)| items.len())),
            syn::Item::Use(_) => "use".into(),
            syn::Item::Fn(function) => {
                let statements = function.block.stmts.iter().map(std::mem::discriminant);
                format!("fn {} {:?}", function.attrs.len(), statements.collect::<Vec<_>>())
            }
            _ => "another".into(),
        });
    }
    shape
}
