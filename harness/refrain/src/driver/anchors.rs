//! Where in the source the holds of a plan are, and where these places are today.

use crate::{anchor::Anchor, package, place::Place, plan::Plan, test::Test};
use std::{fs, path::PathBuf};

/// The anchors of a plan's holds, as far as the sources are there.
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

/// The plan with its holds where their places are today. A place that is not found stays as it is.
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

/// A source file. The compiler names it from the folder of the workspace, in which it works, or by its whole path.
fn source(test: &Test, file: &str) -> Option<String> {
    let package = package::folder(test).ok()?;
    let folders = package.ancestors().map(|folder| folder.join(file));
    let paths: Vec<PathBuf> = folders.filter(|path| path.is_file()).collect();
    fs::read_to_string(paths.last()?).ok()
}
