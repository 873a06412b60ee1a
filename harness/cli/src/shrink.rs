//! `cargo refrain shrink`: looks for a smaller plan that fails in the same way.

use crate::{
    args::Shrink,
    exit::{Exit, Problem},
    output::{self, Working},
    saved::{Builds, Saved},
    session,
};
use refrain_core::protocol::{Outcome, Request, Shrunk};
use refrain_report::{counted, plan_summary, shell_word};
use std::num::NonZeroUsize;

pub fn shrink(asked: &Shrink) -> Result<Exit, Problem> {
    let saved = Saved::read(&asked.trace)?;
    let mut builds = Builds::new(&asked.build);
    let executable = builds.executable_of(&saved)?;
    let request = Request::Shrink { trace: saved.path.clone(), jobs: asked.jobs.map(NonZeroUsize::get) };
    let mut working = Working::on(saved.test());
    let outcome = session::ask(&executable, saved.test(), &request, |progress| working.tell(progress))?;
    drop(working);
    match outcome {
        Outcome::Shrunk(shrunk) => output::say(&text(&saved, &shrunk)),
        other => return Err(session::unexpected(saved.test(), "a smaller plan", &other)),
    }
    Ok(Exit::Passed)
}

fn text(saved: &Saved, shrunk: &Shrunk) -> String {
    let trace = output::from_here(&saved.path);
    let runs = counted(shrunk.runs, "runs");
    let seconds = shrunk.took_ms as f64 / 1000.0;
    let end =
        if shrunk.interrupted { "interrupted: this is the smallest so far" } else { "nothing more can be removed" };
    if shrunk.before == shrunk.after {
        return format!(
            "as small as before: {} ({runs}, {seconds:.1} s; {end})",
            plan_summary(&shrunk.after, shrunk.events)
        );
    }
    format!(
        "shrunk in {runs}, {seconds:.1} s; {end}\n  before {}\n  after  {}\n  saved  {}\n  replay cargo refrain replay {}",
        plan_summary(&shrunk.before, saved.events()),
        plan_summary(&shrunk.after, shrunk.events),
        trace.display(),
        shell_word(&trace),
    )
}
