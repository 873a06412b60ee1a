//! How tests are built and started: whatever is wrong with it is said, and whatever is right works.

use refrain::World;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

#[refrain::test(runs = 3)]
async fn a_test_that_prints(world: World) {
    println!("printed in a run");
    world.client("client");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn own(args: &[&str]) -> Output {
    Command::new(std::env::current_exe().unwrap()).args(args).output().unwrap()
}

/// With `RUSTFLAGS` set, cargo leaves out what `.cargo/config.toml` says. This is what rustc is then asked to build.
#[test]
fn without_madsims_cfg_the_build_says_what_to_do() {
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let mut build = Command::new(rustc);
    build.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--cfg", "feature=\"sim\""]);
    build.arg("--out-dir").arg(env!("CARGO_TARGET_TMPDIR")).arg(root().join("harness/tokio/src/lib.rs"));
    let built = build.output().unwrap();
    assert!(!built.status.success());
    let said = text(&built.stderr);
    assert!(said.contains("put `[build] rustflags = [\"--cfg\", \"madsim\"]` into .cargo/config.toml"), "{said}");
    assert!(said.contains("A RUSTFLAGS variable in the environment replaces that setting"), "{said}");
    assert_eq!(said.matches("\nerror").count() + usize::from(said.starts_with("error")), 2, "one error and its count");
}

#[test]
fn a_test_runs_alone_and_among_others_and_with_its_output() {
    // No filter may match this very test: it would start itself for ever.
    for args in [&["--exact", "a_test_that_prints"][..], &["prints"], &["--test-threads=3", "a_test_that"]] {
        let ran = own(args);
        assert!(ran.status.success() && text(&ran.stdout).contains("1 passed"), "{args:?}: {ran:?}");
        assert!(!text(&ran.stdout).contains("3 runs"), "libtest keeps the output of what passes");
    }
    let ran = own(&["--exact", "a_test_that_prints", "--nocapture"]);
    assert!(text(&ran.stdout).contains("3 runs"), "{ran:?}");
}

#[test]
fn tests_run_under_nextest() {
    let installed = Command::new(env!("CARGO")).args(["nextest", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return println!("skipped: cargo-nextest is not installed");
    }
    // The whole workspace, so that what `cargo test --workspace` has built serves here too.
    let mut nextest = Command::new(env!("CARGO"));
    nextest.current_dir(root()).args(["nextest", "run", "--workspace", "-E", "test(=what_is_sent_comes_back)"]);
    let ran = nextest.output().unwrap();
    assert!(ran.status.success() && text(&ran.stderr).contains("1 test run: 1 passed"), "{ran:?}");
}

#[test]
fn an_unknown_role_is_refused() {
    let mut started = Command::new(std::env::current_exe().unwrap());
    let ran = started.args(["--exact", "a_test_that_prints", "--nocapture"]).env("REFRAIN_ROLE", "boss").output();
    let ran = ran.unwrap();
    assert!(!ran.status.success());
    assert!(text(&ran.stderr).contains("REFRAIN_ROLE is \"boss\": refrain sets this variable itself"), "{ran:?}");
}

/// Simulated names outside of a run are a mistake that is named, at the place where it was made.
#[test]
fn outside_of_a_run_there_is_no_simulation() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let spawned = std::panic::catch_unwind(|| drop(tokio::spawn(async {})));
    std::panic::set_hook(before);
    let said = spawned.unwrap_err();
    let said = said.downcast_ref::<&str>().expect("a message");
    assert!(said.contains("simulated tokio runs only inside #[refrain::test]"), "{said}");
}
