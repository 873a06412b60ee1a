//! What an exploration leaves for CI: a JUnit report, and what GitHub Actions shows of failures.

use crate::{
    cargo::Executable,
    exit::Problem,
    junit::{Tested, junit},
    output,
};
use refrain_core::{
    escape::escaped,
    find::Found,
    protocol::{Caught, Exploration, SavedAt},
    trace,
};
use refrain_report::{self as report, Standing};
use std::{env, fs::OpenOptions, io::Write, path::Path};

/// A test, its executable, and what came of it.
pub type Explored<'a> = (&'a Executable, &'a Found, Result<Exploration, Problem>);

/// Writes the JUnit report, if one is asked for, and in GitHub Actions the annotations and the summary of the step.
pub fn write(file: Option<&Path>, tested: &[Explored<'_>]) -> Result<(), Problem> {
    if let Some(file) = file {
        let tests: Vec<_> = tested.iter().map(of_junit).collect();
        let report =
            junit(&tests).map_err(|error| Problem::could_not_run(format!("cannot make a JUnit report: {error}")))?;
        save(file, &report, false)?;
    }
    // GitHub Actions sets these for every step.
    if env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
        return Ok(());
    }
    let mut summary = String::new();
    for (_, test, explored) in tested {
        let Some(caught) = explored.as_ref().ok().and_then(failed) else { continue };
        let caught = from_here(caught);
        // On standard error, which the runner reads as well: programs read the other one.
        output::print_note(report::annotation(&test.name, &test.place, &caught).trim_end());
        let trace = path(&caught).and_then(|path| trace::read(path).ok());
        summary += &report::summary(&test.name, &caught, trace.as_ref());
    }
    match env::var_os("GITHUB_STEP_SUMMARY") {
        Some(file) if !summary.is_empty() => save(Path::new(&file), &summary, true),
        _ => Ok(()),
    }
}

fn of_junit<'a>((executable, test, explored): &'a Explored<'_>) -> Tested<'a> {
    Tested {
        suite: format!("{} {}", executable.package.name, executable.target),
        name: &test.name,
        place: &test.place,
        explored: explored.as_ref().map_err(|problem| problem.message.as_str()),
    }
}

fn failed(exploration: &Exploration) -> Option<&Caught> {
    match report::standing(exploration) {
        Standing::Failed(caught) => Some(caught),
        _ => None,
    }
}

/// The failure with its paths relative to the current directory.
fn from_here(caught: &Caught) -> Caught {
    let mut caught = caught.clone();
    if let Some(path) = caught.saved.path_mut() {
        *path = output::from_here(path);
    }
    caught.page = caught.page.map(|page| output::from_here(&page));
    caught
}

fn path(caught: &Caught) -> Option<&Path> {
    match &caught.saved {
        SavedAt::Traces(path) | SavedAt::Already(path) | SavedAt::Elsewhere { path, .. } => Some(path),
        SavedAt::Nowhere { .. } => None,
    }
}

fn save(file: &Path, text: &str, append: bool) -> Result<(), Problem> {
    let opened = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Problem::could_not_run(format!("cannot write {}: {error}", escaped(&file.to_string_lossy()))))
}
