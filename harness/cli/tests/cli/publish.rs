//! `cargo package` of a service that `cargo refrain init` has prepared.

use super::{
    fixture::write,
    init::{MANIFEST, init, service},
};
use std::{fs, process::Command};

/// With refrain from a clone, no registry has the version that `init` writes, and cargo locks it for the package.
#[test]
fn a_service_with_a_path_to_refrain_is_packaged_without_it() {
    let dir = service(MANIFEST);
    let dir = dir.path();
    assert_eq!(init(dir).code, 0);
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("it is there");
    let by_path = manifest.replace("refrain = \"0.1\"", "refrain = { path = \".refrain/harness/refrain\" }");
    let by_path = by_path.replace("[workspace]", "[workspace]\nexclude = [\".refrain\"]");
    assert_eq!(by_path.lines().count(), manifest.lines().count() + 1, "{manifest}");
    write(&dir.join("Cargo.toml"), &by_path);
    let again = init(dir);
    assert!(again.stdout.starts_with("Nothing to do"), "{again:?}");

    let target = dir.join("target");
    let cargo = |args: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).current_dir(dir).env("CARGO_TARGET_DIR", &target).env("CARGO_NET_OFFLINE", "true");
        cargo.output().expect("cargo starts")
    };
    let packaged = cargo(&["package", "--no-verify", "--allow-dirty"]);
    assert!(packaged.status.success(), "{}", String::from_utf8_lossy(&packaged.stderr));
    let unpacked = Command::new("tar")
        .args(["-xOf", "target/package/service-0.1.0.crate", "service-0.1.0/Cargo.toml"])
        .current_dir(dir)
        .output()
        .expect("there is a tar");
    let published = String::from_utf8(unpacked.stdout).expect("a manifest is text");
    assert!(published.contains("[dependencies.tokio]\nversion = \"1\""), "{published}");
    let said: Vec<_> = published.lines().filter(|line| !line.starts_with('#') && line.contains("refrain")).collect();
    assert_eq!(said, [""; 0], "{published}");
}
