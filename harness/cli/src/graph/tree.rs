//! A folder of files as data: read whole, changed in memory, and written with no more changes to the disk than needed.

use crate::{exit::Problem, output::shown};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// Files by their path in the folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Vec<u8>>);

/// What of a package is not needed to build its library.
const LEFT_OUT: &[&str] =
    &["target", "tests", "benches", "examples", ".git", ".cargo-ok", "Cargo.lock", "Cargo.toml.orig"];

impl Tree {
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), text.into());
    }

    /// Adds the files of a package, below `to`, but for its manifest.
    pub fn add_sources(&mut self, package: &Path, to: &Path) -> Result<(), Problem> {
        for name in names(package)? {
            let is_left_out = LEFT_OUT.iter().any(|left| name == Path::new(left)) || name == Path::new("Cargo.toml");
            if !is_left_out {
                self.add_all(&package.join(&name), &to.join(&name))?;
            }
        }
        Ok(())
    }

    fn add_all(&mut self, from: &Path, to: &Path) -> Result<(), Problem> {
        if !from.is_dir() {
            let bytes = fs::read(from).map_err(|error| cannot("read", from, &error))?;
            self.add(to, bytes);
            return Ok(());
        }
        names(from)?.into_iter().try_for_each(|name| self.add_all(&from.join(&name), &to.join(&name)))
    }

    /// Makes the folder hold these files and no others but those below `kept`. Says whether anything had to change.
    pub fn write(&self, folder: &Path, kept: &Path) -> Result<bool, Problem> {
        let mut changed = false;
        for path in files(folder, Path::new(""))? {
            if !self.0.contains_key(&path) && !path.starts_with(kept) {
                let path = folder.join(path);
                fs::remove_file(&path).map_err(|error| cannot("remove", &path, &error))?;
                changed = true;
            }
        }
        for (path, bytes) in &self.0 {
            changed |= write_if_other(&folder.join(path), bytes)?;
        }
        Ok(changed)
    }
}

/// Writes a file unless it is so already: what is not touched is not built again. Says whether it was another.
pub fn write_if_other(path: &Path, bytes: &[u8]) -> Result<bool, Problem> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let parent = path.parent().unwrap_or(path);
    let half = path.with_added_extension("half");
    let written =
        fs::create_dir_all(parent).and_then(|()| fs::write(&half, bytes)).and_then(|()| fs::rename(&half, path));
    written.map(|()| true).map_err(|error| cannot("write", path, &error))
}

/// The files below a folder, in order; of a folder that is not there, none.
fn files(folder: &Path, below: &Path) -> Result<BTreeSet<PathBuf>, Problem> {
    let here = folder.join(below);
    let mut all = BTreeSet::new();
    if !here.exists() {
        return Ok(all);
    }
    for name in names(&here)? {
        let path = below.join(name);
        match folder.join(&path).is_dir() {
            true => all.extend(files(folder, &path)?),
            false => drop(all.insert(path)),
        }
    }
    Ok(all)
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(PathBuf::from(entry?.file_name()))).collect::<io::Result<Vec<_>>>());
    let mut names = entries.map_err(|error| cannot("list", folder, &error))?;
    names.sort();
    Ok(names)
}

pub fn cannot(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::could_not_run(format!("cannot {what} {}: {error}: check the folder and its permissions", shown(path)))
}
