//! Writes a page that shows a failing run, in the target directory: it can be made again from the trace.

use super::save;
use crate::{
    report::{Filter, View, page},
    trace::{self, Trace},
};
use std::{fs, path::PathBuf};

/// The directory of the pages in the target directory.
const PAGES: &str = "refrain-pages";

/// Writes the page of a run and returns its path. A failure is reported without one where it cannot be written.
pub(crate) fn write(trace: &Trace) -> Option<PathBuf> {
    let folder = save::target_directory()?.join(PAGES);
    fs::create_dir_all(&folder).ok()?;
    let path = folder.join(trace::file_name(&trace.test, &trace.plan, 1)).with_extension("html");
    fs::write(&path, page(&View::new(trace, &Filter::default()))).ok()?;
    Some(path)
}
