//! Finds a test's traces, and saves a failing run in the package's `traces/` or, if that fails, elsewhere.

use super::anchors;
use crate::{
    engine::Refusal,
    job::Ran,
    package,
    protocol::SavedAt,
    sources,
    test::Test,
    trace::{self, Build, Trace, TraceError},
    verdict::Failure,
};
use std::{
    env,
    fs::{self, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The directory of a package's traces, and its fallback in the target directory.
const TRACES: &str = "traces";
const ELSEWHERE: &str = "refrain-traces";

/// Returns a path relative to the directory in which `cargo test` was most likely started, the workspace root. The test
/// itself runs in its package's directory.
pub(crate) fn shown(test: &Test, path: &Path) -> PathBuf {
    let package = package::folder(test).unwrap_or_default();
    let workspace = package.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    workspace.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path).to_owned()
}

/// A path, and the trace in it or the reason why it cannot be replayed.
pub(crate) type Saved = (PathBuf, Result<Trace, Refusal>);

/// Returns the traces of a test, sorted by name.
pub(crate) fn saved(test: &Test) -> Result<Vec<Saved>, Refusal> {
    let folder = package::folder(test)?.join(TRACES);
    let paths = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()),
    };
    let mut paths = paths.map_err(|error| {
        format!(
            "the saved traces in {} cannot be listed: {error}: check the directory and its permissions",
            folder.display()
        )
    })?;
    paths.retain(|path| trace::is_of(path, test.name()));
    paths.sort();
    Ok(paths.into_iter().map(|path| (path.clone(), read(test, &path))).collect())
}

/// Reads a trace of this test.
pub(crate) fn read(test: &Test, path: &Path) -> Result<Trace, Refusal> {
    let trace = trace::read(path).map_err(|error| error.to_string())?;
    if trace.test != test.name() || trace.package != test.package {
        return Err(format!(
            "{} is a trace of {} in {}, not of {} in {}: replay it with `cargo refrain replay`, which finds its test",
            path.display(),
            trace.test,
            trace.package,
            test.name(),
            test.package
        ));
    }
    test.engine.check_compatible(&trace).map_err(|why| format!("{} cannot be replayed: {why}", path.display()))?;
    Ok(trace)
}

/// Builds the trace of a run.
pub(crate) fn trace(test: &Test, ran: &Ran, failure: &Failure) -> Trace {
    Trace {
        test: test.name().to_owned(),
        package: test.package.to_owned(),
        target: test.target(),
        engine: test.engine.of(&ran.plan),
        plan: ran.plan.clone(),
        anchors: anchors::of(test, &ran.plan),
        failure: failure.clone(),
        digest: digest(ran),
        left_out: ran.left_out,
        build: Build::this(),
        packages: sources::current().needed_by(test.package),
        events: ran.events.clone(),
        sockets: ran.sockets.clone(),
    }
    .within_limits()
}

/// Formats a run's digest as in traces.
pub(crate) fn digest(ran: &Ran) -> String {
    format!("{:016x}", ran.digest)
}

/// Saves a trace in `traces/`, or in a fallback directory.
pub(crate) fn save(test: &Test, trace: &Trace) -> SavedAt {
    let in_traces = |package: PathBuf| trace::save(&package.join(TRACES), trace).map_err(|error| error.to_string());
    match package::folder(test).and_then(in_traces) {
        Ok(path) => SavedAt::Traces(path),
        Err(why) => elsewhere(trace, why),
    }
}

/// Saves a trace like [`save`], unless the test has it already. Returns the new file, if any.
pub(crate) fn save_new(test: &Test, traces: &[Saved], trace: &Trace) -> Option<PathBuf> {
    let is_same = |(_, saved): &Saved| saved.as_ref().is_ok_and(|saved| saved.is_same_failure(trace));
    if traces.iter().any(is_same) {
        return None;
    }
    save(test, trace).path_mut().cloned()
}

/// Removes a trace after a smaller one was saved.
pub(crate) fn discard(original: Option<PathBuf>, smaller: &SavedAt) {
    let smaller = smaller.clone().path_mut().cloned();
    if let (Some(original), Some(smaller)) = (original, smaller)
        && original != smaller
    {
        // A file that cannot be removed is only redundant.
        let _: io::Result<()> = fs::remove_file(&original);
        if original.parent() != smaller.parent() {
            let _: io::Result<()> = original.parent().map_or(Ok(()), fs::remove_dir);
        }
    }
}

/// Saves a shrunk trace over the original, or in a fallback directory.
pub(crate) fn save_over(path: &Path, trace: &Trace) -> SavedAt {
    match trace::write(path, trace) {
        Ok(()) => SavedAt::Traces(path.to_owned()),
        Err(why) => elsewhere(trace, why.to_string()),
    }
}

/// Saves a trace that its own directory refused: in the target directory or, if that is full or read-only, in a
/// temporary one.
fn elsewhere(trace: &Trace, why: String) -> SavedAt {
    let saved = in_target(trace).or_else(|| in_temporary(trace).ok());
    match saved {
        Some(path) => SavedAt::Elsewhere { path, why },
        None => SavedAt::Nowhere { why },
    }
}

fn in_target(trace: &Trace) -> Option<PathBuf> {
    trace::save(&target_directory()?.join(ELSEWHERE), trace).ok()
}

/// Returns the target directory in which this executable is.
pub(crate) fn target_directory() -> Option<PathBuf> {
    let executable = env::current_exe().ok()?;
    // Cargo marks its target directories with a cache tag.
    executable.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_owned)
}

fn in_temporary(trace: &Trace) -> Result<PathBuf, TraceError> {
    let failed = |source| TraceError::File { path: env::temp_dir(), tried: "make a folder for the trace", source };
    // A unique name: everyone can write to the directory for temporary files.
    let (prefix, permissions) = (format!("{ELSEWHERE}-"), Permissions::from_mode(0o700));
    let folder = tempfile::Builder::new().prefix(&prefix).permissions(permissions).tempdir().map_err(failed)?;
    let path = trace::save(folder.path(), trace)?;
    let _kept = folder.keep();
    Ok(path)
}
