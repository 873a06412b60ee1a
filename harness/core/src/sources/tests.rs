//! Paths of every kind, and the names of the files.

use super::{Owner::*, *};
use crate::graph::locked;

const REGISTRY: &str = "registry+https://registry.example/index";

/// A workspace in which `service` uses packages from everywhere.
fn sources() -> Sources {
    let package = |(name, version, source): (&str, &str, &str)| {
        let source = if source.is_empty() { String::new() } else { format!("source = \"{source}\"\n") };
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n")
    };
    let wire = "git+https://git.example/wire?branch=main#89abcdef0123456789abcdef0123456789abcdef";
    let lock: String = [
        ("beside", "0.4.0", ""),
        ("bytes", "1.12.1", REGISTRY),
        ("hyper-util", "0.1.9", REGISTRY),
        ("hyper-util", "0.1.10", REGISTRY),
        ("madsim", "0.2.34", ""),
        ("parking_lot_core", "0.8.6", REGISTRY),
        ("parking_lot_core", "0.9.12", ""),
        ("real-tokio", "1.54.1", ""),
        ("service", "1.2.0", ""),
        ("tokio", "1.54.1", ""),
        ("wire", "0.3.0", wire),
        ("wire-codec", "0.5.0", wire),
    ]
    .map(package)
    .concat();
    Sources {
        root: "/build/service".into(),
        now: PathBuf::new(),
        packages: locked(&lock),
        vendored: vec!["vendor".into(), "/opt/crates".into()],
        harness: vec![
            (".refrain/harness/refrain/src/", "refrain-0.1.0/src/".into()),
            ("/build/clone/harness/tokio/src/", "refrain-tokio-0.1.0/src/".into()),
        ],
    }
}

#[track_caller]
fn check(file: &str, name: &str, owner: Owner) {
    assert_eq!(sources().identify(file), Source { name: name.into(), owner }, "{file}");
}

#[test]
fn files_of_the_workspace_are_relative_to_it() {
    for file in
        ["src/link.rs", "vendor/mine/src/lib.rs", "src/rustc/a/b.rs", "bytes/src/lib.rs", "app-1.0.0/src/a.rs", ""]
    {
        check(file, file, User);
    }
    // As debug information has them.
    check("/build/service/src/link.rs", "src/link.rs", User);
    check("./src/link.rs", "src/link.rs", User);
    check("/build/service/bytes/src/lib.rs", "bytes/src/lib.rs", User);
}

#[test]
fn a_dependency_is_named_by_its_package_wherever_its_sources_are() {
    let name = "hyper-util-0.1.10/src/rt/tokio.rs";
    for folder in [
        // The registry, in any cargo home.
        "/build/.cargo/registry/src/registry.example-1949cf8c6b5b557f/hyper-util-0.1.10",
        "/build/service/.cargo/registry/src/registry.example-1949cf8c6b5b557f/hyper-util-0.1.10",
        "/registry/src/x/cargo/registry/src/registry.example-0123456789abcdef/hyper-util-0.1.10",
        // `cargo vendor`, in the workspace and beside it.
        "/build/service/vendor/hyper-util",
        "/build/service/vendor/hyper-util-0.1.10",
        "/opt/crates/hyper-util",
        // The same with `--remap-path-prefix`.
        "/cargo/registry/src/registry.example-1949cf8c6b5b557f/hyper-util-0.1.10",
        "registry/src/registry.example-1949cf8c6b5b557f/hyper-util-0.1.10",
        "/deps/hyper-util-0.1.10",
        "hyper-util-0.1.10",
        "/remapped/service/vendor/hyper-util",
        "vendor/hyper-util",
        "/deps/hyper-util",
    ] {
        check(&format!("{folder}/src/rt/tokio.rs"), name, Dependency);
    }
}

#[test]
fn the_folder_without_a_version_is_the_highest_ones() {
    check("/build/service/vendor/hyper-util-0.1.9/src/lib.rs", "hyper-util-0.1.9/src/lib.rs", Dependency);
    check("/build/service/vendor/hyper-util/src/lib.rs", "hyper-util-0.1.10/src/lib.rs", Dependency);
}

#[test]
fn a_package_of_a_repository_is_named_by_its_locked_version() {
    let checkout = "/build/.cargo/git/checkouts/wire-0123456789abcdef/89abcde";
    check(&format!("{checkout}/src/lib.rs"), "wire-0.3.0/src/lib.rs", Dependency);
    check(&format!("{checkout}/src/gen/src/lib.rs"), "wire-0.3.0/src/gen/src/lib.rs", Dependency);
    check(&format!("{checkout}/crates/wire-codec/src/a/b.rs"), "wire-codec-0.5.0/src/a/b.rs", Dependency);
    check("/build/service/vendor/wire/src/lib.rs", "wire-0.3.0/src/lib.rs", Dependency);
    // Of several packages, it is not known which.
    check(&format!("{checkout}/codec/src/lib.rs"), "wire-89abcde/codec/src/lib.rs", Dependency);
    let unknown = "/build/.cargo/git/checkouts/other-0123456789abcdef/7654321/src/lib.rs";
    check(unknown, "other-7654321/src/lib.rs", Dependency);
}

#[test]
fn the_standard_library_is_named_by_its_path() {
    for folder in ["/rustc/59807616e1fa", "/build/.rustup/toolchains/stable/lib/rustlib/src/rust"] {
        check(&format!("{folder}/library/core/src/panicking.rs"), "library/core/src/panicking.rs", Std);
    }
}

/// With the version of the copy, whichever others are in the graph.
#[test]
fn a_dependency_that_is_part_of_models_is_still_one() {
    let name = "parking_lot_core-0.9.12/src/parking_lot.rs";
    check(".refrain/models/parking_lot_core/src/parking_lot.rs", name, Dependency);
    check("/build/service/.refrain/models/real-parking_lot_core/src/parking_lot.rs", name, Dependency);
}

#[test]
fn what_refrain_generates_is_named_by_what_it_is_made_from() {
    check(".refrain/real-tokio/src/task/spawn.rs", "tokio-1.54.1/src/task/spawn.rs", Harness);
    check("/build/service/.refrain/madsim/src/sim/task/mod.rs", "madsim-0.2.34/src/sim/task/mod.rs", Harness);
    check(".refrain/harness/refrain/src/world.rs", "refrain-0.1.0/src/world.rs", Harness);
    check("/build/clone/harness/tokio/src/sim/time.rs", "refrain-tokio-0.1.0/src/sim/time.rs", Harness);
}

#[test]
fn what_a_build_script_generates_is_named_by_its_package() {
    let target = "/build/service/target/debug/build";
    check(&format!("{target}/service-0123456789abcdef/out/api/v1.rs"), "service-1.2.0/out/api/v1.rs", User);
    check("/t/release/build/wire-0123456789abcdef/out/api.rs", "wire-0.3.0/out/api.rs", Dependency);
}

#[test]
fn a_package_beside_the_workspace_is_named_by_its_folder() {
    check("/build/beside/src/lib.rs", "beside-0.4.0/src/lib.rs", User);
    check("/build/another/src/lib.rs", "another/src/lib.rs", User);
    check("/build/lib.rs", "/build/lib.rs", User);
}

#[test]
fn the_workspace_is_recognised_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/link.rs"), "").unwrap();
    let sources = Sources { now: folder.path().into(), ..sources() };
    for file in ["/remapped/service/src/link.rs", "/src/link.rs", "/x/src/src/link.rs"] {
        assert_eq!(sources.identify(file), Source { name: "src/link.rs".into(), owner: User }, "{file}");
    }
}

#[test]
fn without_a_lock_file_the_path_has_to_do() {
    let known = |file| Sources::default().identify(file).name.into_owned();
    assert_eq!(known("/cargo/registry/src/index/bytes-1.12.1/src/lib.rs"), "bytes-1.12.1/src/lib.rs");
    assert_eq!(known("/rustc/59807616e1fa/library/core/src/panicking.rs"), "library/core/src/panicking.rs");
    assert_eq!(known("src/link.rs"), "src/link.rs");
}

#[test]
fn the_version_of_a_name_is_found_and_brought_up_to_date() {
    for (name, expected) in [
        ("bytes-1.12.1/src/lib.rs", Some(("bytes", "1.12.1", "src/lib.rs"))),
        ("toml-0.9.12+spec-1.1.0/src/lib.rs", Some(("toml", "0.9.12+spec-1.1.0", "src/lib.rs"))),
        ("sha-1-0.10.1/lib.rs", Some(("sha-1", "0.10.1", "lib.rs"))),
        ("wire-1.0.0-rc.1/src/lib.rs", Some(("wire", "1.0.0-rc.1", "src/lib.rs"))),
        ("src/link.rs", None),
        ("bytes-1.12.1", None),
        ("-1.0.0/src/lib.rs", None),
    ] {
        assert_eq!(parts(name), expected);
    }
    let now = |name| sources().with_version_of_now(name);
    assert_eq!(now("bytes-1.9.0/src/lib.rs"), Some("bytes-1.12.1/src/lib.rs".into()));
    // It is unchanged, there are two, or it is gone.
    for name in ["bytes-1.12.1/src/lib.rs", "hyper-util-0.1.8/src/lib.rs", "gone-1.0.0/src/lib.rs", "src/link.rs"] {
        assert_eq!(now(name), None);
    }
}

#[test]
fn the_directories_of_vendored_packages_are_configured() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("service");
    for (at, text) in [
        (workspace.join(".cargo"), "[source.vendored-sources]\ndirectory = \"third_party/rust\" # ours\n"),
        (folder.path().join(".cargo"), "[source.vendored-sources]\n  directory='crates'\n"),
    ] {
        std::fs::create_dir_all(&at).unwrap();
        std::fs::write(at.join("config.toml"), text).unwrap();
    }
    let vendored = Sources::read("", Some(workspace), vec![]).vendored;
    let beside = folder.path().join("crates").display().to_string();
    for directory in ["vendor", "third_party/rust", &beside] {
        assert!(vendored.iter().any(|known| known == directory), "{directory}: {vendored:?}");
    }
}
