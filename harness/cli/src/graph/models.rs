//! The dependencies whose locks are part of models: copies of their sources whose standard library is `refrain_std`.
//!
//! ```text
//! std, core, alloc       refrain_std under these names, for the manifests of the copies
//! models/NAME            the copies
//! models/real-NAME       the original of a package that has a facade instead
//! ```

use super::{
    manifest,
    sources::{Source, Sources, Wanted},
    tree::{self, Tree},
    up_from,
};
use crate::exit::Problem;
use refrain_core::graph::{Locked, MODELS, REAL_PREFIX, dependencies_of, highest, locked};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What can be part of models: the name that is asked for, and the packages that are copied for it, if the graph has
/// them.
const KNOWN: [(&str, &[&str]); 10] = [
    ("arc-swap", &["arc-swap"]),
    (
        "crossbeam",
        &["crossbeam", "crossbeam-channel", "crossbeam-deque", "crossbeam-epoch", "crossbeam-queue", "crossbeam-utils"],
    ),
    ("crossbeam-channel", &["crossbeam-channel", "crossbeam-utils"]),
    ("crossbeam-deque", &["crossbeam-deque", "crossbeam-epoch", "crossbeam-utils"]),
    ("crossbeam-epoch", &["crossbeam-epoch", "crossbeam-utils"]),
    ("crossbeam-queue", &["crossbeam-queue", "crossbeam-utils"]),
    ("crossbeam-utils", &["crossbeam-utils"]),
    ("dashmap", &["dashmap", "lock_api", "parking_lot_core", "crossbeam-utils"]),
    ("parking_lot", &["lock_api", "parking_lot", "parking_lot_core"]),
    // It is copied anyway: see `is_tokio_wanted`.
    (TOKIO, &["lock_api", "parking_lot", "parking_lot_core"]),
];
const TOKIO: &str = "tokio";

/// The packages that have a facade, in the sources of `refrain_std`.
const FACADES: [&str; 1] = ["parking_lot_core"];
/// The names of the standard library.
const STANDARD: [&str; 3] = ["alloc", "core", "std"];

/// The folder of a copy in `.refrain/`.
pub fn folder(source: &Source) -> PathBuf {
    Path::new(MODELS).join(&source.name)
}

/// The names that can be asked for.
pub fn known() -> String {
    KNOWN.map(|(name, _)| name).join(", ")
}

/// Returns whether the primitives of tokio are part of models: then its copy is on refrain's standard library.
pub fn is_tokio_wanted(names: &[String]) -> bool {
    names.iter().any(|name| name == TOKIO)
}

/// Returns the packages to copy for the names that are asked for, as Cargo.lock has them.
pub fn wanted(root: &Path, names: &[String]) -> Result<Vec<Wanted>, Problem> {
    let locked = locked(&fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default());
    let mut all: Vec<Wanted> = vec![];
    for asked in names {
        let Some((_, packages)) = KNOWN.iter().find(|(name, _)| name == asked) else {
            return Err(Problem::could_not_run(format!(
                "{asked} cannot be part of models, only {} can: a model that waits for its locks is refused",
                known()
            )));
        };
        let Some(found) = highest(locked.iter().filter(|package: &&Locked| package.name == *asked)) else {
            return Err(Problem::could_not_run(format!(
                "Cargo.lock names no {asked}, so that its version is unknown: name it in a Cargo.toml, and if cargo has not \
                 locked it yet, run `cargo refrain init` without it first"
            )));
        };
        let needs = dependencies_of(&locked, found);
        for package in [found].into_iter().chain(needs) {
            let name = packages.iter().find(|name| **name == package.name);
            if let Some(name) = name.filter(|name| !all.iter().any(|wanted| wanted.name == **name)) {
                all.push(Wanted { name, version: package.version.clone() });
            }
        }
    }
    all.sort();
    Ok(all)
}

/// Adds the copies, and what they need. Returns the folders of the packages.
pub fn add(tree: &mut Tree, sources: &Sources, refrain_std: Option<&Path>) -> Result<Vec<PathBuf>, Problem> {
    let mut members = vec![];
    for name in STANDARD {
        tree.add(Path::new(name).join("Cargo.toml"), manifest::standard(name, refrain_std));
        tree.add(
            Path::new(name).join("src/lib.rs"),
            "//! The standard library, in models refrain's.\n#![no_implicit_prelude]\npub use ::refrain_std::*;\n",
        );
        members.push(name.into());
    }
    for source in &sources.models {
        let to = folder(source);
        if FACADES.contains(&source.name.as_str()) {
            members.push(facade(tree, sources, source, refrain_std)?);
        } else {
            copy(tree, source, &to, |manifest| on_std(manifest, &to))?;
            tree.edit(&to, &name_thread_local);
        }
        members.push(to);
    }
    Ok(members)
}

/// Lets the copy in a folder be on refrain's standard library; its sources need [`name_thread_local`].
pub fn on_std(manifest: &mut toml_edit::DocumentMut, folder: &Path) {
    let up = up_from(folder);
    manifest::on_std(manifest, STANDARD.map(|name| (name, up.join(name))));
}

fn copy(
    tree: &mut Tree,
    source: &Source,
    to: &Path,
    change: impl FnOnce(&mut toml_edit::DocumentMut),
) -> Result<(), Problem> {
    let mut manifest = super::read(&source.dir.join("Cargo.toml"))?;
    change(&mut manifest);
    manifest::belongs_to(&mut manifest, &up_from(to));
    tree.add(to.join("Cargo.toml"), manifest.to_string());
    tree.add_sources(&source.dir, to)
}

/// Names the crate of the macro `thread_local!`, where the source does not: the compiler takes macros without a path from
/// its own standard library. It is the only one of these macros that is about threads. No line moves.
pub fn name_thread_local(text: &str) -> String {
    const MACRO: &str = "thread_local!";
    let mut named = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MACRO) {
        named.push_str(&rest[..at]);
        // Part of a path, or of another name.
        if !named.ends_with(|last: char| last == ':' || last == '_' || last.is_alphanumeric()) {
            named.push_str("::std::");
        }
        named.push_str(MACRO);
        rest = &rest[at + MACRO.len()..];
    }
    named + rest
}

/// Adds a package with a facade, and its original under another name. Returns the latter's folder.
fn facade(tree: &mut Tree, sources: &Sources, source: &Source, refrain_std: Option<&Path>) -> Result<PathBuf, Problem> {
    let name = &source.name;
    let real = format!("{REAL_PREFIX}{name}");
    let to = Path::new(MODELS).join(&real);
    copy(tree, source, &to, |manifest| manifest::renamed(manifest, &real))?;
    let file = sources.refrain_std.dir.join("facades").join(format!("{name}.rs"));
    let text = fs::read(&file).map_err(|error| tree::cannot("read", &file, &error))?;
    let own = folder(source);
    tree.add(own.join("Cargo.toml"), manifest::facade((name, &source.version), &source.features, &real, refrain_std));
    tree.add(own.join("src/lib.rs"), text);
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::name_thread_local;

    #[test]
    fn only_a_macro_without_a_path_is_named() {
        let text =
            "thread_local! {}\n  std::thread_local! {}\nmy_thread_local!();\nuse std::thread_local;\n(thread_local!())";
        let named = "::std::thread_local! {}\n  std::thread_local! {}\nmy_thread_local!();\nuse std::thread_local;\n(::std::thread_local!())";
        assert_eq!(name_thread_local(text), named);
    }
}
