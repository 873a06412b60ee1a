//! The folder for the counters of source coverage of each kind of fault.

use crate::exit::Problem;
use refrain_core::escape::escaped;
use std::{
    fs, io,
    path::{self, Path, PathBuf},
};

/// The ending of what LLVM's runtime writes.
const ENDING: &str = "profraw";

/// Makes the folder, if there is none, and returns its absolute path.
pub fn folder(given: &Path) -> Result<PathBuf, Problem> {
    let shown = escaped(&given.to_string_lossy());
    if given.to_string_lossy().contains('%') {
        return Err(Problem::could_not_run(format!("LLVM takes the % in {shown} for a pattern: name another folder")));
    }
    let made = fs::create_dir_all(given).and_then(|()| path::absolute(given));
    let folder = made.map_err(|error| Problem::could_not_run(format!("cannot make the folder {shown}: {error}")))?;
    match count(&folder) {
        Ok(0) => Ok(folder),
        Ok(_) => Err(Problem::could_not_run(format!(
            "{shown} has .{ENDING} files, to which the new counters would be added: remove them, or name another folder"
        ))),
        Err(error) => Err(Problem::could_not_run(format!("cannot read {shown}: {error}"))),
    }
}

/// Checks that something was counted.
pub fn check(folder: &Path) -> Result<(), Problem> {
    if count(folder).is_ok_and(|count| count > 0) {
        return Ok(());
    }
    let shown = escaped(&folder.to_string_lossy());
    Err(Problem::could_not_run(format!(
        "no counters were written to {shown}: build the tests with RUSTFLAGS='--cfg madsim -Cinstrument-coverage'"
    )))
}

fn count(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        count += usize::from(entry?.path().extension().is_some_and(|ending| ending == ENDING));
    }
    Ok(count)
}
