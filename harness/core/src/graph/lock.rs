//! The packages of a Cargo.lock: which of them a package needs, and which are others than before.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// A package that Cargo.lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The registry or the repository that it comes from. The others are folders of this machine.
    pub source: Option<String>,
    /// The packages that it needs: `bytes`, or `bytes 1.12.1` where there are several versions.
    pub dependencies: Vec<String>,
}

/// A package that a service was built with, written `bytes 1.12.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A package of which there are other versions than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// The versions before; none if it is new.
    pub before: Vec<String>,
    /// The versions now; none if it is gone.
    pub now: Vec<String>,
}

/// Error: a text is not a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a package like \"bytes 1.12.1\", found {0:?}")]
pub struct NoPackage(String);

/// The packages of refrain itself that only tests need. A trace has its version anyway.
const HARNESS: [&str; 4] = ["refrain", "refrain-core", "refrain-macros", "refrain-report"];
/// The packages that `cargo refrain` copies from the registry.
const COPIED: [&str; 12] = [
    "arc-swap",
    "crossbeam",
    "crossbeam-channel",
    "crossbeam-deque",
    "crossbeam-epoch",
    "crossbeam-queue",
    "crossbeam-utils",
    "dashmap",
    "lock_api",
    "madsim",
    "parking_lot",
    "tokio",
];

impl Locked {
    /// Returns whether it comes from a registry or a repository.
    pub fn is_fetched(&self) -> bool {
        self.source.is_some()
    }

    /// Returns the commit, if it comes from a repository.
    pub fn revision(&self) -> Option<&str> {
        let source = self.source.as_deref()?.strip_prefix("git+")?;
        source.rsplit_once('#').map(|(_, revision)| revision)
    }

    /// Returns the name of the folder of its sources in a registry: `bytes-1.12.1`.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Returns whether a dependency, as another package has it, is this one.
    fn is(&self, dependency: &str) -> bool {
        let mut words = dependency.split(' ');
        words.next() == Some(&self.name) && words.next().is_none_or(|version| version == self.version)
    }
}

/// The packages of a Cargo.lock. What cargo did not write so is left out.
pub fn locked(lock: &str) -> Vec<Locked> {
    let packages = lock.split("[[package]]").skip(1);
    let value = |package: &str, key: &str| {
        let quoted = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
        Some(quoted.trim().trim_matches('"').to_owned())
    };
    let dependencies = |package: &str| {
        let lines = package.lines().skip_while(|line| *line != "dependencies = [").skip(1);
        let quoted = lines.take_while(|line| *line != "]").map(str::trim);
        quoted.map(|line| line.trim_matches([',', '"']).to_owned()).collect()
    };
    let read = |package: &str| {
        let (name, version) = (value(package, "name")?, value(package, "version")?);
        Some(Locked { name, version, source: value(package, "source"), dependencies: dependencies(package) })
    };
    packages.filter_map(read).collect()
}

/// Returns the highest of these versions of a package: `cargo vendor` gives that one the folder without a version.
pub fn highest<'a>(packages: impl Iterator<Item = &'a Locked>) -> Option<&'a Locked> {
    packages.max_by_key(|package| {
        let (numbers, before_release) = match package.version.split(['-', '+']).next() {
            Some(numbers) => (numbers, package.version[numbers.len()..].starts_with('-')),
            None => (package.version.as_str(), false),
        };
        let numbers: Vec<u64> = numbers.split('.').map(|number| number.parse().unwrap_or_default()).collect();
        (numbers, !before_release, package.version.as_str())
    })
}

/// Returns what a package needs, directly and indirectly.
pub fn dependencies_of<'a>(packages: &'a [Locked], package: &'a Locked) -> Vec<&'a Locked> {
    let mut found: Vec<&Locked> = vec![];
    let mut open = vec![package];
    while let Some(package) = open.pop() {
        for dependency in &package.dependencies {
            let needed = packages.iter().find(|package| package.is(dependency));
            if let Some(needed) = needed.filter(|needed| !found.contains(needed)) {
                found.push(needed);
                open.push(needed);
            }
        }
    }
    found
}

/// Returns what a package of the workspace needs from elsewhere, directly and indirectly, in its tests, too, but for refrain's own.
pub fn needed_by(packages: &[Locked], package: &str) -> Vec<Package> {
    let is_followed = |&nth: &usize| !HARNESS.contains(&packages[nth].name.as_str());
    let mut open: Vec<usize> =
        packages.iter().position(|it| it.name == package && !it.is_fetched()).into_iter().collect();
    let mut found: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(nth) = open.pop() {
        let named = packages[nth].dependencies.iter();
        let nths = named.filter_map(|dependency| packages.iter().position(|package| package.is(dependency)));
        open.extend(nths.filter(is_followed).filter(|nth| found.insert(*nth)));
    }
    let is_from_elsewhere = |package: &&Locked| package.is_fetched() || COPIED.contains(&package.name.as_str());
    let found = found.into_iter().map(|nth| &packages[nth]).filter(is_from_elsewhere);
    found.map(|Locked { name, version, .. }| Package { name: name.clone(), version: version.clone() }).collect()
}

/// Returns the packages of which there are other versions now, sorted by name.
pub fn changes(before: &[Package], now: &[Package]) -> Vec<Change> {
    let mut versions: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for package in before {
        versions.entry(&package.name).or_default().0.insert(&package.version);
    }
    for package in now {
        versions.entry(&package.name).or_default().1.insert(&package.version);
    }
    let owned = |versions: BTreeSet<&str>| versions.into_iter().map(str::to_owned).collect();
    let differs = versions.into_iter().filter(|(_, (before, now))| before != now);
    differs.map(|(name, (before, now))| Change { name: name.into(), before: owned(before), now: owned(now) }).collect()
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl FromStr for Package {
    type Err = NoPackage;

    fn from_str(text: &str) -> Result<Package, NoPackage> {
        let is_word = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control());
        let words = text.split_once(' ').filter(|(name, version)| is_word(name) && is_word(version));
        let package = words.map(|(name, version)| Package { name: name.to_owned(), version: version.to_owned() });
        package.ok_or_else(|| NoPackage(text.to_owned()))
    }
}

impl From<Package> for String {
    fn from(package: Package) -> String {
        package.to_string()
    }
}

impl TryFrom<String> for Package {
    type Error = NoPackage;

    fn try_from(text: String) -> Result<Package, NoPackage> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "bytes"
version = "1.9.0"
source = "registry+index"

[[package]]
name = "bytes"
version = "1.12.1"
source = "registry+index"
checksum = "0"

[[package]]
name = "loom"
version = "0.7.3"
source = "registry+index"

[[package]]
name = "peer"
version = "0.1.0"
dependencies = [
 "wire",
]

[[package]]
name = "refrain"
version = "0.1.0"
source = "registry+index"
dependencies = [
 "loom",
 "bytes 1.9.0",
]

[[package]]
name = "service"
version = "0.1.0"
dependencies = [
 "bytes 1.12.1",
 "peer",
 "refrain",
 "tokio",
]

[[package]]
name = "tokio"
version = "1.54.1"

[[package]]
name = "unused"
version = "1.0.0"
source = "registry+index"

[[package]]
name = "wire"
version = "0.3.0"
source = "git+https://git.example/wire?branch=main#0123456789abcdef"
"#;

    fn packages(texts: &[&str]) -> Vec<Package> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_package_needs_what_its_dependencies_need_but_not_the_harness() {
        let locked = locked(LOCK);
        assert_eq!(needed_by(&locked, "service"), packages(&["bytes 1.12.1", "tokio 1.54.1", "wire 0.3.0"]));
        assert_eq!(needed_by(&locked, "peer"), packages(&["wire 0.3.0"]));
        assert_eq!(needed_by(&locked, "nobody"), []);
        assert_eq!(locked.last().unwrap().revision(), Some("0123456789abcdef"));
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        let mut locked = locked(LOCK);
        for (version, highest_now) in [("1.9.0", "1.12.1"), ("1.12.1-rc.1", "1.12.1"), ("2.0.0-rc.1", "2.0.0-rc.1")] {
            locked[0].version = version.into();
            let bytes = highest(locked.iter().filter(|package| package.name == "bytes"));
            assert_eq!(bytes.unwrap().version, highest_now);
        }
    }

    #[test]
    fn only_other_versions_are_changes() {
        let before = packages(&["a 1.0.0", "b 1.0.0", "b 2.0.0", "c 1.0.0"]);
        let now = packages(&["a 1.0.0", "b 2.0.0", "b 3.0.0", "d 0.1.0"]);
        let change = |name: &str, before: &[&str], now: &[&str]| {
            let owned = |versions: &[&str]| versions.iter().map(ToString::to_string).collect();
            Change { name: name.into(), before: owned(before), now: owned(now) }
        };
        let expected = [
            change("b", &["1.0.0", "2.0.0"], &["2.0.0", "3.0.0"]),
            change("c", &["1.0.0"], &[]),
            change("d", &[], &["0.1.0"]),
        ];
        assert_eq!(changes(&before, &now), expected);
        assert_eq!(changes(&now, &now), []);
    }

    #[test]
    fn a_package_reads_back_and_nothing_else_is_one() {
        assert_eq!(packages(&["toml 1.1.0+spec-1.1.0"])[0].to_string(), "toml 1.1.0+spec-1.1.0");
        for text in ["", "bytes", "bytes ", " 1.0.0", "bytes 1.0.0 x", "bytes 1.0.0\n", "by\ttes 1"] {
            assert_eq!(text.parse::<Package>(), Err(NoPackage(text.to_owned())));
        }
    }
}
