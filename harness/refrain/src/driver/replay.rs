//! Replays: executes a saved plan again and compares the failure with the saved one.

use super::{
    anchors,
    record::{record, record_twice},
    save,
};
use crate::{
    engine::Refusal,
    job::{Ran, Source},
    plan::Plan,
    protocol::{Difference, Replay},
    test::Test,
    trace::{Build, Trace},
    verdict::{Class, Failure},
    worker::Pool,
};

/// Replays a trace and returns the result with the run that was executed. Nondeterminism takes two runs to detect.
///
/// After an edit of the service the same plan is a different run, and even an unrelated new task can change the order
/// of all others. So if a plan passes, nearby plans are tried before the failure counts as fixed.
pub(crate) fn replay(test: &Test, pool: &mut Pool, trace: &Trace) -> Result<(Replay, Ran), Refusal> {
    let plan = anchors::found(test, &trace.plan, &trace.anchors);
    let now = run(test, pool, trace, plan.clone())?;
    if now.verdict.failure().is_some() {
        return Ok((compare(trace, &now, None), now));
    }
    if !now.not_triggered.is_empty() {
        return Ok((Replay::Stale { not_triggered: now.not_triggered.clone() }, now));
    }
    for nearby in test.engine.nearby(&plan) {
        let now = run(test, pool, trace, nearby.clone())?;
        if now.verdict.failure().is_some_and(|failure| is_same(failure, &trace.failure)) {
            return Ok((compare(trace, &now, Some(nearby)), now));
        }
    }
    Ok((Replay::PassesNow, now))
}

fn run(test: &Test, pool: &mut Pool, trace: &Trace, plan: Plan) -> Result<Ran, Refusal> {
    let plan = Source::Plan(Box::new(plan));
    match trace.failure.class {
        Class::Nondeterminism => record_twice(test, pool, plan),
        _ => record(pool, plan, None),
    }
}

/// Replays a trace up to an event, and reports what every task waits for.
pub(crate) fn replay_until(
    test: &Test,
    pool: &mut Pool,
    trace: &Trace,
    until: usize,
) -> Result<(Replay, String), Refusal> {
    let plan = anchors::found(test, &trace.plan, &trace.anchors);
    let now = record(pool, Source::Plan(Box::new(plan)), Some(until))?;
    let printed = now.printed.clone();
    let replay = match now.waits {
        Some(waits) => Replay::Stopped { events: now.events, waits },
        None => {
            let events = now.left_out + now.events.len();
            Replay::Ended { events, failure: now.verdict.failure().cloned() }
        }
    };
    Ok((replay, printed))
}

/// Compares a failing run with the saved one.
fn compare(trace: &Trace, now: &Ran, nearby: Option<Plan>) -> Replay {
    let Some(failure) = now.verdict.failure().cloned() else { return Replay::PassesNow };
    if !is_same(&failure, &trace.failure) {
        return Replay::Differs { failure, from: Box::new(difference(trace, now, nearby)) };
    }
    if !makes_the_same_run(trace.failure.class) {
        return Replay::Reproduced { failure: trace.failure.clone(), saved_causes: None, diverges: None };
    }
    if save::digest(now) == trace.digest {
        let saved_causes = (failure.causes != trace.failure.causes).then(|| trace.failure.causes.clone());
        return Replay::Reproduced { failure, saved_causes, diverges: None };
    }
    let diverges = Some(Box::new(difference(trace, now, nearby)));
    Replay::Reproduced { failure, saved_causes: None, diverges }
}

fn difference(trace: &Trace, now: &Ran, nearby: Option<Plan>) -> Difference {
    let pairs = trace.events.iter().zip(&now.events);
    let event = pairs.take_while(|(saved, now)| saved.is_same_but_for_lines(now)).count();
    Difference {
        event: event + trace.left_out,
        saved: trace.events.get(event).cloned(),
        now: now.events.get(event).cloned(),
        builds: (trace.build.clone(), Build::this()),
        not_triggered: now.not_triggered.clone(),
        nearby,
    }
}

/// Returns whether all runs of a plan with a failure of this class are identical. External input differs each time, and a
/// run that had to be killed was killed at a different event.
pub(crate) fn makes_the_same_run(class: Class) -> bool {
    !matches!(class, Class::Nondeterminism | Class::EndlessLoop)
}

/// Returns whether the failures are the same. The digest compares the runs; source lines may have moved.
fn is_same(now: &Failure, saved: &Failure) -> bool {
    now.class == saved.class && now.property == saved.property
}
