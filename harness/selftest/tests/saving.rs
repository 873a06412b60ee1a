//! Where traces are found and saved: wherever the package is now, and whatever is wrong with its directory.

use crate::driver::{ask_and_kill, ask_in};
use refrain::World;
use refrain_core::{
    protocol::{Budget, Caught, Doing, Outcome, Request, SavedAt},
    trace,
    verdict::Class,
};
use std::{
    env,
    fs::{self, File},
    os::{
        fd::AsRawFd,
        unix::fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    process::{self, Command, Output},
    time::Duration,
};
use tempfile::TempDir;

/// The one run of `cargo test` passes; one in 256 fails.
#[refrain::test(runs = 1)]
async fn one_number_is_wrong(_world: World, number: u8) {
    assert_ne!(number, 200);
}

/// Fails as rarely, and takes long to shrink.
#[refrain::test(runs = 1)]
async fn one_number_is_wrong_among_many(_world: World, number: u8, _many: Vec<u64>) {
    if number == 200 {
        crate::machine::sleep(Duration::from_millis(20));
    }
    assert_ne!(number, 200);
}

#[test]
fn a_find_is_saved_before_it_is_shrunk() {
    let package = copy_of_the_package();
    let mut command = Command::new(own());
    in_package(&mut command, package.path());
    let request = Request::explore(1, Budget::Runs(5_000), Some(2));
    ask_and_kill(command, "saving::one_number_is_wrong_among_many", &request, |doing| {
        matches!(doing, Doing::Shrinking { .. })
    });
    let traces = fs::read_dir(package.path().join("traces")).unwrap().map(|entry| entry.unwrap().path());
    let traces: Vec<_> = traces.map(|path| trace::read(&path).unwrap()).collect();
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].plan.workload[0].value, 200);
    assert_ne!(traces[0].plan.workload[1].value, serde_json::json!([]), "it is not shrunk yet");
}

const TEST: &str = "saving::one_number_is_wrong";

/// Returns a copy of this package, of which only the name and the traces matter.
fn copy_of_the_package() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"), folder.path().join("Cargo.toml")).unwrap();
    folder
}

/// Returns what this executable catches when cargo runs it in a package.
fn caught_in(package: &Path, executable: &Path, temporary: &Path) -> Caught {
    let mut command = Command::new(executable);
    in_package(&mut command, package).env("TMPDIR", temporary);
    match ask_in(command, TEST, &Request::explore(1, Budget::Runs(5_000), Some(2))) {
        Outcome::Explored(explored) => explored.caught.expect("one in 256 fails"),
        other => panic!("{other:?}"),
    }
}

fn in_package<'a>(command: &'a mut Command, package: &Path) -> &'a mut Command {
    command.current_dir(package).env("CARGO_MANIFEST_DIR", package).env("CARGO_PKG_NAME", env!("CARGO_PKG_NAME"))
}

fn own() -> PathBuf {
    env::current_exe().unwrap()
}

/// Copies this executable to a directory outside any target directory.
fn copy_of_the_executable(folder: &Path) -> PathBuf {
    let copy = folder.join("selftest");
    // In a separate process: one that another thread forks here must not inherit a writable descriptor of the file.
    assert!(Command::new("cp").arg(own()).arg(&copy).status().unwrap().success());
    copy
}

/// Runs the test as libtest does. When started by hand, cargo's environment variables are missing.
fn test_in(folder: &Path, by_hand: bool) -> Output {
    let mut command = Command::new(own());
    command.args(["--exact", TEST]);
    match by_hand {
        false => in_package(&mut command, folder),
        true => command.current_dir(folder).env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME"),
    };
    command.output().unwrap()
}

#[track_caller]
fn fails(ran: &Output, with: &str) {
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(!ran.status.success() && said.contains(with), "{ran:?}");
}

#[track_caller]
fn is_the_find(path: &Path) {
    let trace = trace::read(path).unwrap();
    assert_eq!((trace.test.as_str(), trace.failure.class), (TEST, Class::Panic));
    assert_eq!(trace.plan.workload[0].value, 200);
}

/// Cached target directories move: what was compiled in one directory runs in another.
#[test]
fn a_package_that_moved_uses_the_traces_that_it_has_now() {
    let package = copy_of_the_package();
    let SavedAt::Traces(path) = caught_in(package.path(), &own(), &env::temp_dir()).saved else {
        panic!("it is saved")
    };
    assert_eq!(path.parent(), Some(&*package.path().join("traces")));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "only the smallest one is left");
    is_the_find(&path);
    let src = package.path().join("src");
    fs::create_dir(&src).unwrap();
    for ran in [test_in(package.path(), false), test_in(package.path(), true), test_in(&src, true)] {
        fails(&ran, "the saved failure still happens");
    }
    // Otherwise, and where neither cargo nor the current directory identifies a package, it is the compiled-in one.
    for ran in [test_in(Path::new(env!("CARGO_MANIFEST_DIR")), false), test_in(Path::new("/"), true)] {
        assert!(ran.status.success(), "{ran:?}");
    }
    // An earlier version used four hash digits.
    fs::rename(&path, path.with_file_name("saving.one_number_is_wrong-7c1e.jsonl")).unwrap();
    fails(&test_in(package.path(), false), "the saved failure still happens");
}

/// Whoever explores is told of the page, and so is whoever runs the test again, which replays the trace.
#[test]
fn the_page_of_a_failure_is_named_beside_its_trace() {
    let package = copy_of_the_package();
    let is_its_page = |path: &Path| {
        let page = fs::read_to_string(path).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.contains("number = 200"), "{}", path.display());
        fs::remove_file(path).unwrap();
    };
    let caught = caught_in(package.path(), &own(), &env::temp_dir());
    is_its_page(&caught.page.expect("there is a target directory"));
    let ran = test_in(package.path(), false);
    fails(&ran, "the saved failure still happens");
    let said = String::from_utf8_lossy(&ran.stdout);
    let (before, page) = said.split_once("\npage: ").expect("the page is named");
    assert!(before.lines().last().is_some_and(|line| line.starts_with("replay: cargo refrain replay ")), "{said}");
    is_its_page(&package.path().join(page.lines().next().unwrap()));
}

#[test]
fn a_package_that_is_gone_is_an_error() {
    let mut command = Command::new(own());
    in_package(command.args(["--exact", TEST]), Path::new("/")).env("CARGO_MANIFEST_DIR", "/nowhere");
    fails(&command.output().unwrap(), "CARGO_MANIFEST_DIR is /nowhere, which is not a directory: run `cargo test`");
}

#[test]
fn traces_that_cannot_be_listed_are_an_error() {
    let package = copy_of_the_package();
    fs::write(package.path().join("traces"), "no folder").unwrap();
    fails(&test_in(package.path(), false), "cannot be listed: Not a directory");
}

/// Returns directories that are not writable even for root: one is a file, the other is in a file system of the kernel.
fn refusing_packages() -> [TempDir; 2] {
    let packages = [copy_of_the_package(), copy_of_the_package()];
    fs::write(packages[0].path().join("traces"), "no folder").unwrap();
    symlink("/proc/sys", packages[1].path().join("traces")).unwrap();
    packages
}

#[test]
fn a_find_that_traces_refuses_is_saved_in_the_target_folder() {
    for package in refusing_packages() {
        let caught = caught_in(package.path(), &own(), &env::temp_dir());
        let SavedAt::Elsewhere { path, why } = caught.saved else { panic!("{caught:?}") };
        assert_eq!(path.parent().and_then(Path::file_name), Some("refrain-traces".as_ref()), "{path:?}");
        assert!(own().starts_with(path.parent().unwrap().parent().unwrap()), "{path:?}");
        assert!(why.contains("/traces/saving.one_number_is_wrong-"), "{why}");
        is_the_find(&path);
    }
}

#[test]
fn without_a_target_folder_it_is_saved_with_temporary_files() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let executable = copy_of_the_executable(folder.path());
    for package in refusing_packages() {
        let caught = caught_in(package.path(), &executable, temporary.path());
        let SavedAt::Elsewhere { path, .. } = caught.saved else { panic!("{caught:?}") };
        assert!(path.starts_with(temporary.path()), "{path:?}");
        is_the_find(&path);
        let private = fs::metadata(path.parent().unwrap()).unwrap().permissions();
        assert_eq!(private.mode() & 0o777, 0o700, "others may write where temporary files are");
    }
}

#[test]
fn what_nothing_takes_is_told_with_its_plan() {
    let folder = tempfile::tempdir().unwrap();
    let executable = copy_of_the_executable(folder.path());
    for package in refusing_packages() {
        let caught = caught_in(package.path(), &executable, Path::new("/proc/sys"));
        assert!(matches!(caught.saved, SavedAt::Nowhere { .. }), "{caught:?}");
        let report = refrain::report::caught(&caught, Default::default());
        assert!(report.contains("FAILED panic: ") && report.contains("number = 200\n"), "{report}");
        assert!(report.contains("\n  not saved: ") && !report.contains("cargo refrain replay"), "{report}");
    }
}

#[test]
fn a_shrunk_plan_that_cannot_be_saved_over_its_trace_is_saved_elsewhere() {
    let package = copy_of_the_package();
    let SavedAt::Traces(path) = caught_in(package.path(), &own(), &env::temp_dir()).saved else {
        panic!("it is saved")
    };
    let small = trace::read(&path).unwrap();
    let mut larger = small.clone();
    let hold = "hold the 1st task spawned on a at src/a.rs:1 at its 3rd poll until nothing else can run";
    larger.plan = format!("{}\n{hold}", small.plan).parse().unwrap();
    trace::write(&path, &larger).unwrap();
    // In that directory no file can be created next to it, not even by root.
    let file = File::open(&path).unwrap();
    let opened = PathBuf::from(format!("/proc/{}/fd/{}", process::id(), file.as_raw_fd()));
    let mut command = Command::new(own());
    in_package(&mut command, package.path());
    let Outcome::Shrunk(shrunk) = ask_in(command, TEST, &Request::Shrink { trace: opened, jobs: Some(1) }) else {
        panic!("it shrinks")
    };
    assert_eq!(shrunk.after, small.plan);
    let Some(SavedAt::Elsewhere { path, .. }) = shrunk.saved else { panic!("{:?}", shrunk.saved) };
    is_the_find(&path);
    assert_eq!(trace::read(&path).unwrap().plan, small.plan);
}
