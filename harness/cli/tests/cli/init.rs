//! `cargo refrain init` and `sync`, in workspaces that name tokio.

use super::fixture::{Ran, write};
use refrain_core::graph;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

pub const MANIFEST: &str = "[package]\nname = \"service\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n# Ours.\ntokio = { version = \"1\", features = [\"full\"] }\n";

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A new workspace, with the versions that this repository has: they are on this machine. It lies outside of the repository,
/// whose configuration cargo would read otherwise.
pub fn service(manifest: &str) -> TempDir {
    let dir = TempDir::new().expect("there is room for temporary files");
    write(&dir.path().join("Cargo.toml"), &format!("{manifest}\n[workspace]\n"));
    write(&dir.path().join("src/lib.rs"), "");
    fs::copy(repository().join("Cargo.lock"), dir.path().join("Cargo.lock")).expect("the repository has a lock file");
    dir
}

pub fn run(dir: &Path, args: &[&str]) -> Ran {
    run_with(dir, args, &[])
}

/// The same with other variables, such as that of cargo.
fn run_with(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-refrain"));
    command.arg("refrain").args(args).current_dir(dir).env("CARGO_NET_OFFLINE", "true").env("NO_COLOR", "1");
    command.envs(variables.iter().copied());
    Ran::of(&mut command)
}

pub fn init(dir: &Path) -> Ran {
    run(dir, &["init", "--clone", repository().to_str().expect("it is text")])
}

/// Every file below a folder, but for what git ignores.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("it is there") {
        let path = entry.expect("it is there").path();
        match path.is_dir() {
            true if path.ends_with(".refrain") => {}
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), fs::read_to_string(&path).expect("it is text"))),
        }
    }
    all
}

#[test]
fn init_patches_tokio_and_changes_nothing_the_second_time() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    let ran = init(dir);
    assert_eq!(ran.code, 0, "{ran:?}");
    for done in [
        "[patch.crates-io] tokio",
        "[dev-dependencies] refrain",
        "rustflags: --cfg madsim",
        ".refrain/: made from tokio 1.",
    ] {
        assert!(ran.stdout.contains(done), "{done}: {}", ran.stdout);
    }
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("it is there");
    assert!(manifest.starts_with(MANIFEST), "what was there stays as it was: {manifest}");
    assert!(manifest.contains("tokio = { path = \".refrain/tokio\" }"), "{manifest}");
    assert_eq!(graph::check(dir), Ok(()));
    let lock = fs::read_to_string(dir.join("Cargo.lock")).expect("it is there");
    assert!(graph::locked(&lock).iter().any(|package| package.name == graph::REAL && !package.is_fetched()), "{lock}");

    let before = files(dir);
    let again = init(dir);
    assert_eq!((again.code, again.stdout.lines().count()), (0, 1), "{again:?}");
    assert!(again.stdout.starts_with("Nothing to do"), "{again:?}");
    assert_eq!(files(dir), before);
}

#[test]
fn sync_makes_what_a_new_clone_lacks() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    let before = files(dir);
    fs::remove_dir_all(dir.join(".refrain")).expect("it is there");
    let ran = run(dir, &["sync"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(files(dir), before);
    assert_eq!(graph::check(dir), Ok(()));
}

/// Features that no manifest names as such are features of the copy: cargo would not build the graph otherwise.
#[test]
fn the_copy_has_every_feature_of_tokio() {
    let dir = service(&MANIFEST.replace("\"full\"", "\"full\", \"test-util\", \"bytes\", \"tracing\""));
    let dir = dir.path();
    let ran = init(dir);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_workspace_that_cannot_be_patched_stays_as_it_was() {
    let patched = format!("{MANIFEST}\n[patch.crates-io]\ntokio = {{ path = \"mine\" }}\n");
    let none = MANIFEST.replace("tokio = { version", "bytes = \"1\"\n# tokio = { version");
    for (manifest, why) in [(patched.as_str(), "patches tokio already"), (none.as_str(), "Cargo.lock names no tokio")] {
        let dir = service(manifest);
        let dir = dir.path();
        let before = files(dir);
        let ran = init(dir);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains(why), "{ran:?}");
        assert_eq!(files(dir), before);
        assert!(!dir.join(".refrain").exists(), "half of it is left");
    }
}

/// Features of tests would be those of production: with the first resolver, what is shipped would be simulated.
#[test]
fn an_old_edition_gets_the_second_resolver() {
    let dir = service(&MANIFEST.replace("2024", "2018"));
    let dir = dir.path();
    let ran = init(dir);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("resolver = \"2\""), "{ran:?}");
}

#[test]
fn another_tokio_than_the_copy_is_told_and_mended_by_sync() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    let copy = dir.join(".refrain/tokio/Cargo.toml");
    let manifest = fs::read_to_string(&copy).expect("it is there");
    let version = graph::copied(dir).expect("it is readable").expect("it is there");
    write(&copy, &manifest.replace(&format!("version = \"{version}\""), "version = \"1.53.0\""));
    let wrong = graph::check(dir).expect_err("the lock file says another one");
    assert!(wrong.contains("1.53.0") && wrong.contains(&version) && wrong.contains("cargo refrain sync"), "{wrong}");
    assert_eq!(run(dir, &["sync"]).code, 0);
    assert_eq!(graph::check(dir), Ok(()));
}

#[test]
fn sync_without_a_patch_says_what_to_do() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    let ran = run(dir, &["sync"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("cargo refrain init"), "{ran:?}");
}

/// parking_lot is in the graph because tokio's feature `full` needs it.
#[test]
fn a_dependency_becomes_part_of_models_with_what_it_needs_and_ceases_to_be() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    let models =
        |names: &str| run(dir, &["init", "--clone", repository().to_str().expect("it is text"), "--models", names]);
    let ran = models("parking_lot");
    assert_eq!(ran.code, 0, "{ran:?}");
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("it is there");
    for added in ["models = [\"parking_lot\"]", "lock_api = {", "parking_lot = {", "parking_lot_core = {"] {
        assert!(manifest.contains(added), "{added}: {manifest}");
    }
    let modeled = graph::modeled(dir).expect("it is readable");
    let names: Vec<&str> = modeled.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lock_api", "parking_lot", "parking_lot_core"]);
    assert_eq!(graph::check(dir), Ok(()));

    let before = files(dir);
    assert!(models("parking_lot").stdout.starts_with("Nothing to do"), "a second time changes nothing");
    assert!(init(dir).stdout.starts_with("Nothing to do"), "without the option it stays as it is");
    fs::remove_dir_all(dir.join(".refrain")).expect("it is there");
    let ran = run(dir, &["sync"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((files(dir), graph::modeled(dir)), (before, Ok(modeled)));

    let copy = dir.join(".refrain/models/lock_api/Cargo.toml");
    write(&copy, &fs::read_to_string(&copy).expect("it is there").replace("version = \"0.4.", "version = \"0.3."));
    let wrong = graph::check(dir).expect_err("the lock file says another one");
    assert!(wrong.contains("lock_api") && wrong.contains("cargo refrain sync"), "{wrong}");

    // As after a pull of what another has made part of models.
    fs::remove_dir_all(dir.join(".refrain/models/parking_lot")).expect("it is there");
    let wrong = graph::check_made(dir).expect_err("cargo would only say that a file is missing");
    assert!(wrong.contains("takes parking_lot") && wrong.contains("cargo refrain sync"), "{wrong}");

    let ran = models("");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(graph::check_made(dir), Ok(()));
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("it is there");
    assert!(!manifest.contains("parking_lot") && manifest.contains("tokio = { path"), "{manifest}");
    assert_eq!(graph::modeled(dir), Ok(vec![]));
}

/// `*` matches the directories that init makes, which hold no member.
#[test]
fn a_workspace_of_all_directories_does_not_take_the_generated_ones() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    write(&dir.join("service/Cargo.toml"), MANIFEST);
    write(&dir.join("service/src/lib.rs"), "");
    fs::remove_dir_all(dir.join("src")).expect("it is there");
    write(&dir.join("Cargo.toml"), "[workspace]\nmembers = [\"*\"]\nresolver = \"2\"\n");
    let ran = init(dir);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(init(dir).stdout.lines().count(), 1);
}

/// Each is told in one message with what to do, and changes nothing.
#[test]
fn what_init_cannot_do_is_told_and_undone() {
    let unknown = MANIFEST.replace("\"1\"", "\"2\"");
    // A cargo home without a registry.
    let empty = TempDir::new().expect("there is room for temporary files");
    let empty = empty.path().to_str().expect("it is text");
    let clone = repository();
    let clone = clone.to_str().expect("it is text");
    let init = &["init", "--clone", clone][..];
    for (manifest, args, variables, told) in [
        (unknown.as_str(), init, &[][..], "has to accept 1."),
        (MANIFEST, &["init"], &[], "cargo refrain init --clone CLONE"),
        (MANIFEST, init, &[("CARGO", "/nowhere/cargo")], "there is no cargo: install Rust"),
        (MANIFEST, init, &[("CARGO_HOME", empty)], "offline, run this once with a network"),
        (MANIFEST, &["init", "--clone", clone, "--models", "rayon"], &[], "rayon cannot be part of models"),
        (MANIFEST, &["init", "--clone", clone, "--models", "dashmap"], &[], "Cargo.lock names no dashmap"),
    ] {
        let dir = service(manifest);
        let dir = dir.path();
        let before = files(dir);
        let ran = run_with(dir, args, variables);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(told), "{ran:?}");
        assert_eq!(files(dir), before);
        assert!(!dir.join(".refrain").exists(), "half of it is left");
    }
}

/// Cargo is a script here that interrupts the command whenever it is run.
#[test]
fn an_interrupted_init_leaves_nothing() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    let before = files(dir);
    let scripts = TempDir::new().expect("there is room for temporary files");
    let script = scripts.path().join("cargo");
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    write(&script, &format!("#!/bin/sh\nkill -INT $PPID\nexec '{cargo}' \"$@\"\n"));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let clone = repository();
    let args = ["init", "--clone", clone.to_str().expect("it is text")];
    let ran = run_with(dir, &args, &[("CARGO", script.to_str().expect("it is text"))]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("interrupted: all is as it was before"), "{ran:?}");
    assert_eq!(files(dir), before);
    assert!(!dir.join(".refrain").exists(), "half of it is left");
}

#[test]
fn a_new_clone_without_the_copy_says_to_run_sync() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    fs::remove_dir_all(dir.join(".refrain")).expect("it is there");
    let ran = run(dir, &["explore"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: .refrain/ is not there") && ran.stderr.contains("cargo refrain sync"),
        "{ran:?}"
    );
}
