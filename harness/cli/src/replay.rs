//! `cargo refrain replay`: runs saved plans again.

use crate::{
    args::Replay,
    exit::{Exit, Problem},
    output::{self, Working},
    saved::{Builds, Saved},
    session,
};
use refrain_core::{
    escape::escaped,
    protocol::{self, Outcome, Request},
};
use refrain_report as report;

pub fn replay(asked: &Replay) -> Result<Exit, Problem> {
    if asked.until.is_some() && asked.traces.len() > 1 {
        let message = "--until stops one run: give it one trace".into();
        return Err(Problem { exit: Exit::Usage, message });
    }
    let mut builds = Builds::new(&asked.build);
    let mut worst = Exit::Passed;
    for trace in &asked.traces {
        let replayed = Saved::read(trace).and_then(|saved| replay_one(&saved, asked.until, &mut builds));
        worst = worst.max(replayed.unwrap_or_else(|problem| output::complain(&problem)));
        if crate::interrupt::asked() > 0 {
            return Err(Problem::could_not_run("interrupted"));
        }
    }
    Ok(worst)
}

fn replay_one(saved: &Saved, until: Option<usize>, builds: &mut Builds<'_>) -> Result<Exit, Problem> {
    let executable = builds.executable_of(saved)?;
    let request = Request::Replay { trace: saved.path.clone(), until };
    let mut working = Working::on(&escaped(saved.test()));
    let outcome = session::ask(&executable, saved.test(), &request, |progress| working.tell(progress))?;
    drop(working);
    let Outcome::Replayed(replay) = outcome else {
        return Err(session::unexpected(saved.test(), "a replay", &outcome));
    };
    output::say(&format!("{}  {}", output::shown(&saved.path), escaped(saved.test())));
    output::say(&report::replay(&replay, output::style()));
    Ok(match replay {
        protocol::Replay::Reproduced { .. } => Exit::Failed,
        protocol::Replay::Differs { .. } => Exit::Differs,
        protocol::Replay::PassesNow { .. } | protocol::Replay::Stopped { .. } => Exit::Passed,
    })
}
