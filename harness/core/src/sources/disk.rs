//! Reads what is known about the sources of an executable, and finds source files again by their names.

use super::{Sources, parts};
use crate::graph::locked;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The directory that `cargo vendor` fills if it is not told another one.
const VENDORED: &str = "vendor";

impl Sources {
    /// Reads what is known about the sources of an executable that was compiled in `root`, of a workspace that is in `now`.
    /// What cannot be read is not known: names are then less exact.
    pub fn read(root: &str, now: Option<PathBuf>, harness: Vec<(&'static str, String)>) -> Sources {
        let now = now.unwrap_or_default();
        let packages = fs::read_to_string(now.join("Cargo.lock")).map(|lock| locked(&lock)).unwrap_or_default();
        Sources { root: root.to_owned(), vendored: vendored(&now), now, packages, harness }
    }

    /// Returns where a file is that is not in the workspace.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let (package, version, path) = parts(name)?;
        let folder = &format!("{package}-{version}");
        let vendored = self.vendored.iter().map(|vendored| self.now.join(vendored));
        let vendored = vendored.flat_map(|vendored| [vendored.join(folder), vendored.join(package)]);
        let registry = cargo_home().map(|home| home.join("registry/src"));
        let indexes = registry.into_iter().flat_map(|registry| entries(&registry));
        let outputs = env::current_exe().into_iter().flat_map(|exe| outputs(&exe, package));
        let all = vendored.chain(indexes.map(|index| index.join(folder))).chain(outputs);
        all.map(|folder| folder.join(path)).find(|path| path.is_file())
    }
}

/// Returns the directories that cargo is told to take packages from instead of a registry: `directory = "vendor"` in its configuration.
fn vendored(workspace: &Path) -> Vec<String> {
    let above = workspace.ancestors().map(|folder| (folder.join(".cargo"), folder));
    let home = cargo_home();
    let home = home.as_deref().map(|home| (home.to_owned(), home.parent().unwrap_or(home)));
    let mut all = vec![VENDORED.to_owned()];
    for (folder, relative_to) in above.chain(home) {
        for name in ["config.toml", "config"] {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            let directories =
                text.lines().filter_map(|line| line.trim().strip_prefix("directory")?.trim().strip_prefix('='));
            all.extend(directories.filter_map(|value| {
                let path = relative_to.join(value.split(['"', '\'']).nth(1)?);
                path.strip_prefix(workspace).unwrap_or(&path).to_str().map(str::to_owned)
            }));
        }
    }
    all.dedup();
    all
}

/// Returns the directories where build scripts of a package may have put what they generated.
fn outputs(executable: &Path, package: &str) -> Vec<PathBuf> {
    let build = executable.ancestors().map(|folder| folder.join("build")).find(|build| build.is_dir());
    let is_of_it = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.and_then(|name| name.rsplit_once('-')).is_some_and(|(name, _)| name == package)
    };
    // A name of such a file begins with `out/`.
    build.map(|build| entries(&build)).unwrap_or_default().into_iter().filter(is_of_it).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}
