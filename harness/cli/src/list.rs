//! `cargo refrain list`: the refrain tests, their saved traces, and the traces of no test.

use crate::{
    args::List,
    cargo::{self, Executable, Package, Selection},
    exit::{Exit, Problem},
    output,
    saved::{self, Saved},
};
use refrain_core::{escape::escaped, find::Found, trace::Trace, verdict::Class};
use refrain_report::{self as report, ListedTrace, Message, Named, Style};
use std::{
    fs,
    io::{self, ErrorKind},
};

/// Where a package keeps its traces.
const TRACES: &str = "traces";

pub fn list(args: &List) -> Result<Exit, Problem> {
    let project = cargo::project_here(&args.build)?;
    let executables = cargo::build(&project, &args.build, Selection::Packages(&args.package))?;
    let mut traces = Vec::new();
    let mut problems = Vec::new();
    for package in &project.packages {
        if args.package.is_empty() || args.package.contains(&package.name) {
            for read in traces_of(package)? {
                read.map_or_else(|problem| problems.push(problem), |saved| traces.push(saved));
            }
        }
    }
    if executables.is_empty() && traces.is_empty() && problems.is_empty() {
        return Err(Problem::nothing_to_run("these packages have no #[refrain::test] and no saved traces"));
    }
    for executable in &executables {
        match output::is_for_programs() {
            true => tell_tests(executable, &mut traces),
            false => output::print(&tests(executable, &mut traces)),
        }
    }
    // The remaining traces belong to no test.
    match traces.is_empty() {
        true => {}
        false if output::is_for_programs() => traces.iter().for_each(tell_orphan),
        false => output::print(&orphans(&traces, &executables)),
    }
    Ok(problems.iter().map(output::print_error).max().unwrap_or(Exit::Passed))
}

/// The traces of a package, in the order of their names.
fn traces_of(package: &Package) -> Result<Vec<Result<Saved, Problem>>, Problem> {
    let dir = package.dir.join(TRACES);
    let paths = match fs::read_dir(&dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()),
    };
    let mut paths: Vec<_> = paths.map_err(|error| {
        let dir = output::shown(&dir);
        Problem::could_not_run(format!(
            "cannot list the traces in {dir}: {error}: check the directory and its permissions"
        ))
    })?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    Ok(paths.iter().map(|path| Saved::read(&output::from_here(path))).collect())
}

/// The same as [`tests`], for programs.
fn tell_tests(executable: &Executable, traces: &mut Vec<Saved>) {
    for test in &executable.tests {
        let of_test = traces.extract_if(.., |saved| saved.is_of(executable, &test.name));
        let (package, target) = (executable.package.name.as_str(), executable.target.as_str());
        let message = Message::Test {
            test: Named { package, target, name: &test.name },
            place: escaped(&test.place),
            expects: test.expect.map(Class::name),
            ignored: test.ignored,
            traces: of_test.map(|saved| listed(&saved)).collect(),
        };
        output::tell(&message, String::new);
    }
}

fn tell_orphan(saved: &Saved) {
    let Trace { package, target, test, .. } = &saved.trace;
    let [package, target, name] = [package, target, test].map(|name| escaped(name));
    let test = Named { package: &package, target: &target, name: &name };
    output::tell(&Message::Orphan { test, trace: listed(saved) }, String::new);
}

fn listed(saved: &Saved) -> ListedTrace {
    let headline = report::headline(&saved.trace.failure, Style::default());
    ListedTrace { path: output::shown(&saved.path), headline }
}

/// The tests of an executable, each with its traces, which are removed from the list.
fn tests(executable: &Executable, traces: &mut Vec<Saved>) -> String {
    let width = |of: fn(&Found) -> usize| executable.tests.iter().map(of).max().unwrap_or(0);
    let (name_width, place_width) = (width(|test| test.name.chars().count()), width(|test| test.place.chars().count()));
    let mut text = output::heading(&format!("{} {}", executable.package.name, executable.target)) + "\n";
    for test in &executable.tests {
        let expects = test.expect.map(|class| format!("expects {class}"));
        let notes: Vec<_> = expects.into_iter().chain(test.ignored.then(|| "ignored".to_owned())).collect();
        let (place, notes) = (escaped(&test.place), notes.join(", "));
        let line = format!("  {:name_width$}  {place:place_width$}  {notes}", test.name);
        text += &format!("{}\n", line.trim_end());
        for saved in traces.extract_if(.., |saved| saved.is_of(executable, &test.name)) {
            text += &format!("    {}\n", failure(&saved));
        }
    }
    text
}

fn orphans(traces: &[Saved], executables: &[Executable]) -> String {
    let mut text = String::new();
    for saved in traces {
        let trace = &saved.trace;
        let known = executables.iter().filter(|executable| executable.package.name == trace.package);
        let near = saved::near(
            &trace.test,
            known.flat_map(|executable| executable.tests.iter().map(|test| test.name.as_str())),
        );
        text += &format!("orphan: {}\n", failure(saved));
        let [test, target, package] = [&trace.test, &trace.target, &trace.package].map(|name| escaped(name));
        text += &format!("  no test {test} in {target} of package {package}{near}\n");
    }
    text
}

/// A trace's failure in one line.
fn failure(saved: &Saved) -> String {
    format!("{}  {}", output::shown(&saved.path), report::headline(&saved.trace.failure, output::style()))
}
