//! A package whose test executable sends scripted replies, and `cargo refrain` running in it.

use refrain_core::{
    event::{Connection, Endpoint, Event, Kind, Tcp},
    place::Task,
    plan::{Argument, Plan},
    protocol::{Caught, Coverage, Exploration, Fired, Machine, Message, Outcome, SavedAt},
    socket::STATES,
    trace::{self, Engine, Trace},
    verdict::{Cause, Class, Detail, Failure, Property, Wait, Waiting},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

static FIXTURE: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixture");
    let manifest = "[package]\nname = \"fixture\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n\
                    [dependencies]\nshared.path = \"shared\"\n\n\
                    [[test]]\nname = \"talks\"\nharness = false\n\n\
                    [workspace]\nmembers = [\"bare\", \"blocked\", \"cracked\", \"shared\"]\n";
    write(&dir.join("Cargo.toml"), manifest);
    write(&dir.join("tests/talks.rs"), include_str!("talks.rs"));
    write(&dir.join("src/lib.rs"), "");
    for (name, more) in [
        ("bare", "[dependencies]\nshared = { path = \"../shared\", features = [\"more\"] }\n"),
        ("blocked", ""),
        ("cracked", ""),
        ("shared", "[features]\nmore = []\n"),
    ] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n{more}");
        write(&dir.join(name).join("Cargo.toml"), &manifest);
        write(&dir.join(name).join("src/lib.rs"), "");
    }
    write(&dir.join("cracked/traces/bad.jsonl"), "garbage\n");
    write(&dir.join("blocked/traces"), "a file\n");
    for (test, expect, class) in [
        ("asked-passes", None, None),
        ("good-passes", None, None),
        ("lazy-ignored", None, None),
        ("good-catches", Some(Class::Stall), Some(Class::Stall)),
        ("bad-fails", None, Some(Class::Stall)),
        ("bad-missed", Some(Class::Stall), None),
    ] {
        let explored = Outcome::Explored(exploration(expect, class.map(|class| caught(&dir, class))));
        write(&dir.join("answers").join(test), &lines(&[Message::Done(Box::new(explored))]));
    }
    let refused = Message::Done(Box::new(Outcome::Refused("cannot fork: no memory".into())));
    write(&dir.join("answers/broken-refuses"), &lines(&[refused]));
    write(&dir.join("answers/broken-dies"), "half a line\ndie");
    write(&dir.join("answers/broken-garbage"), "{\"explored\":7}\nhang");
    write(&dir.join("answers/broken-is_silent"), "");
    let stopped = Message::Done(Box::new(Outcome::Explored(exploration(None, None))));
    write(&dir.join("answers/slow-stops"), &format!("wait until asked to stop\n{}", lines(&[stopped])));
    write(&dir.join("answers/stuck-hangs"), "hang");
    dir
});

/// Returns the fixture's directory, and creates its contents.
pub fn fixture() -> &'static Path {
    &FIXTURE
}

/// Sets the replies of the executable when a test is explored.
pub fn answers(test: &str, text: &str) {
    write(&fixture().join("answers").join(test), text);
}

/// Serializes messages as the executable sends them.
pub fn lines(messages: &[Message]) -> String {
    let lines: Vec<String> =
        messages.iter().map(|message| serde_json::to_string(message).expect("plain data")).collect();
    lines.join("\n")
}

pub fn exploration(expect: Option<Class>, caught: Option<Caught>) -> Exploration {
    let coverage = Coverage {
        faults: [("cut", 120, 118), ("reset", 3, 0)]
            .map(|(kind, planned, began)| {
                let met = STATES.iter().filter(|_| began > 0).map(|state| (state.to_string(), began / 2)).collect();
                (kind.into(), Fired { planned, began, met })
            })
            .into(),
        sometimes: [("link re-established".into(), 40), ("session reaped".into(), 0)].into(),
        holds: 7,
        polls: 12_000,
        ..Coverage::default()
    };
    Exploration {
        seed: 7,
        runs: 1_500,
        took_ms: 1_234,
        expect,
        coverage,
        engines: vec![],
        caught,
        machine: Machine::default(),
        unreached: vec![],
    }
}

pub fn caught(dir: &Path, class: Class) -> Caught {
    let plan =
        Plan { seed: 9, workload: vec![Argument { name: "queries".into(), value: vec![1].into() }], ..Plan::default() };
    Caught {
        failure: failure(class),
        plan,
        events: 31,
        run: 12,
        saved: SavedAt::Traces(dir.join("traces/fails-7c1e.jsonl")),
        page: None,
    }
}

pub fn failure(class: Class) -> Failure {
    Failure {
        class,
        property: Property::Eventually("a fresh query is answered".into()),
        place: "tests/link.rs:31".parse().ok(),
        detail: Detail::NotReached { within: 60_000_000_000, healed: true, attempts: 0, last: None, pending: true },
        causes: vec![waits()],
    }
}

/// Returns a waiting task.
pub fn waits() -> Cause {
    let (task, waits) = (task("src/link.rs:88"), vec![Wait::Signal]);
    Cause::Waits(Waiting {
        host: "notes".into(),
        task,
        main: true,
        waits,
        since: 0,
        deadline: None,
        timer: None,
        gave_up: None,
        used: None,
    })
}

/// Returns the first task spawned at a place.
pub fn task(place: &str) -> Task {
    Task { place: place.parse().expect("a place"), nth: 1 }
}

/// Returns an event of a connection.
pub fn event(at: u64, what: Tcp) -> Event {
    let [local, peer] = [("notes", 49152), ("exchange", 5010)].map(|(host, port)| Endpoint { host: host.into(), port });
    let kind = Kind::Tcp { conn: Connection { local, peer }, what };
    Event { at, host: "notes".into(), task: Some(task("src/link.rs:88")), kind }
}

/// Saves a failing run of a test in the fixture, and sets the executable's reply to requests about it.
pub fn saved(path: &str, test: &str, answer: Option<Outcome>) -> PathBuf {
    let plan = Plan { seed: 9, ..caught(Path::new("/"), Class::Stall).plan };
    let trace = Trace {
        test: test.into(),
        package: "fixture".into(),
        target: "test/talks".into(),
        engine: Engine { name: "none".into(), version: "1".into() },
        plan,
        failure: failure(Class::Stall),
        digest: "0123456789abcdef".into(),
        left_out: 0,
        build: trace::Build { refrain: "0.1.0".into(), platform: "any".into(), profile: "debug".into() },
        packages: vec![],
        events: vec![event(1_000_000, Tcp::Connect), event(2_000_000, Tcp::Connected)],
        sockets: vec![],
        anchors: vec![],
    };
    let path = fixture().join(path);
    trace::write(&path, &trace).expect("the fixture can be written");
    if let Some(answer) = answer {
        write(&path.with_added_extension("answers"), &lines(&[Message::Done(Box::new(answer))]));
    }
    path
}

/// The output of `cargo refrain`, and its exit status.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Ran {
        command.output().expect("it can be started").into()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).expect("it prints text");
        Ran { code: output.status.code().expect("it exits"), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs `cargo refrain` in the fixture.
pub fn refrain(args: &[&str]) -> Ran {
    Ran::of(&mut refrain_command(args))
}

pub fn refrain_command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-refrain"));
    command.arg("refrain").args(args).current_dir(fixture());
    // A separate target directory: the usual one is locked by the cargo that runs these tests.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixture-target"));
    command.env("CARGO_NET_OFFLINE", "true").env_remove("NO_COLOR");
    command
}

/// Writes a file atomically, because another test process may be about to use it.
pub fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in the fixture")).expect("the fixture can be written");
    let half = path.with_added_extension(format!("{}.half", std::process::id()));
    fs::write(&half, text).and_then(|()| fs::rename(&half, path)).expect("the fixture can be written");
}
