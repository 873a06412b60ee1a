//! The program that cargo builds for these tests is a simulated one: it must say so and refuse to serve.

use std::process::Command;

#[test]
fn a_simulated_program_says_so_and_exits_with_3() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/exchange.toml");
    for args in [&["exchange", "--settings", samples][..], &["query", "--at", "127.0.0.1:1", "bob@exchange.example"]] {
        let ran = Command::new(env!("CARGO_BIN_EXE_calcon")).args(args).output().expect("it starts");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains("built with refrain's simulated tokio, so it cannot serve"), "{said}");
        assert!(said.contains("Build it without the harness"), "{said}");
        assert!(ran.stdout.is_empty());
    }
}
