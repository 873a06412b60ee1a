//! Saves a failing run in its package's `traces/`.

use crate::{
    engine::Refusal,
    job::Ran,
    test::Test,
    trace::{self, Build, Trace},
    verdict::Failure,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of a test's traces.
pub(crate) fn folder(test: &Test) -> PathBuf {
    Path::new(test.folder).join("traces")
}

/// A file as a person calls it who stands where `cargo test` was started: in the workspace's folder, most likely. The
/// test itself runs in its package's.
pub(crate) fn shown<'a>(test: &Test, path: &'a Path) -> &'a Path {
    let workspace = Path::new(test.folder).ancestors().find(|folder| folder.join("Cargo.lock").exists());
    workspace.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path)
}

/// The traces of a test, by name; with each the error, if it cannot be read.
pub(crate) fn saved(test: &Test) -> Vec<(PathBuf, Result<Trace, Refusal>)> {
    let prefix = format!("{}-", test.name().replace("::", "."));
    let Ok(entries) = fs::read_dir(folder(test)) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // What follows the name is four digits; a longer test's name may begin with this one's.
        name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".jsonl")).is_some_and(|rest| rest.len() == 4)
    });
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), super::replay::read(test, &path))).collect()
}

/// The trace of a run.
pub(crate) fn trace(test: &Test, ran: &Ran, failure: &Failure) -> Trace {
    Trace {
        test: test.name().to_owned(),
        package: test.package.to_owned(),
        target: test.target(),
        engine: test.engine.of(&ran.plan),
        plan: ran.plan.clone(),
        failure: failure.clone(),
        digest: digest(ran),
        left_out: ran.left_out,
        build: Build::this(),
        events: ran.events.clone(),
        sockets: ran.sockets.clone(),
    }
}

/// A run's digest as traces write it.
pub(crate) fn digest(ran: &Ran) -> String {
    format!("{:016x}", ran.digest)
}

/// Writes it.
pub(crate) fn save(test: &Test, trace: &Trace) -> Result<PathBuf, Refusal> {
    let folder = folder(test);
    fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let path = folder.join(trace::file_name(&trace.test, &trace.plan));
    trace::write(&path, trace).map_err(|error| error.to_string())?;
    Ok(path)
}
