//! `cargo refrain model`: writes a model from a saved trace of a simulation.

use crate::{
    args::Model,
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_core::bridge;
use refrain_report as report;
use refrain_report::Core;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Component, Path, PathBuf},
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
    let file = from(&folder, &core);
    let core = Core { file: &file.to_string_lossy(), name: &asked.name, expect: asked.expect.as_deref() };
    let source = report::model(&operations, &trace, core);
    // What somebody has written is not written over.
    let written = OpenOptions::new().write(true).create_new(true).open(&asked.output);
    written.and_then(|mut file| file.write_all(source.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => about(&asked.output, "there is such a file: remove it, or name another one"),
        _ => about(&asked.output, error),
    })?;
    let test = asked.output.file_stem().unwrap_or_default().to_string_lossy();
    output::say(&format!("written {}; run it with `cargo test --test {test}`\n", asked.output.display()));
    Ok(Exit::Passed)
}

fn about(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::could_not_run(format!("{}: {why}", path.display()))
}

/// The way from a folder to a file, both absolute.
fn from(folder: &Path, file: &Path) -> PathBuf {
    let (mut folder, mut file) = (folder.components().peekable(), file.components().peekable());
    while folder.peek().is_some() && folder.peek() == file.peek() {
        folder.next();
        file.next();
    }
    folder.map(|_| Component::ParentDir).chain(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_from_any_folder() {
        let way = |folder: &str, file: &str| from(Path::new(folder), Path::new(file)).display().to_string();
        assert_eq!(way("/a/tests", "/a/tests/historic/session.rs"), "historic/session.rs");
        assert_eq!(way("/a/tests", "/a/src/session/table.rs"), "../src/session/table.rs");
        assert_eq!(way("/a/tests", "/a/tests.rs"), "../tests.rs");
    }
}
