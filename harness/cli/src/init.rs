//! `cargo refrain init`: lets the tests of a tokio service simulate it with all its dependencies, or changes nothing.

use crate::{
    args::Init,
    cargo::{self, Project},
    exit::{Exit, Problem},
    graph::{
        self,
        workspace::{self, Edit},
    },
    interrupt,
    output::{self, shown},
};
use refrain_core::graph::FOLDER;
use std::{fs, path::Path};

pub fn init(args: &Init) -> Result<Exit, Problem> {
    // An interrupt ends cargo, or is seen when all is written. Either way nothing half done is left.
    let _answers_interrupts = interrupt::session();
    let project = cargo::project_of(args.manifest_path.as_deref())?;
    let clone = match &args.clone {
        Some(clone) => Some(clone_at(clone)?),
        None => workspace::clone_of(&project.root)?,
    };
    let models = match &args.models {
        Some(models) => models.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
        None => workspace::models_of(&project.root)?,
    };
    let locked = workspace::registry_tokio(&project.root)?;
    let had_folder = project.root.join(FOLDER).exists();
    let undone = |problem: Problem| {
        if !had_folder {
            let _ = fs::remove_dir_all(project.root.join(FOLDER));
        }
        problem
    };
    let made = graph::make(&project.root, &models, clone.as_deref()).map_err(undone)?;
    let edits = edits(&project, args, &made, &models, clone.as_deref()).map_err(undone)?;
    apply(&project.root, &edits, &made.tokio).map_err(undone)?;
    for edit in &edits {
        for done in &edit.done {
            output::print(&format!("{}: {done}", shown(&edit.path)));
        }
    }
    if let Some(old) = locked.filter(|old| *old != made.tokio) {
        output::print(&format!("Cargo.lock: tokio {old} -> {}, for refrain needs that", made.tokio));
    }
    if made.changed {
        output::print(&format!("{FOLDER}/: made from tokio {}", made.tokio));
    }
    if made.changed && !models.is_empty() {
        output::print(&format!("`#[refrain::model]` explores the locks and atomics of {}, too.", models.join(", ")));
    }
    if made.changed || edits.iter().any(|edit| !edit.done.is_empty()) {
        output::print(&format!(
            "Tests that `#[refrain::test]` makes are simulated, with every dependency that uses tokio inside. A new clone needs \
             `cargo refrain sync` before it builds: git ignores {FOLDER}/."
        ));
    } else {
        output::print(&format!("Nothing to do: tests are simulated already, with tokio {}.", made.tokio));
    }
    Ok(Exit::Passed)
}

fn clone_at(path: &Path) -> Result<std::path::PathBuf, Problem> {
    let problem = |why: String| Problem::could_not_run(format!("{} is no clone of refrain: {why}", shown(path)));
    let clone = path.canonicalize().map_err(|error| problem(error.to_string()))?;
    match clone.join("harness/refrain/Cargo.toml").is_file() {
        true => Ok(clone),
        false => Err(problem("it has no harness/refrain/Cargo.toml".into())),
    }
}

/// What changes in the user's files. Nothing is written yet.
fn edits(
    project: &Project,
    args: &Init,
    made: &graph::Made,
    models: &[String],
    clone: Option<&Path>,
) -> Result<Vec<Edit>, Problem> {
    let mut edits = vec![workspace::patch(&project.root, &made.patches, models, clone)?];
    if let Some(unknown) =
        args.package.iter().find(|name| !project.packages.iter().any(|package| package.name == **name))
    {
        return Err(Problem::could_not_run(format!("the workspace has no package {unknown}")));
    }
    for package in &project.packages {
        let is_chosen =
            if args.package.is_empty() { package.names_tokio } else { args.package.contains(&package.name) };
        if is_chosen {
            let manifest = package.dir.join("Cargo.toml");
            let own = match edits.iter().position(|edit| edit.path == manifest) {
                Some(at) => edits.remove(at),
                None => workspace::unchanged(manifest)?,
            };
            edits.push(workspace::dev_dependency(own)?);
        }
    }
    edits.push(workspace::config(&project.root)?);
    Ok(edits)
}

/// Writes them, lets cargo lock the graph, and looks whether the patch applies. On an error all is as before.
fn apply(root: &Path, edits: &[Edit], tokio: &str) -> Result<(), Problem> {
    let lock = root.join("Cargo.lock");
    let locked = fs::read(&lock).ok();
    let changed = edits.iter().filter(|edit| edit.before.as_deref().unwrap_or_default() != edit.after);
    let written =
        changed.clone().try_for_each(|edit| graph::write_if_other(&edit.path, edit.after.as_bytes()).map(drop));
    let applied = written.and_then(|()| lock_graph(root, tokio)).and_then(|()| match interrupt::count() {
        0 => Ok(()),
        _ => Err(Problem::could_not_run("interrupted: all is as it was before")),
    });
    if applied.is_err() {
        for edit in changed {
            let _ = match &edit.before {
                Some(before) => fs::write(&edit.path, before),
                // With its folder, if nothing else is in it.
                None => fs::remove_file(&edit.path).and_then(|()| edit.path.parent().map_or(Ok(()), fs::remove_dir)),
            };
        }
        let _ = match locked {
            Some(locked) => fs::write(&lock, locked),
            None => fs::remove_file(&lock),
        };
    }
    applied
}

/// Lets cargo write Cargo.lock anew, with this tokio, unless it is so already, and looks whether it is the only one.
pub fn lock_graph(root: &Path, tokio: &str) -> Result<(), Problem> {
    let old = || workspace::registry_tokio(root).map(|locked| locked.filter(|old| old != tokio));
    if old()?.is_some() || cargo::locked_metadata(root).is_none() {
        graph::may_be_written(&root.join("Cargo.lock"))?;
        lock(root, tokio)?;
        if let Some(old) = old()? {
            cargo::update(root, "tokio", &old, tokio)
                .map_err(|why| Problem::could_not_run(format!("cannot update tokio {old} to {tokio}: {why}")))?;
            lock(root, tokio)?;
        }
    }
    refrain_core::graph::check(root).map_err(Problem::could_not_run)
}

/// Lets cargo write Cargo.lock, or says why it does not accept the graph.
fn lock(root: &Path, tokio: &str) -> Result<(), Problem> {
    let graph = cargo::metadata(root).map(drop);
    graph.map_err(|why| {
        Problem::could_not_run(format!(
            "cargo does not accept the patched workspace: {why}\n\
             what the workspace requires of tokio has to accept {tokio}, as `tokio = \"1\"` does"
        ))
    })
}
