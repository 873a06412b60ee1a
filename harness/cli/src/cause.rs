//! `cargo refrain cause`: finds the event after which a saved failure was inevitable.

use crate::{
    args::Cause,
    exit::{Exit, Problem},
    output::{self, ProgressLine},
    saved::{Builds, Saved},
    session,
};
use refrain_core::{
    escape::escaped,
    protocol::{Outcome, Request},
};
use refrain_report as report;
use std::num::NonZeroUsize;

pub fn cause(args: &Cause) -> Result<Exit, Problem> {
    let saved = Saved::read(&args.trace)?;
    let mut builds = Builds::new(&args.build);
    let executable = builds.executable_of(&saved)?;
    let request = Request::Cause { trace: saved.path.clone(), jobs: args.jobs.map(NonZeroUsize::get) };
    let mut line = ProgressLine::new(&escaped(saved.test()));
    let outcome = session::ask(&executable, saved.test(), &request, |progress| line.update(progress))?;
    drop(line);
    let Outcome::Caused(found) = outcome else {
        return Err(session::unexpected(saved.test(), "a cause", &outcome));
    };
    let trace = output::shown(&saved.path);
    output::tell(&report::cause_found(trace.clone(), saved.test(), &found), || {
        format!("{trace}  {}\n{}", escaped(saved.test()), report::inevitable(&found, output::style()))
    });
    Ok(Exit::Passed)
}
