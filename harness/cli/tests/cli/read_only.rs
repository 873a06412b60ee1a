//! `cargo refrain init` and `sync` in a checkout that may not be written.

use super::{
    fixture::{Ran, write},
    init::{MANIFEST, init, repository, run, service},
};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::SystemTime,
};

/// Every file below a folder, with what it contains and when it was written.
fn all_files(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.is_dir() {
            all.extend(all_files(&path));
        } else {
            let written = path.metadata().and_then(|file| file.modified()).expect("it is there");
            all.insert(path.clone(), (fs::read(&path).expect("it is readable"), written));
        }
    }
    all
}

/// Forbids everything below a folder to be written while a command runs, to root as well.
fn run_protected(dir: &Path, args: &[&str]) -> Ran {
    let chmod = |mode: &str| {
        let done = Command::new("chmod").args(["-R", mode]).arg(dir).status();
        assert!(done.expect("there is a chmod").success());
    };
    chmod("a-w");
    let ran = thread::scope(|scope| {
        let protected = scope.spawn(|| {
            // Of this thread, and of what it starts.
            let _ = remove_capability_from_bounding_set(CapabilitySet::DAC_OVERRIDE);
            run(dir, args)
        });
        protected.join().expect("it does not panic")
    });
    chmod("u+w");
    ran
}

/// All of it, or one member's folder: then the workspace's own manifest is written first.
#[test]
fn init_that_may_not_write_says_what_to_do_and_changes_nothing() {
    for is_member_alone in [false, true] {
        let dir = service(MANIFEST);
        let dir = dir.path();
        write(&dir.join("member/Cargo.toml"), &MANIFEST.replace("\"service\"", "\"member\""));
        write(&dir.join("member/src/lib.rs"), "");
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("it is there");
        write(&dir.join("Cargo.toml"), &manifest.replace("[workspace]", "[workspace]\nmembers = [\"member\"]"));
        let before = all_files(dir);
        let clone = repository();
        let clone = clone.to_str().expect("it is text");
        let ran = match is_member_alone {
            false => run_protected(dir, &["init", "--clone", clone]),
            true => {
                let args = ["init", "--clone", clone, "--manifest-path", "../Cargo.toml"];
                run_protected(&dir.join("member"), &args)
            }
        };
        assert_eq!(ran.code, 3, "{ran:?}");
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{ran:?}");
        let told = if is_member_alone { "check the folder and its permissions" } else { "may not be written" };
        assert!(ran.stderr.contains(told), "{ran:?}");
        let texts = |all: BTreeMap<PathBuf, (Vec<u8>, SystemTime)>| {
            all.into_iter().map(|(path, (text, _))| (path, text)).collect::<Vec<_>>()
        };
        assert_eq!(texts(all_files(dir)), texts(before));
    }
}

#[test]
fn sync_writes_nothing_where_all_is_as_it_has_to_be() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    let before = all_files(dir);
    let ran = run_protected(dir, &["sync"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains(".refrain/ is of tokio 1."), "{ran:?}");
    assert_eq!(all_files(dir), before);
}

#[test]
fn sync_that_may_not_write_says_what_to_do_and_changes_nothing() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    let lock = fs::read_to_string(dir.join("Cargo.lock")).expect("it is there");
    let without_refrain = lock.replace("name = \"refrain-tokio\"", "name = \"refrain-tokyo\"");
    let copy = dir.join(".refrain/tokio/src/lib.rs");
    let made = fs::read_to_string(&copy).expect("it is there");
    for (path, text) in [(&copy, ""), (&dir.join("Cargo.lock"), &without_refrain)] {
        let right = fs::read_to_string(path).expect("it is there");
        write(path, text);
        let before = all_files(dir);
        let ran = run_protected(dir, &["sync"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{ran:?}");
        let name = path.file_name().expect("it is a file").to_string_lossy();
        let told = format!("{name} is not as it has to be, and may not be written: ");
        assert!(ran.stderr.contains(&told) && ran.stderr.contains("take .refrain/ and Cargo.lock"), "{ran:?}");
        assert_eq!(all_files(dir), before);
        write(path, &right);
    }
    assert_eq!(fs::read_to_string(&copy).expect("it is there"), made);
}

/// Of two files that differ, one may be written: neither is.
#[test]
fn sync_changes_all_or_nothing() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    write(&dir.join(".refrain/madsim/src/lib.rs"), "");
    write(&dir.join(".refrain/tokio/src/lib.rs"), "");
    let before = all_files(dir);
    let ran = run_protected(&dir.join(".refrain/tokio"), &["sync", "--manifest-path", "../../Cargo.toml"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(all_files(dir), before);
}
