//! Ctrl-C while a test runs.

use super::fixture::{Ran, fixture, refrain_command};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const WAIT_MAX: Duration = Duration::from_secs(30);

#[test]
fn the_first_one_keeps_what_was_found_and_starts_no_further_test() {
    let child = start_and_wait_until_asked("slow::", "slow-stops");
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains(" s  interrupted"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 test, 0 passed, 1 did not run, 1 not started, 1,500 runs"), "{}", ran.stdout);
}

#[test]
fn the_second_one_ends_a_test_that_does_not_answer() {
    let child = start_and_wait_until_asked("stuck::", "stuck-hangs");
    interrupt(&child);
    // Two pending signals of the same kind are merged.
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("interrupted before stuck::hangs had a result"), "{}", ran.stderr);
}

fn start_and_wait_until_asked(filter: &str, test: &str) -> Child {
    let asked = fixture().join("answers").join(test).with_added_extension("request");
    let _ = fs::remove_file(&asked);
    let mut command = refrain_command(&["explore", filter]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    wait_for(&asked);
    child
}

fn wait_for(file: &Path) {
    let until = Instant::now() + WAIT_MAX;
    while !file.exists() {
        assert!(Instant::now() < until, "{} does not come", file.display());
        thread::sleep(Duration::from_millis(10));
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status();
    assert!(sent.expect("there is a shell").success());
}
