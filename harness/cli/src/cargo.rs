//! Runs cargo: to list packages, and to build their tests.

use crate::{args::Build, exit::Problem};
use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand, Target, TargetKind};
use refrain_core::{
    find::{self, Found},
    graph,
};
use std::{
    env,
    ffi::OsString,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A workspace, or a package of its own.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory in which cargo runs, so that it reads the workspace's configuration.
    pub dir: PathBuf,
    /// Its packages.
    pub packages: Vec<Package>,
    /// The directory of its workspace's Cargo.toml and Cargo.lock.
    pub root: PathBuf,
}

/// A package of the project.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The directory of its Cargo.toml.
    pub dir: PathBuf,
    /// Its targets, as traces name them: `test/link`, `lib/calcon`.
    pub targets: Vec<String>,
    /// Whether it depends on tokio itself.
    pub names_tokio: bool,
}

/// What to build.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// Every test of these packages; of none: of every package.
    Packages(&'a [String]),
    /// One target of a package.
    Target { package: &'a str, target: &'a str },
}

/// A test executable that holds refrain tests.
#[derive(Debug, Clone)]
pub struct Executable {
    pub package: Package,
    /// `test/link`.
    pub target: String,
    pub path: PathBuf,
    /// The refrain tests in it.
    pub tests: Vec<Found>,
}

/// The project of the current directory, or of the Cargo.toml that was given.
pub fn project_here(build: &Build) -> Result<Project, Problem> {
    project_of(build.manifest_path.as_deref())
}

/// The same.
pub fn project_of(manifest: Option<&Path>) -> Result<Project, Problem> {
    match manifest {
        None => project_above(Path::new(".")),
        Some(manifest) => match manifest.parent() {
            Some(dir) if manifest.ends_with("Cargo.toml") && manifest.is_file() => {
                project_above(&Path::new(".").join(dir))
            }
            _ => Err(Problem::could_not_run(format!(
                "{} is no Cargo.toml, or not there",
                crate::output::shown(manifest)
            ))),
        },
    }
}

/// The project whose Cargo.toml is in this directory or above it.
pub fn project_above(dir: &Path) -> Result<Project, Problem> {
    let metadata = MetadataCommand::new().no_deps().current_dir(dir).exec().map_err(why).map_err(|why| {
        Problem::could_not_run(format!("cargo metadata failed in {}: {why}", crate::output::shown(dir)))
    })?;
    let packages = metadata.workspace_packages().into_iter().map(|package| Package {
        name: package.name.to_string(),
        version: package.version.to_string(),
        dir: package.manifest_path.parent().map(|dir| dir.as_std_path().to_owned()).unwrap_or_default(),
        targets: package.targets.iter().map(target_name).collect(),
        names_tokio: package.dependencies.iter().any(|dependency| dependency.name == "tokio"),
    });
    let packages = packages.collect();
    Ok(Project { dir: dir.to_owned(), packages, root: metadata.workspace_root.into() })
}

/// The whole graph of the project in a folder. Cargo asks the network only for what is not on this machine.
pub fn metadata(dir: &Path) -> Result<Metadata, String> {
    graph_of(dir, &[]).map_err(why)
}

/// The same, if Cargo.lock is as it has to be: nothing is written.
pub fn locked_metadata(dir: &Path) -> Option<Metadata> {
    graph_of(dir, &["--locked"]).ok()
}

fn graph_of(dir: &Path, options: &[&str]) -> Result<Metadata, cargo_metadata::Error> {
    let mut command = MetadataCommand::new();
    // What other platforms need is no reason to download anything.
    let platform = host().map(|host| ["--filter-platform".to_owned(), host]);
    let options = options.iter().copied().map(str::to_owned);
    command.other_options(options.chain(platform.into_iter().flatten()).collect::<Vec<_>>());
    let offline = command.clone().env("CARGO_NET_OFFLINE", "true").current_dir(dir).exec();
    offline.or_else(|_| command.current_dir(dir).exec())
}

/// Changes the version of a package that Cargo.lock says.
pub fn update(dir: &Path, package: &str, from: &str, to: &str) -> Result<(), String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(dir).args(["update", "--package", &format!("{package}@{from}"), "--precise", to]);
    let ran = command.output().map_err(|error| format!("cannot run cargo update: {error}"))?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&ran.stderr).trim_end().to_owned()),
    }
}

/// The platform of this machine, as the compiler names it.
fn host() -> Option<String> {
    let said = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into())).arg("-vV").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn why(error: cargo_metadata::Error) -> String {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim_end().into(),
        cargo_metadata::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            "there is no cargo: install Rust, put cargo on the PATH, or name it in the variable CARGO".into()
        }
        error => error.to_string(),
    }
}

/// The variables that `cargo run` sets for the package that it runs. A build script that depends on one of them, as ring's does, would be
/// run again, and all that is built on it, each time that somebody runs `cargo test` after `cargo refrain`.
fn of_a_package(environment: impl Iterator<Item = (OsString, OsString)>) -> impl Iterator<Item = OsString> {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    environment.map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name == "CARGO_PRIMARY_PACKAGE" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Builds tests and finds the refrain tests in their executables. Cargo prints to standard error.
pub fn build(project: &Project, options: &Build, selection: Selection<'_>) -> Result<Vec<Executable>, Problem> {
    graph::check_made(&project.root).map_err(Problem::could_not_run)?;
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    for name in of_a_package(env::vars_os()) {
        command.env_remove(name);
    }
    command.current_dir(&project.dir).args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
    command.args(selection_args(selection)).args(option_args(options)).stdin(Stdio::null()).stdout(Stdio::piped());
    let failed = |error| Problem::could_not_run(format!("cannot run cargo test --no-run: {error}"));
    let mut cargo = command.spawn().map_err(failed)?;
    let output = BufReader::new(cargo.stdout.take().expect("it is piped"));
    let mut artifacts = Vec::new();
    for message in Message::parse_stream(output) {
        match message.map_err(failed)? {
            Message::CompilerArtifact(artifact) if artifact.profile.test => artifacts.push(artifact),
            _ => {}
        }
    }
    if !cargo.wait().map_err(failed)?.success() {
        return Err(Problem::could_not_run("the tests do not build: see cargo's errors above"));
    }
    // Cargo has just written the lock file that it has built with.
    graph::check(&project.root).map_err(Problem::could_not_run)?;
    let mut executables = Vec::new();
    for artifact in artifacts {
        executables.extend(executable(project, &artifact)?);
    }
    executables.sort_by(|a, b| (&a.package.name, &a.target).cmp(&(&b.package.name, &b.target)));
    Ok(executables)
}

/// The executable of an artifact, if it has one and there are refrain tests in it.
fn executable(project: &Project, artifact: &Artifact) -> Result<Option<Executable>, Problem> {
    let dir = artifact.manifest_path.parent().map(|dir| dir.as_std_path());
    let package = project.packages.iter().find(|package| Some(package.dir.as_path()) == dir);
    let (Some(path), Some(package)) = (&artifact.executable, package) else { return Ok(None) };
    let tests = find::in_executable(path.as_std_path())
        .map_err(|error| Problem::could_not_run(format!("cannot read {path}, which cargo built: {error}")))?;
    if tests.is_empty() {
        return Ok(None);
    }
    let target = target_name(&artifact.target);
    Ok(Some(Executable { package: package.clone(), target, path: path.clone().into(), tests }))
}

/// A target as traces name it.
fn target_name(target: &Target) -> String {
    let kind = match target.kind.first() {
        Some(TargetKind::Test) => "test",
        Some(TargetKind::Bin) => "bin",
        Some(TargetKind::Example) => "example",
        Some(TargetKind::Bench) => "bench",
        _ => "lib",
    };
    format!("{kind}/{}", target.name)
}

fn selection_args(selection: Selection<'_>) -> Vec<OsString> {
    match selection {
        Selection::Packages([]) => vec!["--workspace".into()],
        Selection::Packages(names) => names.iter().flat_map(|name| ["--package".into(), name.into()]).collect(),
        // Cargo chooses features for the selected packages: as when the package alone is explored, nothing is built once more.
        Selection::Target { package, target } => {
            let mut args = vec!["--package".into(), package.into()];
            match target.split_once('/') {
                Some((kind, name)) if kind != "lib" => args.extend([format!("--{kind}").into(), name.into()]),
                _ => args.push("--lib".into()),
            }
            args
        }
    }
}

fn option_args(options: &Build) -> Vec<OsString> {
    let flags = [
        (options.release, "--release"),
        (options.all_features, "--all-features"),
        (options.no_default_features, "--no-default-features"),
    ];
    let mut args: Vec<OsString> = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| flag.into()).collect();
    let with_value = options.profile.iter().map(|name| ("--profile", name));
    let with_value = with_value.chain(options.features.iter().map(|names| ("--features", names)));
    args.extend(with_value.flat_map(|(option, value)| [option.into(), value.into()]));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_run_says_of_its_package_is_not_passed_on() {
        let environment = ["CARGO", "CARGO_HOME", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_TARGET_DIR", "PATH"];
        let environment = environment.into_iter().map(|name| (name.into(), OsString::new()));
        assert_eq!(of_a_package(environment).collect::<Vec<_>>(), ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"]);
    }
}
