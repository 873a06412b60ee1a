//! `cargo refrain shrink`: looks for a smaller plan that fails in the same way.

use crate::{
    args::Shrink,
    exit::{Exit, Problem},
    output::{self, ProgressLine},
    saved::{Builds, Saved},
    session,
};
use refrain_core::{
    escape::escaped,
    plan::{DisplayDuration, Plan},
    protocol::{Outcome, Request, Shrunk},
};
use refrain_report as report;
use refrain_report::{Message, counted, plan_summary};
use std::{num::NonZeroUsize, time::Duration};

const NS_PER_MS: u64 = 1_000_000;

pub fn shrink(args: &Shrink) -> Result<Exit, Problem> {
    let saved = Saved::read(&args.trace)?;
    let mut builds = Builds::new(&args.build);
    let executable = builds.executable_of(&saved)?;
    let request = Request::Shrink { trace: saved.path.clone(), jobs: args.jobs.map(NonZeroUsize::get) };
    let mut line = ProgressLine::new(&escaped(saved.test()));
    let outcome = session::ask(&executable, saved.test(), &request, |progress| line.update(progress))?;
    drop(line);
    match outcome {
        Outcome::Shrunk(shrunk) => {
            let message = Message::Shrunk {
                trace: output::shown(&saved.path),
                test: escaped(saved.test()),
                before: report::sentences(&shrunk.before),
                after: report::sentences(&shrunk.after),
                data: &shrunk,
            };
            output::tell(&message, || text(&saved, &shrunk));
        }
        other => return Err(session::unexpected(saved.test(), "a smaller plan", &other)),
    }
    Ok(Exit::Passed)
}

fn text(saved: &Saved, shrunk: &Shrunk) -> String {
    let Shrunk { before, after, events, .. } = shrunk;
    let runs = counted(shrunk.runs, "runs");
    let seconds = shrunk.took_ms as f64 / 1000.0;
    let mut end =
        if shrunk.interrupted { "interrupted: this is the smallest so far" } else { "nothing more can be removed" }
            .to_owned();
    if let Some(fewest) = &shrunk.fewest {
        end = format!("{end}; {}", report::fewest(fewest));
    }
    let size = size(after, *events, shrunk.ends_at.1);
    let Some(mut saved_at) = shrunk.saved.clone() else {
        return format!("as small as before: {size} ({runs}, {seconds:.1} s; {end})");
    };
    if let Some(path) = saved_at.path_mut() {
        *path = output::from_here(path);
    }
    let before = self::size(before, saved.events(), shrunk.ends_at.0);
    let saved = report::saved(&saved_at, after, "", output::style());
    format!("shrunk in {runs}, {seconds:.1} s; {end}\n  before {before}\n  after  {size}\n{saved}")
}

/// `2 faults, 1 query, 31 events, 4.2 s of virtual time`; a model has no time.
fn size(plan: &Plan, events: usize, ends_at: u64) -> String {
    let summary = plan_summary(plan, events);
    match ends_at / NS_PER_MS {
        0 => summary,
        ms => format!("{summary}, {} of virtual time", DisplayDuration(Duration::from_millis(ms))),
    }
}
