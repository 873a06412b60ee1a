//! The patched graph: whether every tokio that a workspace locks is the one in `.refrain/`, which tests simulate.
//!
//! A patch that does not apply is only a warning to cargo, which then builds with the registry's tokio: a service would open
//! real sockets in its tests. So this is looked at before tests are run.

mod lock;

pub use lock::{Change, Locked, Package, changes, dependencies_of, highest, locked, needed_by};

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder that `cargo refrain init` makes beside the workspace's Cargo.lock.
pub const FOLDER: &str = ".refrain";
/// The folder in it with the dependencies that are part of models; in a manifest, the key that names them.
pub const MODELS: &str = "models";
/// What the name begins with of a package in that folder which is the original of a facade.
pub const REAL_PREFIX: &str = "real-";
/// tokio itself under another name, so that the one that is called tokio may depend on it.
pub const REAL: &str = "real-tokio";

/// Looks whether the tokio of a graph is the one of version `copy` in `.refrain/`, and no other is in it.
///
/// # Errors
/// One message that says what is wrong and what to do.
pub fn check_lock(lock: &str, copy: &str) -> Result<(), String> {
    let tokios = locked(lock).into_iter().filter(|package| package.name == "tokio").collect::<Vec<_>>();
    if let Some(real) = tokios.iter().find(|tokio| tokio.is_fetched()) {
        let version = &real.version;
        if !version.starts_with("1.") {
            return Err(format!(
                "tokio {version} is in the graph, and only tokio 1 can be simulated: tests would use the real network. \
                 `cargo tree --invert tokio@{version}` says who needs it: take a version of that which uses tokio 1"
            ));
        }
        return Err(format!(
            "tokio {version} of the registry is in the graph, and the patch to {FOLDER}/tokio {copy} does not apply to it: tests \
             would use the real network. Run `cargo refrain sync`, and if this stays, `cargo tree --invert tokio@{version}` says who needs it"
        ));
    }
    match tokios.first() {
        Some(tokio) if tokio.version == copy => Ok(()),
        Some(tokio) => Err(format!(
            "{FOLDER}/tokio is a copy of tokio {copy}, and Cargo.lock says {}: run `cargo refrain sync`",
            tokio.version
        )),
        None => Err(format!(
            "Cargo.lock names no tokio, and {FOLDER}/tokio {copy} is there to stand for it: run `cargo refrain sync`, or delete \
             {FOLDER}/ if nothing in this workspace uses tokio"
        )),
    }
}

/// What versions have in common that cargo takes for compatible: `1` of `1.2.3`, `0.9` of `0.9.12`.
fn compatible(version: &str) -> &str {
    let numbers = if version.starts_with("0.") { 2 } else { 1 };
    version.match_indices('.').nth(numbers - 1).map_or(version, |(at, _)| &version[..at])
}

/// The folder at or above this one that holds the workspace's Cargo.lock.
pub fn root_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).map(Path::to_owned)
}

/// The same for the workspace in this folder, if it has a patched graph. Without `.refrain/` there is nothing to look at.
///
/// # Errors
/// As [`check_lock`], or a file that cannot be read.
pub fn check(root: &Path) -> Result<(), String> {
    let Some(copy) = copied(root)? else { return Ok(()) };
    let path = root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    check_lock(&lock, &copy)?;
    modeled(root)?.iter().try_for_each(|(name, version)| check_model(&lock, name, version))
}

/// Looks whether a dependency that is part of models is the copy of this version in `.refrain/`. A version that is not
/// compatible with it may be in the graph, too, and is no part of models.
///
/// # Errors
/// As [`check_lock`].
pub fn check_model(lock: &str, name: &str, copy: &str) -> Result<(), String> {
    let all: Vec<Locked> = locked(lock).into_iter().filter(|package| package.name == name).collect();
    let is_meant = |package: &&Locked| package.is_fetched() && compatible(&package.version) == compatible(copy);
    if let Some(Locked { version, .. }) = all.iter().find(is_meant) {
        return Err(format!(
            "{name} {version} of the registry is in the graph, and the patch to {FOLDER}/{MODELS}/{name} {copy} does not apply to \
             it: no model would see its locks. Run `cargo refrain sync`, and if this stays, `cargo tree --invert {name}@{version}` \
             says who needs it"
        ));
    }
    match all.iter().find(|package| !package.is_fetched()) {
        Some(package) if package.version == copy => Ok(()),
        Some(package) => Err(format!(
            "{FOLDER}/{MODELS}/{name} is a copy of {name} {copy}, and Cargo.lock says {}: run `cargo refrain sync`",
            package.version
        )),
        None => Err(format!(
            "Cargo.lock names no {name}, which is to be part of models: run `cargo refrain init --models` without it"
        )),
    }
}

/// Looks whether what the workspace in this folder takes from `.refrain/` is there: cargo would only say that a file is
/// missing.
///
/// # Errors
/// One message that says what to do.
pub fn check_made(root: &Path) -> Result<(), String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let paths = manifest.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (name, quoted) = line.split_once(" = { path = \"")?;
        let path = quoted.split('"').next()?;
        Path::new(path).starts_with(FOLDER).then_some((name, path))
    });
    match paths.into_iter().find(|(_, path)| !root.join(path).join("Cargo.toml").is_file()) {
        Some((name, _)) => {
            Err(format!("{FOLDER}/ is not there, from which this workspace takes {name}: run `cargo refrain sync`"))
        }
        None => Ok(()),
    }
}

/// The dependencies in `.refrain/` that are part of models, and their versions.
///
/// # Errors
/// As [`copied`].
pub fn modeled(root: &Path) -> Result<Vec<(String, String)>, String> {
    let folder = root.join(FOLDER).join(MODELS);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(format!("cannot list {}: {error}: run `cargo refrain sync`", folder.display())),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with(REAL_PREFIX)).collect();
    names.sort();
    let version = |name: String| {
        let version = version_at(&folder.join(&name).join("Cargo.toml"));
        version.map(|version| version.map(|version| (name, version))).transpose()
    };
    names.into_iter().filter_map(version).collect()
}

/// The version of the tokio that `.refrain/` stands for.
///
/// # Errors
/// A folder that was not made by `cargo refrain`, or cannot be read.
pub fn copied(root: &Path) -> Result<Option<String>, String> {
    version_at(&root.join(FOLDER).join("tokio/Cargo.toml"))
}

/// The version of a package in `.refrain/`; none if it is not there.
fn version_at(path: &Path) -> Result<Option<String>, String> {
    let manifest = match fs::read_to_string(path) {
        Ok(manifest) => manifest,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read {}: {error}: run `cargo refrain sync`", path.display())),
    };
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    let version = version.map(|quoted| quoted.trim_matches('"').to_owned());
    version.map(Some).ok_or_else(|| format!("{} has no version: run `cargo refrain sync`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# This file is automatically @generated by Cargo.\nversion = 4\n";

    fn lock(packages: &[(&str, &str, bool)]) -> String {
        let source = |fetched: &bool| if *fetched { "source = \"registry+index\"\nchecksum = \"0\"\n" } else { "" };
        let package = |(name, version, fetched): &(&str, &str, bool)| {
            format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{}", source(fetched))
        };
        HEAD.to_owned() + &packages.iter().map(package).collect::<String>()
    }

    #[test]
    fn a_patched_graph_of_the_copys_version_is_right() {
        assert_eq!(check_lock(&lock(&[("real-tokio", "1.54.1", false), ("tokio", "1.54.1", false)]), "1.54.1"), Ok(()));
    }

    #[test]
    fn a_registry_tokio_is_named_with_its_version() {
        let wrong =
            check_lock(&lock(&[("tokio", "1.55.0", true)]), "1.54.1").expect_err("it would use the real network");
        assert!(wrong.contains("tokio 1.55.0 of the registry") && wrong.contains("cargo refrain sync"), "{wrong}");
    }

    /// No patch and no `sync` helps there.
    #[test]
    fn a_tokio_before_1_is_named_with_how_to_find_who_needs_it() {
        let both = lock(&[("tokio", "0.2.25", true), ("tokio", "1.54.1", false)]);
        let wrong = check_lock(&both, "1.54.1").expect_err("it would use the real network");
        assert!(wrong.contains("only tokio 1") && wrong.contains("cargo tree --invert tokio@0.2.25"), "{wrong}");
        assert!(!wrong.contains("sync"), "{wrong}");
    }

    #[test]
    fn a_dependency_of_models_is_the_copy_and_no_compatible_one() {
        let check = |packages: &[(&str, &str, bool)]| check_model(&lock(packages), "dashmap", "6.2.1");
        assert_eq!(check(&[("dashmap", "6.2.1", false), ("tokio", "1.54.1", false)]), Ok(()));
        assert_eq!(check(&[("dashmap", "5.5.3", true), ("dashmap", "6.2.1", false)]), Ok(()));
        assert_eq!(["0.9.12", "0.10.0", "1.2.3", "12"].map(compatible), ["0.9", "0.10", "1", "12"]);
        for (packages, says) in [
            (&[("dashmap", "6.3.0", true)] as &[_], "dashmap 6.3.0 of the registry"),
            (&[("dashmap", "6.0.0", true), ("dashmap", "6.2.1", false)], "cargo tree --invert dashmap@6.0.0"),
            (&[("dashmap", "5.5.3", true)], "names no dashmap"),
            (&[("dashmap", "6.3.0", false)], "is a copy of dashmap 6.2.1, and Cargo.lock says 6.3.0"),
            (&[("tokio", "1.54.1", false)], "names no dashmap"),
        ] {
            let wrong = check(packages).expect_err("no model would see its locks");
            assert!(wrong.contains(says), "{wrong}");
        }
    }

    #[test]
    fn a_copy_of_another_version_or_of_nothing_is_told() {
        let wrong = check_lock(&lock(&[("tokio", "1.55.0", false)]), "1.54.1").expect_err("another version");
        assert!(wrong.contains("1.54.1") && wrong.contains("1.55.0"), "{wrong}");
        assert!(check_lock(HEAD, "1.54.1").is_err());
    }
}
