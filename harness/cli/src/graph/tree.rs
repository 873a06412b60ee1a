//! A folder of files as data: read whole, changed in memory, and written with no more changes to the disk than needed.

use crate::{exit::Problem, output::shown};
use refrain_core::graph::FOLDER;
use rustix::fs::{Access, access};
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

    /// Changes the text of the Rust sources below a folder.
    pub fn edit(&mut self, folder: &Path, change: &dyn Fn(&str) -> String) {
        let is_source = |path: &Path| path.starts_with(folder) && path.extension().is_some_and(|end| end == "rs");
        for (_, bytes) in self.0.iter_mut().filter(|(path, _)| is_source(path)) {
            if let Ok(text) = str::from_utf8(bytes) {
                *bytes = change(text).into_bytes();
            }
        }
    }

    fn add_all(&mut self, from: &Path, to: &Path) -> Result<(), Problem> {
        if !from.is_dir() {
            let bytes = fs::read(from).map_err(|error| cannot("read", from, &error))?;
            self.add(to, bytes);
            return Ok(());
        }
        names(from)?.into_iter().try_for_each(|name| self.add_all(&from.join(&name), &to.join(&name)))
    }

    /// Makes the folder hold these files and no others but those below `kept`: all of it, or nothing where a file may not be written. Says
    /// whether anything had to change.
    pub fn write(&self, folder: &Path, kept: &Path) -> Result<bool, Problem> {
        let mut gone = files(folder, Path::new(""))?;
        gone.retain(|path| !self.0.contains_key(path) && !path.starts_with(kept));
        let others = self.0.iter().map(|(path, bytes)| (folder.join(path), bytes));
        let others: Vec<_> = others.filter(|(path, bytes)| is_other(path, bytes)).collect();
        let gone: Vec<_> = gone.iter().map(|path| folder.join(path)).collect();
        gone.iter().chain(others.iter().map(|(path, _)| path)).try_for_each(|path| may_be_written(path))?;
        for path in &gone {
            fs::remove_file(path).map_err(|error| cannot("remove", path, &error))?;
        }
        for (path, bytes) in &others {
            write(path, bytes)?;
        }
        Ok(!gone.is_empty() || !others.is_empty())
    }
}

/// Returns an error that says what to do if this file of `.refrain/`, or Cargo.lock, may not be replaced or removed.
pub fn may_be_written(path: &Path) -> Result<(), Problem> {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(path);
    // What exists must not be protected itself, for cargo writes into its lock file.
    let file = [path].into_iter().filter(|path| path.exists());
    let refused = file.chain([folder]).find_map(|path| access(path, Access::WRITE_OK).err());
    refused.map_or(Ok(()), |error| {
        Err(Problem::could_not_run(format!(
            "{} is not as it has to be, and may not be written: {}\n\
             run `cargo refrain sync` where the checkout may be written, and take {FOLDER}/ and Cargo.lock from there: where both are as \
             they have to be, it writes nothing",
            shown(path),
            io::Error::from(error)
        )))
    })
}

/// Writes a file unless it is so already: what is not touched is not built again. Says whether it was another.
pub fn write_if_other(path: &Path, bytes: &[u8]) -> Result<bool, Problem> {
    match is_other(path, bytes) {
        true => write(path, bytes).map(|()| true),
        false => Ok(false),
    }
}

/// Whether a file is not there, or has other bytes.
pub fn is_other(path: &Path, bytes: &[u8]) -> bool {
    !fs::read(path).is_ok_and(|old| old == bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let parent = path.parent().unwrap_or(path);
    let half = path.with_added_extension("half");
    let written =
        fs::create_dir_all(parent).and_then(|()| fs::write(&half, bytes)).and_then(|()| fs::rename(&half, path));
    written.map_err(|error| cannot("write", path, &error))
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
