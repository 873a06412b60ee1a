//! Anchors: where in the source the holds of a plan are, and where these places are after edits.

use crate::{anchor::Anchor, package, place::Place, plan::Plan, sources, test::Test};
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

/// Returns the plan with its holds moved to where their places are now, in dependencies of other versions, too. A place that is
/// not found stays unchanged.
pub(crate) fn found(test: &Test, plan: &Plan, anchors: &[Anchor]) -> Plan {
    let mut plan = plan.clone();
    for hold in &mut plan.holds {
        let Ok(place) = hold.place.parse::<Place>() else { continue };
        let anchor = anchors.iter().find(|anchor| anchor.file == place.file && anchor.line == place.line);
        let file = sources::current().with_version_of_now(&place.file).unwrap_or(place.file);
        let line = anchor.and_then(|anchor| anchor.find(&source(test, &file)?)).unwrap_or(place.line);
        hold.place = Place { file, line }.to_string();
    }
    plan
}

/// Reads a source file: of the workspace, relative to which it is named, or of a dependency.
fn source(test: &Test, file: &str) -> Option<String> {
    let package = package::folder(test).ok()?;
    let folders = package.ancestors().map(|folder| folder.join(file));
    let paths: Vec<PathBuf> = folders.filter(|path| path.is_file()).collect();
    let path = paths.last().cloned().or_else(|| sources::current().find(file))?;
    fs::read_to_string(path).ok()
}
