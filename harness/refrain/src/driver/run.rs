//! Executes one run and returns all of it, perhaps with the passing run that goes the same way for the longest.

use super::{record::record, save};
use crate::{
    engine::{ProgressSink, Refusal},
    job::{Ran, Source},
    plan::Plan,
    protocol::{Beside, Compared, Decisions, Doing, Progress, Run},
    test::Test,
    trace::first_difference,
    verdict::Verdict,
    worker::Pool,
};
use std::time::{Duration, Instant};

/// How many other plans are executed to find one that passes, and for how long.
const TRIED_MAX: usize = 200;
const TRIED_FOR: Duration = Duration::from_secs(10);

/// Executes a run, and the one with which it is to be compared.
pub(crate) fn run(
    test: &Test,
    pool: &mut Pool,
    decisions: Decisions,
    beside: Option<Beside>,
    sink: ProgressSink<'_>,
) -> Result<Compared, Refusal> {
    let ran = record(pool, source(test, decisions)?, None)?;
    let (other, tried) = match beside {
        None => (None, 0),
        Some(Beside::Plan(plan)) => (Some(record(pool, Source::Plan(plan), None)?), 0),
        Some(Beside::NearestPassing) if ran.verdict == Verdict::Passed => (None, 0),
        Some(Beside::NearestPassing) => nearest_passing(test, pool, &ran, sink)?,
    };
    Ok(Compared { run: all_of(test, ran), other: other.map(|other| all_of(test, other)), tried })
}

fn source(test: &Test, decisions: Decisions) -> Result<Source, Refusal> {
    Ok(match decisions {
        Decisions::FaultFree(seed) => test.engine.fault_free(seed).unwrap_or(Source::Seed(seed)),
        Decisions::Seed(_) if test.engine.fault_free(0).is_none() => {
            return Err(
                "a model draws nothing from a seed: give it a plan, as `cargo refrain show --plan TRACE` prints one"
                    .into(),
            );
        }
        Decisions::Seed(seed) => Source::Seed(seed),
        Decisions::Plan(plan) => Source::Plan(plan),
    })
}

/// Looks for the passing run that has the most events in common with a failing one. Returns how many were executed, too.
fn nearest_passing(
    test: &Test,
    pool: &mut Pool,
    failing: &Ran,
    sink: ProgressSink<'_>,
) -> Result<(Option<Ran>, u64), Refusal> {
    let (started, mut tried) = (Instant::now(), 0);
    let mut nearest: Option<(usize, Ran)> = None;
    for plan in test.engine.lesser(&failing.plan, TRIED_MAX) {
        if sink.stops() || started.elapsed() >= TRIED_FOR {
            break;
        }
        tried += 1;
        sink.report(Progress { doing: Doing::Exploring, runs: tried, of: None });
        let Some(ran) = passing(pool, plan) else { continue };
        let common = first_difference(&failing.events, &ran.events).unwrap_or(ran.events.len());
        if nearest.as_ref().is_none_or(|(most, _)| common > *most) {
            nearest = Some((common, ran));
        }
    }
    Ok((nearest.map(|(_, ran)| ran), tried))
}

/// Executes a plan and returns its run if it passes. A changed plan may be none of the test.
fn passing(pool: &mut Pool, plan: Plan) -> Option<Ran> {
    let ran = record(pool, Source::Plan(Box::new(plan)), None).ok()?;
    (ran.verdict == Verdict::Passed).then_some(ran)
}

fn all_of(test: &Test, ran: Ran) -> Run {
    Run {
        test: test.name().to_owned(),
        package: test.package.to_owned(),
        digest: save::digest(&ran),
        plan: ran.plan,
        verdict: ran.verdict,
        left_out: ran.left_out,
        events: ran.events,
        sockets: ran.sockets,
        not_triggered: ran.not_triggered,
        printed: ran.printed,
    }
    .within_limits()
}
