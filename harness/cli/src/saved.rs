//! Saved traces, and the executables that can run them again.

use crate::{
    args::Build,
    cargo::{self, Executable, Project, Selection},
    exit::Problem,
    output,
};
use refrain_core::{
    escape::escaped,
    trace::{self, Trace},
};
use std::path::{Path, PathBuf};

/// A trace and its file.
pub struct Saved {
    /// The absolute path.
    pub path: PathBuf,
    pub trace: Trace,
}

impl Saved {
    pub fn read(path: &Path) -> Result<Saved, Problem> {
        let trace = trace::read(path).map_err(|error| Problem::could_not_run(error.to_string()))?;
        let path = path
            .canonicalize()
            .map_err(|error| Problem::could_not_run(format!("{}: {error}", escaped(&path.to_string_lossy()))))?;
        Ok(Saved { path, trace })
    }

    pub fn test(&self) -> &str {
        &self.trace.test
    }

    pub fn is_of(&self, executable: &Executable, test: &str) -> bool {
        let trace = &self.trace;
        trace.test == test && trace.package == executable.package.name && same_target(&trace.target, &executable.target)
    }

    pub fn events(&self) -> usize {
        self.trace.events.len()
    }
}

/// Builds the executables that traces need, each once.
pub struct Builds<'a> {
    options: &'a Build,
    projects: Vec<(PathBuf, Project)>,
    built: Vec<Executable>,
}

impl<'a> Builds<'a> {
    pub fn new(options: &'a Build) -> Self {
        Builds { options, projects: Vec::new(), built: Vec::new() }
    }

    /// The executable that holds the trace's test.
    pub fn executable_of(&mut self, saved: &Saved) -> Result<Executable, Problem> {
        let (path, trace) = (output::shown(&saved.path), &saved.trace);
        let [test, target_of_trace] = [&trace.test, &trace.target].map(|name| escaped(name));
        let (project, package) = self.package_of(saved)?;
        let Some(target) = package.targets.iter().find(|target| same_target(target, &trace.target)) else {
            let near = near(&trace.target, package.targets.iter().map(String::as_str));
            return Err(Problem::could_not_run(format!(
                "{path}: package {} has no target {target_of_trace}; it may have been renamed{near}",
                package.name,
            )));
        };
        let executable = self.built(&project, &package, target)?;
        if !executable.tests.iter().any(|test| test.name == trace.test) {
            let near = near(&trace.test, executable.tests.iter().map(|test| test.name.as_str()));
            return Err(Problem::could_not_run(format!(
                "{path}: no test {test} in {target} of package {}; it may have been renamed{near}",
                package.name,
            )));
        }
        Ok(executable)
    }

    /// The trace's package, in the project around the trace or in the project of the current directory.
    fn package_of(&mut self, saved: &Saved) -> Result<(Project, cargo::Package), Problem> {
        let name = &saved.trace.package;
        let mut why = Vec::new();
        for project in self.projects_for(saved) {
            match project {
                Err(problem) => why.push(problem.message),
                Ok(project) => match project.packages.iter().find(|package| package.name == *name) {
                    Some(package) => return Ok((project.clone(), package.clone())),
                    None => {
                        let near = near(name, project.packages.iter().map(|package| package.name.as_str()));
                        why.push(format!("no package {} in {}{near}", escaped(name), output::shown(&project.dir)));
                    }
                },
            }
        }
        why.dedup();
        let path = output::shown(&saved.path);
        Err(Problem::could_not_run(format!("{path}: cannot find its package: {}", why.join("; "))))
    }

    fn projects_for(&mut self, saved: &Saved) -> Vec<Result<Project, Problem>> {
        if self.options.manifest_path.is_some() {
            return vec![cargo::project_here(self.options)];
        }
        let beside = saved.path.parent().unwrap_or(Path::new("/"));
        vec![self.project_above(beside), self.project_above(Path::new("."))]
    }

    fn project_above(&mut self, dir: &Path) -> Result<Project, Problem> {
        if let Some((_, project)) = self.projects.iter().find(|(known, _)| known == dir) {
            return Ok(project.clone());
        }
        let project = cargo::project_above(dir)?;
        self.projects.push((dir.to_owned(), project.clone()));
        Ok(project)
    }

    fn built(&mut self, project: &Project, package: &cargo::Package, target: &str) -> Result<Executable, Problem> {
        let known = |built: &&Executable| built.package.dir == package.dir && built.target == target;
        if let Some(executable) = self.built.iter().find(known) {
            return Ok(executable.clone());
        }
        let built = cargo::build(project, self.options, Selection::Target { package: &package.name, target })?;
        let Some(executable) = built.iter().find(known) else {
            let message = format!("{target} of package {} has no #[refrain::test] any more", package.name);
            return Err(Problem::could_not_run(message));
        };
        self.built.push(executable.clone());
        Ok(executable.clone())
    }
}

/// Compares names as rustc does, which turns `-` into `_`.
fn same_target(a: &str, b: &str) -> bool {
    a.replace('-', "_") == b.replace('-', "_")
}

/// `; similar names: a, b`, or nothing.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = refrain_core::near::near(name, known);
    if near.is_empty() { String::new() } else { format!("; similar names: {}", near.join(", ")) }
}
