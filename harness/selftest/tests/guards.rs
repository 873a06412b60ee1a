//! How tests are built and started: mistakes are reported, and everything valid works.

use crate::driver::{Which, refuse};
use nix::libc;
use refrain::{
    World,
    report::{self, Style},
    trace,
};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The other tests start this executable again for this test only: their names must not match its name.
#[refrain::test(runs = 3)]
async fn what_the_others_start(world: World) {
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

/// With `RUSTFLAGS` set, cargo ignores the flags of `.cargo/config.toml`. rustc then compiles this.
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
    for args in
        [&["--exact", "guards::what_the_others_start"][..], &["others_start"], &["--test-threads=3", "what_the_others"]]
    {
        let ran = own(args);
        assert!(ran.status.success() && text(&ran.stdout).contains("1 passed"), "{args:?}: {ran:?}");
        assert!(!text(&ran.stdout).contains("3 runs"), "libtest keeps the output of what passes");
    }
    let ran = own(&["--exact", "guards::what_the_others_start", "--nocapture"]);
    assert!(text(&ran.stdout).contains("3 runs"), "{ran:?}");
}

/// nextest lists the tests, and starts the executable once per test: in its own process group and without standard input.
#[test]
fn a_test_runs_as_nextest_starts_it() {
    let listed = own(&["--list", "--format", "terse"]);
    assert!(text(&listed.stdout).lines().any(|line| line == "guards::what_the_others_start: test"), "{listed:?}");
    let mut started = Command::new(std::env::current_exe().unwrap());
    started.args(["--exact", "guards::what_the_others_start", "--nocapture"]);
    started.env("NEXTEST", "1").env("NEXTEST_EXECUTION_MODE", "process-per-test");
    let ran = started.stdin(Stdio::null()).process_group(0).output().unwrap();
    let said = text(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed") && said.contains("3 runs"), "{ran:?}");
}

/// libtest decides what `#[ignore]` means; the test below requests ignored tests.
#[refrain::test(runs = 3)]
#[ignore = "started by the test below"]
async fn is_left_out(world: World) {
    world.client("client");
}

#[test]
fn an_ignored_test_is_left_out_until_it_is_asked_for() {
    for (flag, ran) in [(None, "1 ignored"), (Some("--ignored"), "1 passed"), (Some("--include-ignored"), "1 passed")] {
        let args: Vec<_> = ["--exact", "guards::is_left_out"].into_iter().chain(flag).collect();
        let output = own(&args);
        assert!(output.status.success() && text(&output.stdout).contains(ran), "{flag:?}: {output:?}");
    }
}

#[test]
fn a_system_that_insists_on_random_addresses_is_named_once() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "guards::what_the_others_start", "--nocapture"]);
    // As Docker's default profile does, except for querying it.
    refuse(&mut command, libc::SYS_personality, Which::Without(0, u32::MAX));
    let ran = command.output().unwrap();
    let said = text(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(said.matches("this system does not allow disabling address randomisation").count(), 1, "{said}");
}

#[test]
fn an_unknown_role_is_refused() {
    let mut started = Command::new(std::env::current_exe().unwrap());
    let ran =
        started.args(["--exact", "guards::what_the_others_start", "--nocapture"]).env("REFRAIN_ROLE", "boss").output();
    let ran = ran.unwrap();
    assert!(!ran.status.success());
    assert!(text(&ran.stderr).contains("REFRAIN_ROLE is \"boss\": refrain sets this variable itself"), "{ran:?}");
}

/// Using simulated APIs outside a run is a mistake that is reported with its location.
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

/// Returns the captured output in a document: the contents of its `console` blocks, without comment markers.
fn captured(document: &str) -> Vec<String> {
    let lines = document.lines().map(|line| line.strip_prefix("//!").unwrap_or(line).trim());
    let mut blocks = vec![];
    let mut within = false;
    for line in lines {
        match (within, line) {
            (false, "```console") => blocks.push(String::new()),
            (true, "```") => {}
            (true, line) => *blocks.last_mut().unwrap() += &format!("{line}\n"),
            (false, _) => continue,
        }
        within = line != "```";
    }
    blocks
}

/// The failures shown in documents are identical to the reports of their saved traces.
#[test]
fn captured_failures_are_those_of_their_traces() {
    let echo = "harness/refrain/examples/echo/";
    let mut checked = 0;
    for (document, package) in [("README.md", ""), ("harness/refrain/src/lib.rs", echo)] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for block in captured(&text).iter().filter(|block| block.contains("FAILED ")) {
            let name = block.split_whitespace().find(|word| word.ends_with(".jsonl")).expect("it names its trace");
            let trace = trace::read(&root().join(package).join(name)).unwrap();
            let told = report::failure(&trace.failure, Style::default());
            for line in told.lines().map(str::trim) {
                assert!(
                    block.lines().any(|shown| shown == line),
                    "{document} does not show {line:?} of {name}:\n{told}"
                );
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 2, "one in each document");
}
