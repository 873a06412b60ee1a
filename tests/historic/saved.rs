//! The failures of the seeded bugs: small plans, and identical wherever and whenever they are replayed.

use refrain::{
    trace::{self, Trace},
    verdict::Class,
};
use refrain_core::protocol::{self, Budget, Caught, Message, Outcome, Replay, Request};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::symlink, net::UnixStream},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
const SEEDED_BUGS: [&str; 3] = [
    "historic::q201280_handshake_without_deadline",
    "historic::q201280_cancelled_attempt",
    "historic::q201280_lost_disconnect",
];
const STORMS: [&str; 2] =
    ["historic::q181350_refused_by_a_full_backlog", "historic::q181350_kept_waiting_by_a_full_backlog"];
/// Those of the task that needs a session, and how each fails.
const SESSIONLESS: [(&str, Class); 2] = [
    ("historic::q245545::a_task_starts_without_its_session", Class::Safety),
    ("historic::q245545::a_check_passes_the_wrong_id_file", Class::Stall),
];
/// The seeds that each of these is caught from.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;
/// Of 300: the fewest clients that cannot all be served in time, since every retry fills the queue once.
const CLIENTS_MAX: u64 = 60;
const FAULTS_MAX: usize = 2;
const QUERIES_MAX: usize = 1;
/// How often a trace is replayed.
const REPLAYS: usize = 50;

#[test]
fn every_seeded_bug_is_shrunk_to_a_small_plan() {
    for seeded_bug in SEEDED_BUGS {
        let Caught { failure, plan, .. } = caught_anew(seeded_bug);
        let queries = plan.workload[0].value.as_array().expect("queries are a list").len();
        assert_eq!(failure.class, Class::Stall, "{seeded_bug}: {failure:?}");
        assert!(plan.faults.len() <= FAULTS_MAX, "{seeded_bug}: {:?}", plan.faults);
        assert!(queries <= QUERIES_MAX, "{seeded_bug}: {queries} queries");
    }
}

#[test]
fn what_starts_or_passes_without_a_session_is_caught_from_every_seed() {
    for (seeded_bug, class) in SESSIONLESS {
        for seed in SEEDS {
            let Caught { failure, plan, .. } = caught_from(seeded_bug, seed);
            assert_eq!(failure.class, class, "{seeded_bug} from seed {seed}: {failure:?}");
            assert!(plan.faults.len() <= FAULTS_MAX, "{seeded_bug} from seed {seed}: {:?}", plan.faults);
        }
    }
}

#[test]
fn every_storm_is_shrunk_to_few_clients() {
    for storm in STORMS {
        let Caught { failure, plan, .. } = caught_anew(storm);
        let clients = plan.workload[0].value.as_u64().expect("a number");
        assert_eq!(failure.class, Class::Stall, "{storm}: {failure:?}");
        assert!(clients <= CLIENTS_MAX, "{storm}: {clients} clients");
    }
}

#[test]
fn one_preemption_is_all_that_the_threads_need() {
    for seeded_bug in ["historic::q289795::a_check_then_a_delete", "historic::q289795::a_decrement_then_a_test"] {
        let threads = caught_anew(seeded_bug).plan.threads.expect("it is the plan of a model");
        assert_eq!(threads.preemptions(), 1, "{seeded_bug}: {threads:?}");
    }
}

fn caught_anew(test: &str) -> Caught {
    caught_from(test, 1)
}

/// Explores a test from a seed and shrinks what it catches, in a package without saved traces.
fn caught_from(test: &str, seed: u64) -> Caught {
    let package = Path::new(PACKAGE);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::copy(package.join("Cargo.toml"), folder.path().join("Cargo.toml")).expect("a package has a manifest");
    symlink(package.join("tests"), folder.path().join("tests")).expect("the services find their calendars");
    let request = Request::explore(seed, Budget::OfTest, None);
    let Outcome::Explored(explored) = ask(test, folder.path(), folder.path(), &request) else {
        panic!("{test} is not explored")
    };
    explored.caught.unwrap_or_else(|| panic!("{test} is not caught in {} runs", explored.runs))
}

/// Each replay and each of its runs has its own process; several run concurrently.
#[test]
fn a_trace_is_the_same_run_fifty_times() {
    let seeded_bug = SEEDED_BUGS[0];
    let (trace, _) = saved(seeded_bug).remove(0);
    let elsewhere = env::temp_dir();
    for at_once in [1, 2, 3, 4] {
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    for _ in 0..REPLAYS.div_ceil(10) {
                        let asked = ask(
                            seeded_bug,
                            PACKAGE.as_ref(),
                            &elsewhere,
                            &Request::Replay { trace: trace.clone(), until: None },
                        );
                        assert!(matches!(asked, Outcome::Replayed(Replay::Reproduced { .. })), "{asked:?}");
                    }
                });
            }
        });
    }
}

#[test]
fn what_is_caught_does_not_depend_on_the_number_of_jobs() {
    let caught = [1, 2, 5].map(|jobs| {
        let request = Request::explore(1, Budget::Runs(500), Some(jobs));
        let Outcome::Explored(explored) = ask(SEEDED_BUGS[1], PACKAGE.as_ref(), Path::new("."), &request) else {
            panic!("not explored")
        };
        let caught = explored.caught.expect("the seeded bug is caught");
        (caught.run, caught.plan, caught.failure, caught.events)
    });
    assert_eq!(caught[0], caught[1]);
    assert_eq!(caught[0], caught[2]);
}

/// Returns the traces of a test.
pub fn saved(test: &str) -> Vec<(PathBuf, Trace)> {
    let folder = Path::new(PACKAGE).join("traces");
    let entries = fs::read_dir(&folder).expect("traces/ is there").map(|entry| entry.expect("it can be listed").path());
    let prefix = test.replace("::", ".");
    let of_test = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
    entries.filter(of_test).map(|path| (path.clone(), trace::read(&path).expect("it can be read"))).collect()
}

/// Sends this executable a request about one of its tests, in a package and from any directory, as `cargo refrain` does.
fn ask(test: &str, package: &Path, from: &Path, request: &Request) -> Outcome {
    let (mut socket, theirs) = UnixStream::pair().expect("there are sockets");
    let mut child = Command::new(env::current_exe().expect("a test has an executable"))
        .args(["--exact", test, "--test-threads=1", "--nocapture"])
        .current_dir(from)
        .env("CARGO_PKG_NAME", env!("CARGO_PKG_NAME"))
        .env("CARGO_MANIFEST_DIR", package)
        .env(protocol::ENV, "command")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    writeln!(socket, "{}", serde_json::to_string(request).expect("plain data")).expect("it listens");
    let messages = BufReader::new(&socket).lines().map(|line| line.expect("it tells"));
    let outcome = messages
        .map(|line| serde_json::from_str(&line).expect("it tells messages"))
        .find_map(|message| if let Message::Done(outcome) = message { Some(*outcome) } else { None })
        .expect("it answers");
    drop(socket);
    child.wait().expect("it exits");
    outcome
}
