//! Makes `.refrain/`: a package called tokio that tests simulate, and what it is made from.
//!
//! ```text
//! tokio              tokio's name, version and features: refrain-tokio
//! refrain-tokio      with tokio itself in production, with madsim in tests; of a clone, with the rest of refrain: harness/
//! real-tokio         tokio itself under another name, from the registry
//! madsim             on real-tokio, from the registry
//! models             the dependencies that are part of models, on std, core and alloc: see `graph/models.rs`
//! sources            the package by which cargo is asked for those
//! ```

mod manifest;
pub mod models;
mod sources;
mod tree;
pub mod workspace;

use crate::{exit::Problem, output::shown};
use refrain_core::graph::{FOLDER, REAL};
use sources::{Source, Sources};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml_edit::{Array, DocumentMut, Item, Table, value};
use tree::Tree;

pub use tree::{may_be_written, write_if_other};

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The version of tokio.
    pub tokio: String,
    /// Whether anything was there otherwise before.
    pub changed: bool,
    /// Where the patched packages are, from the workspace's folder.
    pub patches: Vec<(String, PathBuf)>,
}

/// Makes it for the workspace in a folder, or leaves it as it is if nothing has changed.
pub fn make(root: &Path, models: &[String], clone: Option<&Path>) -> Result<Made, Problem> {
    let required = workspace::tokio_requirement(root)?;
    let wanted = models::wanted(root, models)?;
    // If that one is too old, the newest.
    let find = |tokio: &str| sources::find(root, tokio, &wanted, clone);
    let sources = find(&required).or_else(|_| find("1"))?;
    let files = files(&sources, models, clone)?;
    let changed = files.write(&root.join(FOLDER), Path::new(sources::ASKED))?;
    let facade = ("tokio", Path::new(FOLDER).join("tokio"));
    // Of a clone, refrain is patched, and has the rest by its paths.
    let other = if clone.is_some() { "refrain" } else { "refrain-tokio" };
    let other = (other, Path::new(FOLDER).join(place(&sources, clone, other)));
    let models =
        sources.models.iter().map(|source| (source.name.clone(), Path::new(FOLDER).join(models::folder(source))));
    let patches = [facade, other].into_iter().map(|(name, path)| (name.to_owned(), path)).chain(models).collect();
    Ok(Made { tokio: sources.tokio.version, changed, patches })
}

/// The folder of a package of refrain in `.refrain/`: in a clone their paths to each other stay as they are.
fn place(sources: &Sources, clone: Option<&Path>, name: &str) -> PathBuf {
    let cloned = sources.cloned.iter().find(|source| source.name == name).zip(clone);
    let within = cloned.and_then(|(source, clone)| source.dir.strip_prefix(clone).ok());
    within.map_or_else(|| name.into(), Path::to_owned)
}

/// The way from a folder back to the one above its path.
fn up_from(path: &Path) -> PathBuf {
    path.components().map(|_| "..").collect()
}

fn files(sources: &Sources, models: &[String], clone: Option<&Path>) -> Result<Tree, Problem> {
    let mut tree = Tree::default();
    let mut add = |source: &Source, to: &Path, change: &mut dyn FnMut(&mut DocumentMut)| {
        let mut manifest = read(&source.dir.join("Cargo.toml"))?;
        change(&mut manifest);
        manifest::belongs_to(&mut manifest, &up_from(to));
        tree.add(to.join("Cargo.toml"), manifest.to_string());
        tree.add_sources(&source.dir, to)
    };
    let features = &sources.tokio.features;
    let refrain_tokio = place(sources, clone, "refrain-tokio");
    let up = up_from(&refrain_tokio);
    let is_tokio_modeled = models::is_tokio_wanted(models);
    add(&sources.tokio, Path::new(REAL), &mut |manifest| {
        manifest::real_tokio(manifest);
        if is_tokio_modeled {
            models::on_std(manifest, Path::new(REAL));
        }
    })?;
    add(&sources.madsim, Path::new("madsim"), &mut |madsim| manifest::madsim(madsim, &Path::new("..").join(REAL)))?;
    add(&sources.refrain_tokio, &refrain_tokio, &mut |manifest| {
        manifest::refrain_tokio(manifest, &up.join(REAL), &up.join("madsim"), features);
    })?;
    let mut members = vec!["tokio".into(), REAL.into(), "madsim".into(), refrain_tokio.clone()];
    for source in sources.cloned.iter().filter(|source| source.name != "refrain-tokio") {
        let to = place(sources, clone, &source.name);
        add(source, &to, &mut manifest::library_only)?;
        members.push(to);
    }
    let refrain_std = clone.map(|_| place(sources, clone, "refrain-std"));
    if !models.is_empty() {
        members.extend(models::add(&mut tree, sources, refrain_std.as_deref())?);
    }
    if is_tokio_modeled {
        tree.edit(Path::new(REAL), &models::name_thread_local);
    }
    tree.add(
        "tokio/Cargo.toml",
        manifest::tokio(&sources.tokio.version, &Path::new("..").join(refrain_tokio), features),
    );
    tree.add("tokio/src/lib.rs", "//! tokio, simulated in tests.\npub use refrain_tokio::*;\n");
    tree.add("Cargo.toml", workspace_of(&members, clone)?.to_string());
    // Git ignores it without a word in the workspace's own file.
    tree.add(".gitignore", "*\n");
    Ok(tree)
}

/// The manifest of `.refrain/`, which keeps its packages out of the user's workspace. A clone's inherit from it.
fn workspace_of(members: &[PathBuf], clone: Option<&Path>) -> Result<DocumentMut, Problem> {
    let mut manifest = DocumentMut::new();
    manifest["workspace"] = Item::Table(Table::new());
    if let Some(clone) = clone {
        let root = read(&clone.join("Cargo.toml"))?;
        for table in ["package", "lints", "dependencies"] {
            if let Some(inherited) = root.get("workspace").and_then(|workspace| workspace.get(table)) {
                manifest["workspace"][table] = inherited.clone();
            }
        }
    }
    manifest["workspace"]["members"] =
        value(members.iter().map(|path| path.to_string_lossy()).map(String::from).collect::<Array>());
    manifest["workspace"]["resolver"] = value("2");
    Ok(manifest)
}

/// Reads a manifest or a configuration.
fn read(path: &Path) -> Result<DocumentMut, Problem> {
    let text = fs::read_to_string(path).map_err(|error| tree::cannot("read", path, &error))?;
    text.parse().map_err(|error| Problem::could_not_run(format!("{} is not TOML: {error}", shown(path))))
}
