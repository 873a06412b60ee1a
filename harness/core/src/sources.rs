//! Names source files the same on every machine, wherever the sources of dependencies are, and however paths were remapped.
//!
//! - The user's own files by their path in the workspace, as the compiler does: `src/link.rs`.
//! - Those of a dependency by its package, as the registry names its folder: `bytes-1.12.1/src/lib.rs`. The version is that of
//!   Cargo.lock, which is the same for sources from the registry, a repository, or `cargo vendor`.
//! - Those of the standard library by their path in Rust's repository: `library/core/src/panicking.rs`.

mod disk;

use crate::graph::{FOLDER, Locked, MODELS, Package, REAL, REAL_PREFIX, highest, needed_by};
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    rc::Rc,
    sync::OnceLock,
};

/// What is known about the sources of the current executable.
#[derive(Debug, Default)]
pub struct Sources {
    /// The directory in which the compiler was started, which is the workspace's.
    pub root: String,
    /// Where the workspace is now.
    pub now: PathBuf,
    /// The packages of its Cargo.lock.
    pub packages: Vec<Locked>,
    /// The directories that `cargo vendor` has filled, relative to the workspace if they are in it.
    pub vendored: Vec<String>,
    /// The directories of the harness's sources, as in `file!()`, and what they are called elsewhere: `refrain-0.1.0/src/`.
    pub harness: Vec<(&'static str, String)>,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its name, which is the same on every machine.
    pub name: Cow<'a, str>,
    /// Whose it is.
    pub owner: Owner,
}

/// The owner of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The service or its test, and packages in a folder of the user's.
    User,
    /// A package from a registry or a repository.
    Dependency,
    /// The standard library.
    Std,
    /// Refrain, and what `cargo refrain` has generated.
    Harness,
}

static CURRENT: OnceLock<Sources> = OnceLock::new();
static UNKNOWN: Sources =
    Sources { root: String::new(), now: PathBuf::new(), packages: vec![], vendored: vec![], harness: vec![] };

/// Sets what is known about the sources of this executable. The first call counts: all tests of an executable are of one package.
pub fn set(sources: impl FnOnce() -> Sources) {
    CURRENT.get_or_init(sources);
}

/// Returns what is known about the sources of this executable.
pub fn current() -> &'static Sources {
    CURRENT.get().unwrap_or(&UNKNOWN)
}

thread_local! {
    /// The names found so far: a run asks for those of few files, and often.
    static NAMES: RefCell<BTreeMap<String, Rc<str>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Returns the name of a source file of this executable.
pub fn name(file: &str) -> Rc<str> {
    let find = || Rc::from(current().identify(file).name);
    if CURRENT.get().is_none() {
        return find();
    }
    let known = NAMES.try_with(|names| match names.borrow_mut().entry(file.to_owned()) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(new) => new.insert(find()).clone(),
    });
    // The thread ends.
    known.unwrap_or_else(|_| find())
}

/// Splits the name of a dependency's file: `bytes`, `1.12.1`, `src/lib.rs`.
pub fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (folder, path) = name.split_once('/')?;
    let is_version = |text: &str| {
        let mut numbers = text.splitn(3, '.');
        let is_number = |text: Option<&str>| text.is_some_and(|text| text.parse::<u64>().is_ok());
        is_number(numbers.next())
            && is_number(numbers.next())
            && numbers.next().is_some_and(|patch| patch.starts_with(|c: char| c.is_ascii_digit()))
    };
    let dash = folder.match_indices('-').find(|(at, _)| *at > 0 && is_version(&folder[at + 1..]));
    dash.map(|(at, _)| (&folder[..at], &folder[at + 1..], path))
}

impl Sources {
    /// Names a source file, given as the compiler, the debug information or a backtrace has it.
    pub fn identify<'a>(&self, file: &'a str) -> Source<'a> {
        let seen = self.seen(file);
        let dependency = |name| Source { name, owner: Owner::Dependency };
        in_std(file)
            .map(|name| Source { name: name.into(), owner: Owner::Std })
            .or_else(|| Some(dependency(self.in_models(seen)?.into())))
            .or_else(|| Some(Source { name: self.in_harness(seen)?, owner: Owner::Harness }))
            .or_else(|| Some(dependency(in_registry(seen)?.into())))
            .or_else(|| Some(dependency(self.in_checkout(seen)?.into())))
            .or_else(|| self.in_output(seen))
            .or_else(|| Some(dependency(self.in_vendored(seen)?.into())))
            .or_else(|| Some(dependency(self.in_folder_with_version(seen)?.into())))
            .or_else(|| self.elsewhere(seen).filter(|_| seen.starts_with('/')))
            .unwrap_or(Source { name: seen.into(), owner: Owner::User })
    }

    /// Returns the packages from elsewhere that a package of the workspace needs.
    pub fn needed_by(&self, package: &str) -> Vec<Package> {
        needed_by(&self.packages, package)
    }

    /// Returns the name that a dependency's file has with the version that is locked now; `None` if that has not changed.
    pub fn with_version_of_now(&self, name: &str) -> Option<String> {
        let (package, version, path) = parts(name)?;
        let mut all = self.packages.iter().filter(|locked| locked.name == package);
        if all.clone().any(|locked| locked.version == version) {
            return None;
        }
        let (only, another) = (all.next()?, all.next());
        another.is_none().then(|| format!("{}/{path}", only.folder()))
    }

    /// Returns a path relative to the workspace if it is in it, as the compiler has it.
    fn seen<'a>(&self, file: &'a str) -> &'a str {
        let below = file.strip_prefix(&self.root).and_then(|file| file.strip_prefix('/'));
        below.filter(|_| !self.root.is_empty()).or_else(|| file.strip_prefix("./")).unwrap_or(file)
    }

    /// Returns the fetched package whose sources are in a folder with this name: `bytes-1.12.1`, or `bytes` of `cargo vendor`.
    fn fetched_in(&self, folder: &str) -> Option<String> {
        let fetched = || self.packages.iter().filter(|package| package.is_fetched());
        let with_version = fetched().any(|package| package.folder() == folder).then(|| folder.to_owned());
        with_version.or_else(|| Some(highest(fetched().filter(|package| package.name == folder))?.folder()))
    }

    /// `.refrain/models/parking_lot/src/lib.rs`: the copy of a dependency that is part of models.
    fn in_models(&self, seen: &str) -> Option<String> {
        let (folder, path) =
            after(seen, FOLDER).next()?.strip_prefix('/')?.strip_prefix(MODELS)?.strip_prefix('/')?.split_once('/')?;
        let name = folder.strip_prefix(REAL_PREFIX).unwrap_or(folder);
        let is_copied = |package: &&Locked| package.name == name && !package.is_fetched();
        Some(format!("{}/{path}", highest(self.packages.iter().filter(is_copied))?.folder()))
    }

    fn in_harness<'a>(&self, seen: &'a str) -> Option<Cow<'a, str>> {
        for (own, name) in &self.harness {
            if let Some(path) = seen.strip_prefix(self.seen(own)) {
                // In a repository that contains refrain, it is the user's.
                let is_users = !own.starts_with('/') && !own.starts_with(FOLDER);
                return Some(if is_users { seen.into() } else { format!("{name}{path}").into() });
            }
        }
        let (folders, path) = after(seen, FOLDER).next()?.strip_prefix('/')?.split_once("/src/")?;
        let folder = folders.rsplit('/').next().unwrap_or(folders);
        let Some(package) = highest(self.packages.iter().filter(|package| package.name == folder)) else {
            return Some(seen.into());
        };
        let name = if folder == REAL { "tokio" } else { folder };
        Some(format!("{name}-{}/src/{path}", package.version).into())
    }

    /// `git/checkouts/wire-0123456789abcdef/89abcde/src/lib.rs`. A repository may have several packages.
    fn in_checkout(&self, seen: &str) -> Option<String> {
        let (repository, rest) = after(seen, "git/checkouts/").next()?.split_once('/')?;
        let (revision, path) = rest.split_once('/')?;
        let repository = repository.rsplit_once('-').map_or(repository, |(name, _)| name);
        let (folders, path_in_package) = match path.split_once("/src/") {
            _ if path.starts_with("src/") => ("", path),
            Some((folders, _)) => (folders, &path[folders.len() + 1..]),
            None => ("", path),
        };
        let folder = folders.rsplit('/').next().filter(|folder| !folder.is_empty()).unwrap_or(repository);
        let is_of_it = |package: &&Locked| package.revision().is_some_and(|whole| whole.starts_with(revision));
        let mut all = self.packages.iter().filter(is_of_it);
        let named = all.clone().find(|package| package.name == folder);
        let only = all.next().filter(|_| all.next().is_none());
        Some(match named.or(only) {
            Some(package) => format!("{}/{path_in_package}", package.folder()),
            None => format!("{repository}-{revision}/{path}"),
        })
    }

    /// What a build script has generated: `target/debug/build/wire-0123456789abcdef/out/wire.rs`.
    fn in_output<'a>(&self, seen: &'a str) -> Option<Source<'a>> {
        let (name, path) = after(seen, "build/").find_map(|below| {
            let (folder, path) = below.split_once("/out/")?;
            let (name, hash) = folder.rsplit_once('-')?;
            let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hash.then_some((name, path))
        })?;
        let package = highest(self.packages.iter().filter(|package| package.name == name));
        let owner = if package.is_some_and(Locked::is_fetched) { Owner::Dependency } else { Owner::User };
        let folder = package.map_or_else(|| name.to_owned(), Locked::folder);
        Some(Source { name: format!("{folder}/out/{path}").into(), owner })
    }

    fn in_vendored(&self, seen: &str) -> Option<String> {
        let below = self.vendored.iter().find_map(|vendored| seen.strip_prefix(vendored)?.strip_prefix('/'))?;
        let (folder, path) = below.split_once('/')?;
        Some(format!("{}/{path}", self.fetched_in(folder)?))
    }

    /// A folder with the name and the version of a fetched package, wherever it is: so do build systems that remap paths.
    fn in_folder_with_version<'a>(&self, seen: &'a str) -> Option<&'a str> {
        let mut starts = std::iter::once(0).chain(seen.match_indices('/').map(|(at, _)| at + 1));
        let is_fetched = |name: &str, version: &str| {
            self.packages.iter().any(|it| it.is_fetched() && it.name == name && it.version == version)
        };
        let found = |at: &usize| parts(&seen[*at..]).is_some_and(|(name, version, _)| is_fetched(name, version));
        starts.find(found).map(|at| &seen[at..])
    }

    /// Any other absolute path: of a vendored package or of the user, but remapped, or of a package beside the workspace.
    fn elsewhere<'a>(&self, file: &'a str) -> Option<Source<'a>> {
        let folders = || {
            file.rmatch_indices("/src/").filter_map(|(at, _)| Some((file[..at].rsplit('/').next()?, &file[at + 1..])))
        };
        let vendored = folders().find_map(|(folder, path)| Some(format!("{}/{path}", self.fetched_in(folder)?)));
        if let Some(name) = vendored {
            return Some(Source { name: name.into(), owner: Owner::Dependency });
        }
        let users = |name| Some(Source { name, owner: Owner::User });
        if let Some(path) = self.of_workspace_elsewhere(file) {
            return users(path.into());
        }
        let beside = |(folder, path)| {
            let package = highest(self.packages.iter().filter(|package| package.name == folder))?;
            Some(format!("{}/{path}", package.folder()))
        };
        if let Some(name) = folders().find_map(beside) {
            return users(name.into());
        }
        let (folder, path) = folders().next()?;
        users(format!("{folder}/{path}").into())
    }

    /// A file of the workspace whose directory has another name in the path: the longest end of the path that is in the workspace.
    fn of_workspace_elsewhere<'a>(&self, file: &'a str) -> Option<&'a str> {
        if self.now.as_os_str().is_empty() || Path::new(file).exists() {
            return None;
        }
        let mut ends = file.match_indices('/').map(|(at, _)| &file[at + 1..]);
        ends.find(|end| self.now.join(end).is_file())
    }
}

/// The compiler has remapped these paths; with the component `rust-src` it maps some of them back.
fn in_std(file: &str) -> Option<&str> {
    let remapped = file.strip_prefix("/rustc/").and_then(|below| Some(below.split_once('/')?.1));
    remapped.or_else(|| after(file, "lib/rustlib/src/rust/").next())
}

/// `registry/src/registry.example-1949cf8c6b5b557f/bytes-1.12.1/src/lib.rs`.
fn in_registry(seen: &str) -> Option<&str> {
    let found = after(seen, "registry/src/").filter_map(|below| Some(below.split_once('/')?.1));
    found.filter(|path| parts(path).is_some()).last()
}

/// Returns what follows a folder, each time that it is in the path.
fn after<'a>(path: &'a str, folder: &'static str) -> impl Iterator<Item = &'a str> {
    let at_start = |at: &usize| *at == 0 || path.as_bytes()[at - 1] == b'/';
    path.match_indices(folder).map(|(at, _)| at).filter(at_start).map(move |at| &path[at + folder.len()..])
}

#[cfg(test)]
mod tests;
