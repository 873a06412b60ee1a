//! The manifests in `.refrain/`: those of the registry with another name or other dependencies. Sources are not changed.

use refrain_core::graph::REAL;
use std::path::{Path, PathBuf};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// A feature that a package has, and which features that turns on.
pub type Features = std::collections::BTreeMap<String, Vec<String>>;

/// tokio itself under its other name.
pub fn real_tokio(manifest: &mut DocumentMut) {
    renamed(manifest, REAL);
}

/// A package under another name.
pub fn renamed(manifest: &mut DocumentMut, name: &str) {
    library_only(manifest);
    manifest["package"]["name"] = value(name);
    if let Some(library) = manifest.get_mut("lib").and_then(Item::as_table_like_mut) {
        library.insert("name", value(name.replace('-', "_")));
    }
    quiet(manifest);
}

/// A copy whose standard library consists of these packages: cargo passes them to the compiler under these names, which
/// come before the compiler's own.
pub fn on_std<const N: usize>(manifest: &mut DocumentMut, standard: [(&str, PathBuf); N]) {
    library_only(manifest);
    let dependencies = manifest["dependencies"].or_insert(Item::Table(Table::new()));
    for (name, path) in standard {
        dependencies[name] = Item::Table(Table::new());
        dependencies[name]["package"] = value(standard_package(name));
        dependencies[name]["path"] = value(text(&path));
    }
    quiet(manifest);
}

fn standard_package(name: &str) -> String {
    format!("refrain-as-{name}")
}

/// The package that is `std`, `core` or `alloc` for the copies.
pub fn standard(name: &str, to_refrain_std: Option<&Path>) -> String {
    let mut manifest = generated(&standard_package(name), "0.0.0", Path::new(".."));
    manifest["dependencies"]["refrain-std"] = refrain_std(to_refrain_std.map(|path| Path::new("..").join(path)));
    manifest["dependencies"]["refrain-std"]["features"] = value(Array::from_iter(["linked"]));
    format!("# Made by `cargo refrain`: {name} for dependencies that are part of models.\n{manifest}")
}

/// The package that stands for another, whose own code has a name of its own.
pub fn facade((name, version): (&str, &str), features: &Features, real: &str, to_refrain_std: Option<&Path>) -> String {
    let up = Path::new("../..");
    let mut manifest = generated(name, version, up);
    manifest["features"] = Item::Table(Table::new());
    for name in features.keys() {
        let turns_on = (name != "default").then(|| format!("{real}/{name}"));
        manifest["features"][name] = value(Array::from_iter(turns_on));
    }
    manifest["dependencies"][real]["path"] = value(format!("../{real}"));
    manifest["dependencies"]["refrain-std"] = refrain_std(to_refrain_std.map(|path| up.join(path)));
    quiet(&mut manifest);
    format!("# Made by `cargo refrain`: in models its queues are the model's.\n{manifest}")
}

fn generated(name: &str, version: &str, to_workspace: &Path) -> DocumentMut {
    let mut manifest = DocumentMut::new();
    for table in ["package", "dependencies"] {
        manifest[table] = Item::Table(Table::new());
    }
    manifest["package"]["name"] = value(name);
    manifest["package"]["version"] = value(version);
    manifest["package"]["edition"] = value("2024");
    manifest["package"]["publish"] = value(false);
    manifest["package"]["workspace"] = value(text(to_workspace));
    manifest
}

/// refrain_std, at a path or of the registry.
fn refrain_std(path: Option<PathBuf>) -> Item {
    let mut dependency = Table::new();
    match path {
        Some(path) => dependency["path"] = value(text(&path)),
        None => dependency["version"] = value(format!("={}", env!("CARGO_PKG_VERSION"))),
    }
    Item::Table(dependency)
}

/// madsim on tokio itself. What it needs outside of a simulation is left out: cargo would see a circle, though nothing builds it.
pub fn madsim(manifest: &mut DocumentMut, to_real: &Path) {
    library_only(manifest);
    let targets = manifest.get_mut("target").and_then(Item::as_table_like_mut);
    let dropped: Vec<String> = targets.map(|targets| remove_tables(targets, "not(madsim)")).unwrap_or_default();
    if let Some(features) = manifest.get_mut("features").and_then(Item::as_table_like_mut) {
        retain(features, |_, turns_on| {
            !turns_on.as_array().is_some_and(|names| {
                names.iter().any(|name| name.as_str().is_some_and(|name| dropped.iter().any(|gone| gone == name)))
            })
        });
    }
    point(manifest, "tokio", REAL, to_real);
    quiet(manifest);
}

/// refrain-tokio on both, with every feature that the locked tokio has.
pub fn refrain_tokio(manifest: &mut DocumentMut, to_real: &Path, to_madsim: &Path, features: &Features) {
    library_only(manifest);
    point(manifest, "real", REAL, to_real);
    point(manifest, "madsim", "madsim", to_madsim);
    let own = manifest["features"].or_insert(Item::Table(Table::new()));
    for name in features.keys().filter(|name| *name != "default") {
        if own.get(name).is_none() {
            own[name] = value(Array::from_iter([format!("real/{name}")]));
        }
    }
}

/// The package that is called tokio: refrain-tokio, with tokio's version and features.
pub fn tokio(version: &str, to_refrain_tokio: &Path, features: &Features) -> String {
    let mut manifest = DocumentMut::new();
    manifest["package"] = Item::Table(Table::new());
    manifest["package"]["name"] = value("tokio");
    manifest["package"]["version"] = value(version);
    manifest["package"]["edition"] = value("2021");
    manifest["package"]["publish"] = value(false);
    manifest["package"]["workspace"] = value("..");
    manifest["features"] = Item::Table(Table::new());
    for name in features.keys() {
        let turns_on = (name != "default").then(|| format!("refrain-tokio/{name}"));
        manifest["features"][name] = value(Array::from_iter(turns_on));
    }
    manifest["dependencies"] = Item::Table(Table::new());
    manifest["dependencies"]["refrain-tokio"]["path"] = value(text(to_refrain_tokio));
    format!("# Made by `cargo refrain`: tokio's name for the whole graph.\n{manifest}")
}

/// Names the workspace that `.refrain/` is: cargo takes the user's otherwise, where it has read that already.
pub fn belongs_to(manifest: &mut DocumentMut, to_workspace: &Path) {
    manifest["package"]["workspace"] = value(text(to_workspace));
}

/// Leaves nothing that only the package's own tests, examples and programs need.
pub fn library_only(manifest: &mut DocumentMut) {
    for table in ["dev-dependencies", "test", "bench", "example", "bin"] {
        manifest.remove(table);
    }
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            target.as_table_like_mut().map(|target| target.remove("dev-dependencies"));
        }
    }
}

/// A copy is built like a registry's package: its warnings are not the user's.
fn quiet(manifest: &mut DocumentMut) {
    let mut lints = Table::new();
    lints["rust"]["warnings"] = value("allow");
    lints["rust"]["unexpected_cfgs"] = value("allow");
    lints["clippy"]["all"] = value("allow");
    manifest["lints"] = Item::Table(lints);
}

/// Lets every dependency of this name be a package of this machine.
fn point(manifest: &mut DocumentMut, dependency: &str, package: &str, path: &Path) {
    let change = |tables: &mut dyn TableLike| {
        for kind in ["dependencies", "build-dependencies"] {
            let found = tables.get_mut(kind).and_then(Item::as_table_like_mut).and_then(|all| all.get_mut(dependency));
            if let Some(found) = found.and_then(Item::as_table_like_mut) {
                for gone in ["version", "workspace", "registry-index"] {
                    found.remove(gone);
                }
                found.insert("package", value(package));
                found.insert("path", value(text(path)));
            }
        }
    };
    change(manifest.as_table_mut());
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_like_mut) {
        targets.iter_mut().filter_map(|(_, target)| target.as_table_like_mut()).for_each(change);
    }
}

/// Removes the targets whose condition has this in it, and returns which dependencies went with them.
fn remove_tables(targets: &mut dyn TableLike, condition: &str) -> Vec<String> {
    let mut gone = vec![];
    retain(targets, |target, tables| {
        let goes = target.contains(condition);
        if goes && let Some(dependencies) = tables.get("dependencies").and_then(Item::as_table_like) {
            gone.extend(dependencies.iter().map(|(name, _)| name.to_owned()));
        }
        !goes
    });
    gone
}

fn retain(table: &mut dyn TableLike, mut keep: impl FnMut(&str, &Item) -> bool) {
    let goes = table.iter().filter(|(name, item)| !keep(name, item)).map(|(name, _)| name.to_owned());
    for name in goes.collect::<Vec<_>>() {
        table.remove(&name);
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
