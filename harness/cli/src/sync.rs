//! `cargo refrain sync`: makes `.refrain/` again, as Cargo.lock says.

use crate::{
    args::Sync,
    cargo,
    exit::{Exit, Problem},
    graph::{self, workspace},
    init::lock_graph,
    output,
};
use refrain_core::graph::FOLDER;

pub fn sync(args: &Sync) -> Result<Exit, Problem> {
    let project = cargo::project_of(args.manifest_path.as_deref())?;
    let clone = workspace::clone_of(&project.root)?;
    if !workspace::is_patched(&project.root)? {
        return Err(Problem::could_not_run(
            "this workspace does not patch tokio: `cargo refrain init` makes all that is needed",
        ));
    }
    let made = graph::make(&project.root, &workspace::models_of(&project.root)?, clone.as_deref())?;
    lock_graph(&project.root, &made.tokio)?;
    let what = if made.changed { "made from" } else { "is of" };
    output::print(&format!("{FOLDER}/ {what} tokio {}, as Cargo.lock says", made.tokio));
    Ok(Exit::Passed)
}
