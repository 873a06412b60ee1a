//! `cargo refrain model`: writes a model from a saved trace of a simulation.

use crate::{
    args::Model,
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_core::{bridge, escape::escaped};
use refrain_report as report;
use refrain_report::Core;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

pub fn model(asked: &Model) -> Result<Exit, Problem> {
    let Saved { trace, .. } = Saved::read(&asked.trace)?;
    let operations = bridge::operations(&trace).map_err(|why| about(&asked.trace, why))?;
    let core = fs::canonicalize(&asked.core).map_err(|error| about(&asked.core, error))?;
    let folder = match asked.output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).map_err(|error| about(folder, error))?;
    let file = pathdiff::diff_paths(&core, &folder).unwrap_or(core);
    let file = file.to_str().ok_or_else(|| about(&file, "is not UTF-8: no `#[path]` can name it"))?;
    let core = Core { file, name: &asked.name, expect: asked.expect };
    let source = report::model(&operations, &trace, core);
    // What somebody has written is not written over.
    let written = OpenOptions::new().write(true).create_new(true).open(&asked.output);
    written.and_then(|mut file| file.write_all(source.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => about(&asked.output, "there is such a file: remove it, or name another one"),
        _ => about(&asked.output, error),
    })?;
    let test = report::shell_word(asked.output.file_stem().unwrap_or_default().as_ref());
    let output = output::shown(&asked.output);
    output::say(&format!("written {output}; run it with `cargo test --test {test}`\n"));
    Ok(Exit::Passed)
}

fn about(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::could_not_run(format!("{}: {why}", escaped(&path.to_string_lossy())))
}
