//! At most as many concurrent runs as the machine has cores, whoever starts the tests.

use super::PATIENCE;
use crate::driver::Started;
use refrain::World;
use refrain_core::protocol::{Budget, Exploration, Outcome, Request};
use std::{
    fs, thread,
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
    let request = Request::Explore { seed: 1, budget: Budget::Runs(40), jobs: None };
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
