//! `cargo refrain model`: writes a model from a saved trace of a simulation.

use crate::{
    args::Model,
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_core::{bridge, escape::escaped};
use refrain_report as report;
use refrain_report::{Core, Message};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

pub fn model(args: &Model) -> Result<Exit, Problem> {
    let Saved { trace, .. } = Saved::read(&args.trace)?;
    let operations = bridge::operations(&trace).map_err(|why| about(&args.trace, why))?;
    let core = fs::canonicalize(&args.core).map_err(|error| about(&args.core, error))?;
    let folder = match args.output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).map_err(|error| about(folder, error))?;
    let file = pathdiff::diff_paths(&core, &folder).unwrap_or(core);
    let file = file
        .to_str()
        .ok_or_else(|| about(&file, "the path is not UTF-8, so `#[path]` cannot name it: rename the file"))?;
    let core = Core { file, name: &args.name, expect: args.expect };
    let source = report::model(&operations, &trace, core);
    // An existing file is never overwritten.
    let written = OpenOptions::new().write(true).create_new(true).open(&args.output);
    written.and_then(|mut file| file.write_all(source.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => about(&args.output, "the file exists: remove it, or name another one"),
        _ => about(&args.output, error),
    })?;
    let test = report::shell_word(args.output.file_stem().unwrap_or_default().as_ref());
    let output = output::shown(&args.output);
    let message = Message::Written { path: output.clone() };
    output::tell(&message, || format!("written {output}; run it with `cargo test --test {test}`\n"));
    Ok(Exit::Passed)
}

fn about(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::could_not_run(format!("{}: {why}", escaped(&path.to_string_lossy())))
}
