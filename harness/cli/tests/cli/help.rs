//! The help reads as reviewed, and the same on every terminal.

use std::process::Command;

#[track_caller]
fn check(name: &str, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-refrain")).args(args).env("COLUMNS", "40").output();
    let output = output.expect("it can be started");
    assert!(output.status.success());
    insta::assert_snapshot!(name, String::from_utf8(output.stdout).expect("help is text"));
}

#[test]
fn help_is_as_reviewed() {
    check("refrain", &["refrain", "--help"]);
    for command in ["init", "sync", "explore", "run", "replay", "cause", "shrink", "show", "model", "list"] {
        check(command, &["refrain", command, "--help"]);
    }
}
