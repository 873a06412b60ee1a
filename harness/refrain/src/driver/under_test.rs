//! Under `cargo test`: replays the test's traces, explores a fixed number of runs from a fixed seed, saves and reports.

use super::{
    outcome::{self, Snapshot},
    pages, pool,
    record::{record, record_twice},
    replay, save,
};
use crate::{
    engine::{Explored, Found, Limit, ProgressSink, Refusal, Smaller, Trials},
    job::{Ran, Source},
    package,
    plan::Plan,
    protocol::{Caught, Exploration, Machine, Replay, SavedAt},
    report::{self, Standing, Style, standing},
    seed::seed_of,
    test::Test,
    verdict::{Class, Failure, Verdict},
    worker::Pool,
};
use refrain_core::graph;
use std::{
    path::PathBuf,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

/// The time limit for shrinking a failure before the test reports it.
pub(crate) const SHRINK: Duration = Duration::from_secs(10);

/// Runs the test under `cargo test`.
#[track_caller]
pub(crate) fn run(test: &'static Test) -> Vec<Snapshot> {
    match all(test) {
        Ok((report, snapshots)) => {
            println!("{report}");
            snapshots
        }
        Err(report) => panic!("{report}"),
    }
}

fn all(test: &'static Test) -> Result<(String, Vec<Snapshot>), String> {
    check_graph(test)?;
    let mut pool = pool(test, None);
    let mut snapshots = vec![];
    let saved = replay_saved(test, &mut pool)?;
    if test.snapshot
        && let Some(source) = test.engine.fault_free(base(test))
    {
        let fault_free = record(&mut pool, source, None)?;
        snapshots.push(outcome::outcome(test, &fault_free)?);
    }
    if test.snapshot {
        for (path, run) in &saved {
            snapshots.extend(outcome::of_replay(test, path, run)?);
        }
    }
    let sink = ProgressSink { stop: &AtomicBool::new(false), progress: &|_| {} };
    let explored = exploration(test, &mut pool, base(test), Limit::Runs(test.runs), sink)?;
    let style = Style::default();
    let machine = report::machine(explored.machine);
    let report = format!(
        "{}\n{}{}{machine}",
        report::result(&explored, style),
        report::coverage(&explored.coverage, style),
        report::engines(&explored.engines, style)
    );
    match standing(&explored) {
        Standing::CaughtAsExpected(caught) if caught.saved.is_out_of_place() => {
            Ok((report + &report::caught(&from_here(test, caught), style), snapshots))
        }
        Standing::Passed | Standing::CaughtAsExpected(_) => Ok((report, snapshots)),
        Standing::Failed(caught) => {
            Err(format!("{}\n{}{machine}", test.name(), report::caught(&from_here(test, caught), style)))
        }
        Standing::Unreached => Err(format!("{}\n{}\n{report}", test.name(), report::unreached(&explored, style))),
        Standing::NotCaught(class) => Err(format!(
            "{}: expected a {class}, and {} runs from seed {} caught none: the harness no longer detects it, or the \
             seeded bug is fixed\n{machine}",
            test.name(),
            explored.runs,
            explored.seed
        )),
    }
}

/// Refuses to run if a tokio that is not simulated is in the graph.
fn check_graph(test: &Test) -> Result<(), Refusal> {
    let root = package::folder(test).ok().and_then(|folder| graph::root_above(&folder));
    root.map_or(Ok(()), |root| graph::check(&root))
}

/// Returns the failure with its path relative to the workspace root.
fn from_here(test: &Test, caught: &Caught) -> Caught {
    let mut caught = caught.clone();
    if let Some(path) = caught.saved.path_mut() {
        *path = save::shown(test, path);
    }
    caught.page = caught.page.map(|page| save::shown(test, &page));
    caught
}

/// Returns the seed from which `cargo test` explores: fixed, but different for each test.
fn base(test: &Test) -> u64 {
    test.name().bytes().fold(0, |seed, byte| seed_of(seed, u64::from(byte)))
}

/// Replays every saved trace and returns the runs that were executed. Traces of a seeded bug must reproduce; all others must
/// pass now.
fn replay_saved(test: &Test, pool: &mut Pool) -> Result<Vec<(PathBuf, Ran)>, Refusal> {
    let mut replayed = vec![];
    for (path, trace) in save::saved(test)? {
        let trace = trace?;
        let shown = save::shown(test, &path).display().to_string();
        let (replay, run) = replay::replay(test, pool, &trace)?;
        let hint = match (&replay, test.expect) {
            (Replay::Reproduced { .. }, Some(_)) | (Replay::PassesNow, None) => None,
            (Replay::Stale { .. }, _) => Some(
                "the trace no longer tests anything: edit its plan, or delete it and explore again, which saves a new one",
            ),
            (_, Some(_)) => Some(
                "a seeded bug's trace must be reproduced; if the seeded bug was changed on purpose, delete the trace and \
                 run the test again, which saves a new one",
            ),
            (Replay::Reproduced { .. }, None) => Some("the saved failure still happens"),
            (_, None) => Some("the plan fails in a different way than the saved run"),
        };
        if let Some(hint) = hint {
            let text = report::replay(&replay, Style::default());
            let page = run.verdict.failure().and_then(|failure| pages::write(&save::trace(test, &run, failure)));
            let page = page.map(|page| format!("\npage: {}", save::shown(test, &page).display())).unwrap_or_default();
            return Err(format!("{}\n{shown}: {text}{hint}\nreplay: cargo refrain replay {shown}{page}", test.name()));
        }
        replayed.push((path, run));
    }
    Ok(replayed)
}

/// Explores; records, shrinks and saves the first failure.
pub(crate) fn exploration(
    test: &'static Test,
    pool: &mut Pool,
    base: u64,
    until: Limit,
    sink: ProgressSink<'_>,
) -> Result<Exploration, Refusal> {
    let started = Instant::now();
    let mut first = None;
    let explored = test.engine.explore(pool, base, until, sink, &mut |workers| {
        // Repeated, to detect a test that is not a function of its seed before relying on it.
        let ran = record_twice(test, workers, Source::Seed(seed_of(base, 0)))?;
        show_printed("the first run", &ran);
        Ok(first.insert(ran).verdict == Verdict::Passed)
    });
    let first = match first {
        Some(first) => first,
        None => record_twice(test, pool, Source::Seed(seed_of(base, 0)))?,
    };
    let is_reliable = first.verdict.failure().is_none_or(|failure| failure.class != Class::Nondeterminism);
    let mut explored = if is_reliable { explored? } else { Explored::default() };
    let failing = match explored.found.take() {
        Some(Found { source, run }) => Some((record_twice(test, pool, source)?, run)),
        None if first.verdict == Verdict::Passed => None,
        None => {
            explored.runs += 1;
            explored.coverage.add(&first.coverage);
            Some((first, explored.runs))
        }
    };
    let caught = match failing {
        Some((ran, run)) => Some(catch(test, pool, ran, run, sink)?),
        None => None,
    };
    let is_whole = caught.is_none() && test.expect.is_none() && explored.runs >= test.runs;
    let unreached = if is_whole { explored.coverage.unreached() } else { vec![] };
    Ok(Exploration {
        seed: base,
        runs: explored.runs,
        took_ms: started.elapsed().as_millis() as u64,
        expect: test.expect,
        coverage: explored.coverage,
        engines: explored.engines,
        caught,
        machine: Machine { is_unguarded: test.engine.is_unguarded(), ..pool.machine() },
        unreached,
    })
}

/// Prints a run's output. libtest shows it if the test fails, or with `--nocapture`.
fn show_printed(which: &str, ran: &Ran) {
    if !ran.printed.is_empty() {
        println!("what {which} printed:\n{}", ran.printed.trim_end());
    }
}

/// Shrinks a failing run and saves it. One trace per seeded bug is enough.
fn catch(test: &'static Test, pool: &mut Pool, ran: Ran, run: u64, sink: ProgressSink<'_>) -> Result<Caught, Refusal> {
    let Verdict::Failed(failure) = ran.verdict.clone() else {
        return Err(format!(
            "run {run} failed while exploring and passed when repeated on its own (seed {}): {}",
            ran.plan.seed,
            test.engine.terms().passes_alone
        ));
    };
    test.engine.confirm(pool, &failure)?;
    let known = |(_, trace): &save::Saved| {
        trace.as_ref().is_ok_and(|t| t.failure.class == failure.class && t.failure.property == failure.property)
    };
    // If listing the traces fails, treat none as known rather than lose the failure.
    let traces = save::saved(test).unwrap_or_default();
    if test.expect == Some(failure.class)
        && let Some((path, _)) = traces.iter().find(|trace| known(trace))
    {
        let saved = SavedAt::Already(path.clone());
        return Ok(Caught { failure, plan: ran.plan, events: ran.events.len(), run, saved, page: None });
    }
    // Saved before shrinking, because this process may be killed meanwhile.
    let original = save::save_new(test, &traces, &save::trace(test, &ran, &failure));
    let (ran, failure) = match shrunk(test, pool, ran.plan.clone(), &failure, sink) {
        Ok(smaller) => smaller.unwrap_or((ran, failure)),
        Err(why) => {
            println!("the failure was not shrunk: {why}");
            (ran, failure)
        }
    };
    show_printed("the failing run", &ran);
    let trace = save::trace(test, &ran, &failure);
    let saved = save::save(test, &trace);
    save::discard(original, &saved);
    let page = if test.expect == Some(failure.class) { None } else { pages::write(&trace) };
    Ok(Caught { failure, plan: ran.plan, events: ran.events.len(), run, saved, page })
}

fn shrunk(
    test: &'static Test,
    pool: &mut Pool,
    plan: Plan,
    failure: &Failure,
    sink: ProgressSink<'_>,
) -> Result<Option<(Ran, Failure)>, Refusal> {
    if failure.class == Class::Nondeterminism {
        return Ok(None);
    }
    let smaller = shrunk_plan(test, pool, &plan, failure, Some(SHRINK), sink)?;
    let ran = record_twice(test, pool, Source::Plan(Box::new(smaller.plan)))?;
    match ran.verdict.clone() {
        Verdict::Failed(again) if again.signature() == failure.signature() => Ok(Some((ran, again))),
        _ => Ok(None),
    }
}

/// Looks for a smaller plan that fails in the same way, for at most `time` if given.
pub(crate) fn shrunk_plan(
    test: &Test,
    pool: &mut Pool,
    plan: &Plan,
    failure: &Failure,
    time: Option<Duration>,
    sink: ProgressSink<'_>,
) -> Result<Smaller, Refusal> {
    let deadline = time.map(|time| Instant::now() + time);
    test.engine.shrink(Trials::new(pool, failure.signature(), deadline, sink), plan)
}
