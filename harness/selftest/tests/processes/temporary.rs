//! Temporary files of services: the plan decides their names, whatever other runs leave behind, and nothing of them outlives a test.

use super::{children, eventually, kill_now};
use crate::driver::{Started, ask_in};
use nix::{
    sys::{
        resource::{Resource, setrlimit},
        signal::{Signal, kill},
    },
    unistd::Pid,
};
use refrain::{Faults, World, event::Kind};
use refrain_core::{
    job::Ran,
    protocol::{Budget, Exploration, Outcome, Request},
};
use serde_json::json;
use std::{
    env, fs, mem,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{PermissionsExt, symlink},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::{NamedTempFile, TempDir};
use tokio::time::sleep;

/// Without a destructor, the file stays.
#[refrain::test(runs = 5)]
async fn leaves_a_file_behind(world: World) {
    let file = world.client("client").run(async { NamedTempFile::new().unwrap() }).await;
    world.saw(file.path().display());
    mem::forget(file);
}

/// The last process of the server is still there when the run ends.
#[refrain::test(runs = 20)]
async fn crashes_beside_its_files(world: World) {
    let (told, mut names) = tokio::sync::mpsc::unbounded_channel();
    world.host("server", move || {
        let told = told.clone();
        async move {
            let folder = TempDir::new().unwrap();
            let file = NamedTempFile::new_in(folder.path()).unwrap();
            let _ = told.send(file.path().to_owned());
            std::future::pending::<()>().await
        }
    });
    let client = world.client("client");
    world.faults(Faults::between("server", "client").crashes());
    client.run(sleep(Duration::from_secs(60))).await;
    while let Ok(name) = names.try_recv() {
        world.saw(name.display());
    }
}

/// Each run takes so long that other ones have the same files meanwhile.
#[refrain::test(runs = 5)]
async fn has_files_for_a_while(world: World) {
    let client = world.client("client");
    let names = client.run(async {
        let (file, folder) = (NamedTempFile::new().unwrap(), TempDir::new().unwrap());
        crate::machine::sleep(Duration::from_millis(20));
        [file.path().to_owned(), folder.path().to_owned()]
    });
    world.saw(format_args!("{:?}", names.await));
}

/// Every way to ask for its path gives the name that it was created with.
#[refrain::test(runs = 2)]
async fn is_where_it_was_created(world: World) {
    world
        .client("client")
        .run(async {
            let folder = TempDir::new().unwrap();
            let file = NamedTempFile::new_in(&folder).unwrap();
            assert_eq!(fs::canonicalize(env::temp_dir()).unwrap(), env::temp_dir());
            assert_eq!(fs::canonicalize(file.path()).unwrap(), file.path());
            let link = folder.path().join("link");
            symlink(file.path(), &link).unwrap();
            assert_eq!(fs::canonicalize(&link).unwrap(), file.path());
            assert!(fs::canonicalize(folder.path().join("none")).is_err());
            let open = |path: &Path| fs::File::open(path).unwrap();
            for path in [file.path(), folder.path(), &env::temp_dir()] {
                let fd = open(path);
                let link = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
                match path == env::temp_dir() {
                    true => assert_eq!(link.unwrap_err().kind(), std::io::ErrorKind::InvalidInput),
                    false => assert_eq!(link.unwrap(), path),
                }
            }
            env::set_current_dir(folder.path()).unwrap();
            assert_eq!(env::current_dir().unwrap(), folder.path());
            fs::write("relative", "").unwrap();
            assert_eq!(fs::canonicalize("relative").unwrap(), folder.path().join("relative"));
        })
        .await;
}

/// Takes its folders away from itself.
#[refrain::test(runs = 5)]
async fn leaves_what_it_cannot_remove(world: World) {
    world
        .client("client")
        .run(async {
            let folder = TempDir::new().unwrap().keep();
            fs::write(folder.join("file"), "").unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
        })
        .await;
}

/// The name of a file for as long as a run goes on.
const HELD: &str = "held";
/// A run of a test with this variable does not end.
const HOLDS: &str = "REFRAIN_SELFTEST_HOLDS";

#[refrain::test(runs = 1, poll_limit = "1h")]
async fn holds_a_file(world: World) {
    world
        .client("client")
        .run(async {
            fs::write(env::temp_dir().join(HELD), "").unwrap();
            while env::var_os(HOLDS).is_some() {
                crate::machine::sleep(Duration::from_secs(1));
            }
        })
        .await;
}

fn request(runs: u64) -> Request {
    Request::explore(1, Budget::Runs(runs), Some(1))
}

fn name(test: &str) -> String {
    format!("processes::temporary::{test}")
}

/// Starts an exploration in a temporary folder of the machine that no other test has.
fn explore(test: &str, machines: &Path, runs: u64) -> Started {
    let environment = [("TMPDIR", machines), ("XDG_RUNTIME_DIR", machines), (HOLDS, Path::new("1"))];
    let environment = if test == "holds_a_file" { &environment[..] } else { &environment[..2] };
    Started::command(&name(test), &request(runs), environment)
}

#[track_caller]
fn assert_passes(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Explored(Exploration { caught: None, .. })), "{outcome:?}");
}

/// What runs, and workers for them, have left in a folder: all but the folder of the slots, and the empty one of the workers.
fn left_in(machines: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is = |path: &Path, begins: &str| path.file_name().unwrap().to_str().unwrap().starts_with(begins);
    let other = entries(machines).filter(|path| !is(path, "refrain"));
    let of_workers = entries(machines).filter(|path| is(path, "refrain-runs-")).flat_map(|all| entries(&all));
    other.chain(of_workers).collect()
}

#[track_caller]
fn assert_is_clean(machines: &Path) {
    let left = left_in(machines);
    assert!(left.is_empty(), "{left:?}");
}

fn is_held(machines: &Path) -> bool {
    left_in(machines).iter().any(|folder| folder.join(HELD).exists())
}

#[test]
fn what_a_run_leaves_behind_is_not_found_by_the_next_one() {
    for test in ["leaves_a_file_behind", "crashes_beside_its_files", "leaves_what_it_cannot_remove"] {
        let machines = tempfile::tempdir().unwrap();
        assert_passes(&explore(test, machines.path(), 20).outcome());
        assert_is_clean(machines.path());
    }
}

#[test]
fn explorations_at_the_same_time_do_not_collide() {
    let machines = tempfile::tempdir().unwrap();
    let mut explorations = [0; 3].map(|_| explore("has_files_for_a_while", machines.path(), 20));
    for exploration in &mut explorations {
        assert_passes(&exploration.outcome());
    }
    drop(explorations);
    assert_is_clean(machines.path());
}

#[test]
fn the_plan_decides_the_names() {
    let [mut worker, mut another] = [0; 2].map(|_| Started::worker(&name("leaves_a_file_behind")));
    let names = |worker: &mut Started, seed: u64| {
        let ran: Ran = serde_json::from_value(worker.record(json!({ "seed": seed }))).unwrap();
        let saw = ran.events.into_iter().filter_map(|event| match event.kind {
            Kind::Saw { value } => Some(value),
            _ => None,
        });
        saw.collect::<Vec<_>>()
    };
    let [one, again, other] = [1, 1, 2].map(|seed| names(&mut worker, seed));
    assert_eq!(one.len(), 1);
    assert_eq!(one, again, "in one process");
    assert_eq!(one, names(&mut another, 1), "in another process");
    assert_ne!(one, other);
}

/// Which processes of a test are killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Victims {
    Test,
    Guard,
    Worker,
    GuardAndWorker,
    All,
}

#[test]
fn whoever_is_killed_nothing_is_left() {
    for victims in [Victims::Test, Victims::Guard, Victims::Worker, Victims::GuardAndWorker, Victims::All] {
        let machines = tempfile::tempdir().unwrap();
        let test = explore("holds_a_file", machines.path(), 1);
        eventually("a held file", || is_held(machines.path()));
        let held = left_in(machines.path());
        let guard = children(test.id())[0];
        let worker = children(guard)[0];
        let pids = match victims {
            Victims::Test => vec![test.id()],
            Victims::Guard => vec![guard],
            Victims::Worker => vec![worker],
            Victims::GuardAndWorker => vec![guard, worker],
            Victims::All => vec![guard, worker, test.id()],
        };
        // Nobody of them sees another's end.
        for pid in &pids {
            kill(Pid::from_raw(*pid as i32), Signal::SIGSTOP).unwrap();
        }
        pids.into_iter().for_each(kill_now);
        if victims == Victims::All {
            // The next test finds it.
            drop(test);
            assert_passes(&explore("leaves_a_file_behind", machines.path(), 2).outcome());
            assert_is_clean(machines.path());
            continue;
        }
        eventually(&format!("the end of the folder after {victims:?}"), || !held.iter().any(|folder| folder.exists()));
        drop(test);
        eventually("the end of the next folder", || left_in(machines.path()).is_empty());
    }
}

/// Where too few descriptors are allowed, runs have the folder of the machine.
#[test]
fn a_machine_with_few_descriptors_has_one_folder() {
    let machines = tempfile::tempdir().unwrap();
    let mut few = Command::new(env::current_exe().unwrap());
    few.env("TMPDIR", machines.path());
    // SAFETY: the function makes one system call.
    unsafe { few.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_NOFILE, 512, 512)?)) };
    assert_passes(&ask_in(few, &name("has_files_for_a_while"), &request(2)));
    let all: Vec<_> = fs::read_dir(machines.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(all.iter().all(|name| name.to_str().unwrap().starts_with("refrain-")), "{all:?}");
}
