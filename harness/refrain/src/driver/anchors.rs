//! Anchors: where in the source the holds of a plan are, and where these places are after edits.

use crate::{anchor::Anchor, package, place::Place, plan::Plan, test::Test};
use std::{fs, path::PathBuf};

/// Returns the anchors of a plan's holds, for the source files that can be read.
pub(crate) fn of(test: &Test, plan: &Plan) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = vec![];
    for place in plan.holds.iter().filter_map(|hold| hold.place.parse::<Place>().ok()) {
        let is_known = anchors.iter().any(|known| known.file == place.file && known.line == place.line);
        if !is_known && let Some(source) = source(test, &place.file) {
            anchors.extend(Anchor::of(&place.file, place.line, &source));
        }
    }
    anchors
}

/// Returns the plan with its holds moved to where their places are now. A place that is not found stays unchanged.
pub(crate) fn found(test: &Test, plan: &Plan, anchors: &[Anchor]) -> Plan {
    let mut plan = plan.clone();
    for hold in &mut plan.holds {
        let Ok(place) = hold.place.parse::<Place>() else { continue };
        let anchor = anchors.iter().find(|anchor| anchor.file == place.file && anchor.line == place.line);
        let line = anchor.and_then(|anchor| anchor.find(&source(test, &anchor.file)?));
        if let Some(line) = line {
            hold.place = Place { line, ..place }.to_string();
        }
    }
    plan
}

/// Reads a source file. The compiler names files relative to the workspace, where it runs, or by absolute path.
fn source(test: &Test, file: &str) -> Option<String> {
    let package = package::folder(test).ok()?;
    let folders = package.ancestors().map(|folder| folder.join(file));
    let paths: Vec<PathBuf> = folders.filter(|path| path.is_file()).collect();
    fs::read_to_string(paths.last()?).ok()
}
