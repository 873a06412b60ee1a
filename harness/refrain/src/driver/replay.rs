//! Replays: executes a saved plan again and compares the failure with the saved one.

use super::{
    anchors,
    record::{place_of, record, record_twice},
    save,
};
use crate::{
    engine::{Refusal, Workers, unexpected},
    event::Event,
    graph::{Change, changes},
    job::{Answer, Job, Ran, Source},
    plan::Plan,
    protocol::{Difference, Replay},
    sources,
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

/// Replays a trace and lets it stop for a debugger before an event.
pub(crate) fn debug(test: &Test, pool: &mut Pool, trace: &Trace, at: usize) -> Result<Replay, Refusal> {
    let plan = Box::new(anchors::found(test, &trace.plan, &trace.anchors));
    let now = match pool.ask(&Job::Debug { plan, at })? {
        Answer::Ran(ran) => *ran,
        Answer::Refused(why) => return Err(why),
        _ => return Err(unexpected()),
    };
    let events = now.left_out + now.events.len();
    if at >= events {
        return Ok(Replay::Ended { events, failure: now.verdict.failure().cloned() });
    }
    Ok(compare(trace, &now, None))
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
    let (saved_event, now_event) = (trace.events.get(event), now.events.get(event));
    Difference {
        event: event + trace.left_out,
        saved: saved_event.cloned(),
        now: now_event.cloned(),
        builds: (trace.build.clone(), Build::this()),
        packages: changed_packages(trace, [saved_event, now_event]),
        not_triggered: now.not_triggered.clone(),
        nearby,
    }
}

/// Returns the dependencies of which there are other versions now, first the one that these events are in.
fn changed_packages(trace: &Trace, events: [Option<&Event>; 2]) -> Vec<Change> {
    let now = sources::current().needed_by(&trace.package);
    // A trace of an earlier version of refrain does not say, and without a Cargo.lock nobody knows.
    if trace.packages.is_empty() || now.is_empty() {
        return vec![];
    }
    let files: Vec<String> = events.into_iter().flatten().filter_map(place_of).map(|place| place.file).collect();
    let is_there = |change: &Change| {
        files.iter().filter_map(|file| sources::parts(file)).any(|(package, ..)| package == change.name)
    };
    let mut changes = changes(&trace.packages, &now);
    changes.sort_by_key(|change| !is_there(change));
    changes
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
