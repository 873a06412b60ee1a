//! `cargo refrain cause`: finds the event after which a saved failure was inevitable.

use crate::{
    args::{Cause, CauseForm},
    exit::{Exit, Problem},
    output::{self, ProgressLine},
    saved::{Builds, Saved},
    session, show,
};
use refrain_core::{
    escape::escaped,
    protocol::{Inevitable, Outcome, Request},
};
use refrain_report::{self as report, Filter, View};
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
    if output::is_for_programs() {
        output::tell(&report::cause_found(output::shown(&saved.path), saved.test(), &found), String::new);
    }
    if !output::is_for_programs() || args.output.is_some() {
        show::write(formatted(args, &saved, &found)?.as_bytes(), args.output.as_deref())?;
    }
    Ok(Exit::Passed)
}

fn formatted(args: &Cause, saved: &Saved, found: &Inevitable) -> Result<String, Problem> {
    let trace = output::shown(&saved.path);
    Ok(match args.format {
        CauseForm::Text => {
            let curve = report::inevitable(found, show::style(args.output.as_deref()));
            format!("{trace}  {}\n{curve}", escaped(saved.test()))
        }
        CauseForm::Json => report::inevitable_json(found),
        CauseForm::Html => {
            let view = View::new(&saved.trace, &Filter::default());
            let page = report::inevitable_page(&saved.trace, view, found);
            page.map_err(|why| Problem::could_not_run(format!("{trace}: {why}")))?
        }
    })
}
