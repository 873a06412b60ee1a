//! At most as many concurrent runs as the machine has cores, whoever starts the tests.

use super::PATIENCE;
use crate::driver::Started;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use refrain::{
    World,
    sync::{
        atomic::{AtomicU32, Ordering::SeqCst},
        thread as model,
    },
};
use refrain_core::protocol::{Budget, Exploration, Outcome, Request};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// The directory in which each active run has a file.
const RUNNING: &str = "REFRAIN_SELFTEST_RUNNING";

#[refrain::test(runs = 1, allow = ["processes"])]
async fn counts_who_runs(_world: World) {
    let Some(folder) = std::env::var_os(RUNNING) else { return };
    let own = std::path::Path::new(&folder).join(std::process::id().to_string());
    fs::write(&own, "").unwrap();
    let running = fs::read_dir(&folder).unwrap().count();
    thread::sleep(Duration::from_millis(5));
    fs::remove_file(own).unwrap();
    // The count is a file's name, since several runs may report at the same time.
    fs::write(std::path::Path::new(&folder).with_extension(running.to_string()), "").unwrap();
}

/// Like nextest: a process for each test.
#[test]
fn of_sixteen_tests_at_once_as_many_run_as_there_are_cores() {
    let cores = thread::available_parallelism().unwrap().get();
    let folder = tempfile::tempdir().unwrap();
    let running = folder.path().join("running");
    fs::create_dir(&running).unwrap();
    let request = Request::explore(1, Budget::Runs(40), None);
    let started = Instant::now();
    let tests: Vec<_> = (0..16)
        .map(|_| Started::command("processes::budget::counts_who_runs", &request, &[(RUNNING, running.as_path())]))
        .collect();
    for mut test in tests {
        let outcome = test.outcome();
        assert!(matches!(outcome, Outcome::Explored(Exploration { runs: 40, caught: None, .. })), "{outcome:?}");
    }
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    let most = (1..100).filter(|count| running.with_extension(count.to_string()).exists()).max();
    assert!(most.is_some_and(|most| most <= cores), "{most:?} runs at a time on {cores} cores");
}

/// The files of the slots that a process has with this directory as its `XDG_RUNTIME_DIR`.
fn slots(runtime: &Path) -> Vec<PathBuf> {
    let cores = thread::available_parallelism().unwrap().get();
    (0..cores).map(|slot| runtime.join(format!("refrain/slot-{slot}"))).collect()
}

/// Takes a slot, if it is free.
fn taken(slot: &Path) -> Option<File> {
    let file = File::options().write(true).create(true).truncate(false).open(slot).unwrap();
    file.try_lock().is_ok().then_some(file)
}

/// Each of its jobs would wait for half a minute otherwise.
#[test]
fn a_test_goes_on_while_a_stopped_process_has_all_slots() {
    let runtime = tempfile::tempdir().unwrap();
    fs::create_dir(runtime.path().join("refrain")).unwrap();
    let stopped = Stopped::start();
    let slots = slots(runtime.path());
    let _taken: Vec<File> = slots.iter().map(|slot| taken(slot).expect("it is free")).collect();
    slots.iter().for_each(|slot| fs::write(slot, stopped.0.id().to_string()).unwrap());
    let request = Request::explore(1, Budget::Runs(40), None);
    let started = Instant::now();
    let environment = [("XDG_RUNTIME_DIR", runtime.path())];
    let outcome = Started::command("processes::budget::counts_who_runs", &request, &environment).outcome();
    assert!(matches!(outcome, Outcome::Explored(Exploration { runs: 40, caught: None, .. })), "{outcome:?}");
    assert!(started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
}

/// A process that is stopped. It ends with this.
struct Stopped(Child);

impl Stopped {
    fn start() -> Stopped {
        let stopped = Stopped(Command::new("sleep").arg("1000").spawn().unwrap());
        kill(Pid::from_raw(stopped.0.id() as i32), Signal::SIGSTOP).unwrap();
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

/// It has more interleavings than anybody can search.
#[refrain::model(runs = 10)]
fn six_threads_add() {
    let sum = Arc::new(AtomicU32::new(0));
    let threads = [(); 6].map(|()| {
        let sum = sum.clone();
        model::spawn(move || {
            for _ in 0..8 {
                sum.fetch_add(1, SeqCst);
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// As a `cargo refrain` that is suspended.
#[test]
fn a_test_whose_reports_nobody_reads_leaves_its_slots_to_others() {
    const FREE: Duration = Duration::from_secs(2);
    let runtime = tempfile::tempdir().unwrap();
    let request = Request::explore(1, Budget::Seconds(3_000), None);
    let environment = [("XDG_RUNTIME_DIR", runtime.path())];
    let unread = Started::command("processes::budget::six_threads_add", &request, &environment);
    let slots = slots(runtime.path());
    let (started, mut used, mut free_since) = (Instant::now(), false, Instant::now());
    while !used || free_since.elapsed() < FREE {
        assert!(started.elapsed() < PATIENCE, "a slot is taken all the time");
        if slots.iter().any(|slot| slot.exists() && taken(slot).is_none()) {
            (used, free_since) = (true, Instant::now());
        }
        thread::sleep(Duration::from_millis(5));
    }
    drop(unread);
}
