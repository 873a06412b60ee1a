//! `cargo refrain run`: executes one run of a test and shows it, whether it fails or not.

use crate::{
    args::{Form, Run},
    cargo::{self, Executable, Selection},
    exit::{Exit, Problem},
    output::{self, ProgressLine},
    saved, session, show,
};
use refrain_core::{
    escape::escaped,
    find::Found,
    plan::Plan,
    protocol::{Beside, Compared, Decisions, Outcome, Request},
    verdict::Verdict,
};
use refrain_report::{self as report, Message, View};
use std::{fs, path::Path};

/// The longest file that may be a plan.
const PLAN_BYTES_MAX: u64 = 4 << 20;
/// The seed of a run that is asked for without one.
const SEED: u64 = 0;

pub fn run(args: &Run) -> Result<Exit, Problem> {
    if args.diff.is_some() && !matches!(args.shown.format, Form::Text | Form::Json) {
        let message = "--diff has two forms, --format text and json: show each run in this one without it".into();
        return Err(Problem { exit: Exit::Usage, message });
    }
    let project = cargo::project_here(&args.build)?;
    let executables = cargo::build(&project, &args.build, Selection::Packages(&args.package))?;
    let (executable, test) = one(&executables, &args.test)?;
    let plan = |path: &Path| plan_of(path, executable, test).map(Box::new);
    let decisions = match (&args.plan, args.seed) {
        (Some(path), _) => Decisions::Plan(plan(path)?),
        (None, Some(seed)) => Decisions::Seed(seed),
        (None, None) => Decisions::FaultFree(SEED),
    };
    let beside = match &args.diff {
        None => None,
        Some(None) => Some(Beside::NearestPassing),
        Some(Some(path)) => Some(Beside::Plan(plan(path)?)),
    };
    let mut line = ProgressLine::new(&test.name);
    let request = Request::Run { decisions, beside };
    let outcome = session::ask(executable, &test.name, &request, |progress| line.update(progress))?;
    drop(line);
    let Outcome::Ran(compared) = outcome else {
        return Err(session::unexpected(&test.name, "a run", &outcome));
    };
    if output::is_for_programs() {
        tell(args, &compared);
    }
    if !output::is_for_programs() || args.shown.output.is_some() {
        show::write(&shown(args, &compared), args.shown.output.as_deref())?;
    }
    Ok(if compared.run.verdict == Verdict::Passed { Exit::Passed } else { Exit::Failed })
}

/// Programs get data, whatever the form.
fn tell(args: &Run, compared: &Compared) {
    let message = match args.diff {
        None => Message::Ran { run: Box::new(View::new(&compared.run, &show::filter(&args.shown.events))) },
        Some(_) => Message::Compared { parts_at: compared.parts_at(), data: compared },
    };
    output::tell(&message, String::new);
}

fn shown(args: &Run, compared: &Compared) -> Vec<u8> {
    let shown = &args.shown;
    let text = match (&args.diff, shown.format) {
        (None, Form::Text) => {
            report::ran(&compared.run, &show::filter(&shown.events), show::style(shown.output.as_deref()))
        }
        (None, _) => return show::formatted(&compared.run, shown),
        (Some(_), Form::Json) => report::compared_json(compared, &show::filter(&shown.events)),
        (Some(_), _) => report::compare(compared, show::style(shown.output.as_deref())),
    };
    text.into_bytes()
}

/// The test with this name or, if there is none, the only one whose name contains it.
fn one<'a>(executables: &'a [Executable], name: &str) -> Result<(&'a Executable, &'a Found), Problem> {
    let all: Vec<_> = executables.iter().flat_map(|exe| exe.tests.iter().map(move |test| (exe, test))).collect();
    let mut found: Vec<_> = all.iter().filter(|(_, test)| test.name == name).collect();
    if found.is_empty() {
        found = all.iter().filter(|(_, test)| test.name.contains(name)).collect();
    }
    match found[..] {
        [(executable, test)] => Ok((executable, test)),
        [] => {
            let near = saved::near(name, all.iter().map(|(_, test)| test.name.as_str()));
            Err(Problem::nothing_to_run(format!(
                "no refrain test matches {name:?}{near}; `cargo refrain list` names all"
            )))
        }
        _ => {
            let names = found.iter().map(|(exe, test)| format!("  {} {} {}", exe.package.name, exe.target, test.name));
            let names = names.collect::<Vec<_>>().join("\n");
            let message =
                format!("{name:?} may be one of these tests; give a whole name, and --package if needed:\n{names}");
            Err(Problem { exit: Exit::Usage, message })
        }
    }
}

/// The plan in a file: its sentences, or those of a trace, which must be one of this test.
fn plan_of(path: &Path, executable: &Executable, test: &Found) -> Result<Plan, Problem> {
    let shown = output::shown(path);
    let problem = |why: String| Problem::could_not_run(format!("{shown}: {why}"));
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        let saved = saved::Saved::read(path)?;
        if !saved.is_of(executable, &test.name) {
            let [of, package] = [&saved.trace.test, &saved.trace.package].map(|name| escaped(name));
            return Err(problem(format!(
                "is a trace of {of} in {package}, not of {}: run that test, or replay the trace",
                test.name
            )));
        }
        return Ok(saved.trace.plan);
    }
    let length = fs::metadata(path).map_err(|error| problem(error.to_string()))?.len();
    if length > PLAN_BYTES_MAX {
        return Err(problem(format!("is too long for a plan, which has at most {PLAN_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| problem(error.to_string()))?;
    text.trim_end().parse().map_err(|error| {
        problem(format!("{error}; `cargo refrain show --plan TRACE` prints a plan as it has to be written"))
    })
}
