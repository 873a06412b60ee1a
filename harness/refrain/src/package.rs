//! Finds the directory of a test's package at run time.
//!
//! The directory at compile time may be gone or belong to another checkout, because target directories move, as in CI
//! caches.

use crate::test::Test;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Returns the directory of the test's package: the one that cargo sets, else the current directory's package, else the
/// directory at compile time.
pub(crate) fn folder(test: &Test) -> Result<PathBuf, String> {
    let is_set_by_cargo = env::var("CARGO_PKG_NAME").is_ok_and(|name| name == test.package);
    if is_set_by_cargo && let Some(folder) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        return match folder.is_dir() {
            true => Ok(folder),
            false => Err(format!("CARGO_MANIFEST_DIR is {}, which is not a directory: {HOW}", folder.display())),
        };
    }
    let here = env::current_dir().unwrap_or_default();
    let started_by_hand = here.ancestors().chain([Path::new(test.compiled_in)]);
    let found = started_by_hand.into_iter().find(|folder| holds_package(folder, test.package));
    found.map(Path::to_owned).ok_or_else(|| {
        format!(
            "the directory of package {} was not found: it was compiled in {}, which no longer contains it: {HOW}",
            test.package, test.compiled_in
        )
    })
}

const HOW: &str = "run `cargo test`, or start the test in the directory of its package";

/// Returns whether the directory's Cargo.toml is that of the package.
fn holds_package(folder: &Path, package: &str) -> bool {
    let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { return false };
    let lines = manifest.lines().map(str::trim).skip_while(|line| !line.starts_with("[package]"));
    lines.skip(1).take_while(|line| !line.starts_with('[')).any(|line| {
        let value = line.split_once('=').filter(|(key, _)| key.trim() == "name").map(|(_, value)| value.trim());
        let quoted = |quote: char| value.is_some_and(|value| value.starts_with(&format!("{quote}{package}{quote}")));
        quoted('"') || quoted('\'')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_package() {
        let folder = tempfile::tempdir().unwrap();
        let holds = |manifest: &str| {
            fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
            holds_package(folder.path(), "calcon")
        };
        assert!(holds("[package]\nname = \"calcon\"\n"));
        assert!(holds("# ours\n[workspace]\n\n[package] # the connector\nversion = \"1.0\"\nname='calcon' # short\n"));
        for other in [
            "[package]\nname = \"calcon-cli\"\n",
            "[package]\nname = \"cli\"\n\n[[bin]]\nname = \"calcon\"\n",
            "[package]\nname = \"cli\"\n\n[dependencies.calcon]\nname = \"calcon\"\n",
            "[workspace]\nmembers = [\"calcon\"]\n",
            "\0",
            "",
        ] {
            assert!(!holds(other), "{other}");
        }
        assert!(!holds_package(&folder.path().join("none"), "calcon"));
    }
}
