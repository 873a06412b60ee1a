//! `cargo refrain replay`: runs saved plans again.

use crate::{
    args::Replay,
    exit::{Exit, Problem},
    output::{self, ProgressLine},
    saved::{Builds, Saved},
    session,
};
use refrain_core::{
    escape::escaped,
    protocol::{self, Outcome, Request},
};
use refrain_report as report;

pub fn replay(args: &Replay) -> Result<Exit, Problem> {
    if (args.until.is_some() || args.debug) && args.traces.len() > 1 {
        let message = "--until and --debug stop one run: give it one trace".into();
        return Err(Problem { exit: Exit::Usage, message });
    }
    let mut builds = Builds::new(&args.build);
    let mut worst = Exit::Passed;
    for trace in &args.traces {
        let replayed = Saved::read(trace).and_then(|saved| replay_one(&saved, args, &mut builds));
        worst = worst.max(replayed.unwrap_or_else(|problem| output::print_error(&problem)));
        if crate::interrupt::count() > 0 {
            return Err(Problem::could_not_run("interrupted"));
        }
    }
    Ok(worst)
}

fn replay_one(saved: &Saved, args: &Replay, builds: &mut Builds<'_>) -> Result<Exit, Problem> {
    let executable = builds.executable_of(saved)?;
    let trace = saved.path.clone();
    let request = match args.debug {
        true => Request::Debug { trace, at: args.at.unwrap_or(0) },
        false => Request::Replay { trace, until: args.until },
    };
    let mut line = ProgressLine::new(&escaped(saved.test()));
    let outcome = session::ask(&executable, saved.test(), &request, |progress| line.update(progress))?;
    drop(line);
    let Outcome::Replayed(replay) = outcome else {
        return Err(session::unexpected(saved.test(), "a replay", &outcome));
    };
    let trace = output::shown(&saved.path);
    output::tell(&report::replayed(trace.clone(), saved.test(), &replay), || {
        format!("{trace}  {}\n{}", escaped(saved.test()), report::replay(&replay, output::style()))
    });
    Ok(match replay {
        protocol::Replay::Reproduced { .. } => Exit::Failed,
        protocol::Replay::Differs { .. } => Exit::Differs,
        protocol::Replay::Stale { .. } => Exit::Stale,
        protocol::Replay::PassesNow | protocol::Replay::Stopped { .. } | protocol::Replay::Ended { .. } => Exit::Passed,
    })
}
