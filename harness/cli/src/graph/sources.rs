//! Finds the sources that `.refrain/` is made from: cargo is asked for a package that needs them, wherever it keeps them.

use super::{manifest::Features, tree};
use crate::{cargo, exit::Problem};
use cargo_metadata::{Metadata, Package};
use refrain_core::graph::FOLDER;
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Item, Table, value};

/// Where the package is that cargo is asked for, in `.refrain/`.
pub const ASKED: &str = "sources";

/// Where the sources are on this machine.
#[derive(Debug)]
pub struct Sources {
    pub tokio: Source,
    pub madsim: Source,
    pub refrain_tokio: Source,
    pub refrain_std: Source,
    /// The packages that are part of models.
    pub models: Vec<Source>,
    /// The packages of refrain, if they come from a clone.
    pub cloned: Vec<Source>,
}

/// A package that is to be part of models.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub name: &'static str,
    pub version: String,
}

/// A package's folder.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub version: String,
    pub dir: PathBuf,
    pub features: Features,
}

/// Asks cargo, which may have to download them. `tokio` is a requirement: `=1.54.1`, or `1` for the newest.
pub fn find(root: &Path, tokio: &str, models: &[Wanted], clone: Option<&Path>) -> Result<Sources, Problem> {
    let dir = root.join(FOLDER).join(ASKED);
    let asked = asked(tokio, models, clone).to_string();
    let manifest = dir.join("Cargo.toml");
    // Where it was asked before, the answer is the same and nothing is written.
    if !tree::is_other(&manifest, asked.as_bytes())
        && let Some(metadata) = cargo::locked_metadata(&dir)
    {
        return of(&metadata, models, clone);
    }
    tree::may_be_written(&manifest)?;
    tree::write_if_other(&dir.join("lib.rs"), b"//! Names what `.refrain/` is made from.\n")?;
    tree::write_if_other(&manifest, asked.as_bytes())?;
    // The versions that the workspace has: they are on this machine already. Cargo drops what is not needed.
    let lock = fs::read(root.join("Cargo.lock")).unwrap_or_default();
    if !lock.is_empty() {
        tree::write_if_other(&dir.join("Cargo.lock"), &lock)?;
    }
    let metadata = cargo::metadata(&dir).map_err(|why| {
        // Cargo names refrain alone if it is the one that it does not find.
        let todo = match clone.is_none() && why.contains("`refrain`") {
            true => "the registry has no such refrain: clone it, and run `cargo refrain init --clone CLONE`",
            false => {
                "offline, run this once with a network: cargo keeps what it downloads; with vendored sources, run `cargo refrain init` without them, then \
                 `cargo vendor --sync .refrain/sources/Cargo.toml`"
            }
        };
        Problem::could_not_run(format!("cannot find the sources of tokio {tokio} and refrain: {why}\n{todo}"))
    })?;
    of(&metadata, models, clone)
}

/// The sources that cargo has found.
fn of(metadata: &Metadata, models: &[Wanted], clone: Option<&Path>) -> Result<Sources, Problem> {
    let one = |name: &str| {
        let found = metadata.packages.iter().find(|package| package.name.as_str() == name);
        found
            .map(source)
            .ok_or_else(|| Problem::could_not_run(format!("refrain needs {name}, and cargo does not find it")))
    };
    Ok(Sources {
        tokio: one("tokio")?,
        madsim: one("madsim")?,
        refrain_tokio: one("refrain-tokio")?,
        refrain_std: one("refrain-std")?,
        models: models.iter().map(|wanted| model(metadata, wanted)).collect::<Result<_, _>>()?,
        cloned: if clone.is_some() { cloned(metadata) } else { vec![] },
    })
}

fn model(metadata: &Metadata, wanted: &Wanted) -> Result<Source, Problem> {
    let Wanted { name, version } = wanted;
    let is_wanted = |package: &&Package| package.name.as_str() == *name && package.version.to_string() == *version;
    let found = metadata.packages.iter().find(is_wanted).map(source);
    found.ok_or_else(|| {
        Problem::could_not_run(format!("cargo does not find {name} {version}, which is to be part of models"))
    })
}

fn asked(tokio: &str, models: &[Wanted], clone: Option<&Path>) -> DocumentMut {
    let mut manifest = DocumentMut::new();
    for table in ["package", "lib", "dependencies", "workspace"] {
        manifest[table] = Item::Table(Table::new());
    }
    manifest["package"]["name"] = value(ASKED);
    manifest["package"]["edition"] = value("2024");
    manifest["lib"]["path"] = value("lib.rs");
    manifest["dependencies"]["tokio"] = value(tokio);
    for Wanted { name, version } in models {
        manifest["dependencies"][name] = value(format!("={version}"));
    }
    match clone {
        Some(clone) => {
            let path = clone.join("harness/refrain");
            manifest["dependencies"]["refrain"]["path"] = value(path.to_string_lossy().into_owned());
        }
        None => manifest["dependencies"]["refrain"] = value(format!("={}", env!("CARGO_PKG_VERSION"))),
    }
    manifest
}

fn cloned(metadata: &Metadata) -> Vec<Source> {
    let local = metadata.packages.iter().filter(|package| package.source.is_none() && package.name.as_str() != ASKED);
    local.map(source).collect()
}

fn source(package: &Package) -> Source {
    Source {
        name: package.name.to_string(),
        version: package.version.to_string(),
        dir: package.manifest_path.parent().map(|dir| dir.as_std_path().to_owned()).unwrap_or_default(),
        features: package.features.clone().into_iter().collect(),
    }
}
