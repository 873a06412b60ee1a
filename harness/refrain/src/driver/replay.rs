//! Replays: runs a saved plan again and says whether it is the same run.

use super::{
    record::{record, record_twice},
    save,
};
use crate::{
    engine::Refusal,
    job::{Ran, Source},
    protocol::Replay,
    test::Test,
    trace::{self, Build, Trace},
    verdict::{Class, Failure, Verdict},
    worker::Pool,
};

/// Replays a trace, and gives back what the run printed. That two runs of one plan differ is seen only in two runs.
pub(crate) fn replay(test: &Test, pool: &mut Pool, trace: &Trace) -> Result<(Replay, String), Refusal> {
    let plan = Source::Plan(Box::new(trace.plan.clone()));
    let now = match trace.failure.class {
        Class::Nondeterminism => record_twice(test, pool, plan)?,
        _ => record(pool, plan, None)?,
    };
    let printed = now.printed.clone();
    Ok((compare(trace, now), printed))
}

/// Replays a trace up to an event, and says what waits there.
pub(crate) fn replay_until(pool: &mut Pool, trace: Trace, until: usize) -> Result<(Replay, String), Refusal> {
    let now = record(pool, Source::Plan(Box::new(trace.plan.clone())), Some(until))?;
    Ok((Replay::Stopped { events: now.events, waits: now.waits }, now.printed))
}

fn compare(trace: &Trace, now: Ran) -> Replay {
    let failure = now.verdict.failure().cloned();
    if let Some(failure) = &failure
        && save::digest(&now) == trace.digest
        && is_same(failure, &trace.failure)
    {
        return reproduced(failure, &trace.failure);
    }
    let first = trace::first_difference(&trace.events, &now.events);
    if now.verdict == Verdict::Passed {
        return Replay::PassesNow { not_triggered: now.not_triggered };
    }
    // Of these no two runs are the same run, so the same failure must do: what was read from outside is another each
    // time, and a run that had to be killed was killed at another event.
    let never_the_same = matches!(trace.failure.class, Class::Nondeterminism | Class::EndlessLoop);
    if never_the_same && failure.as_ref().is_some_and(|now| is_same(now, &trace.failure)) {
        return Replay::Reproduced { failure: trace.failure.clone(), saved_causes: None };
    }
    let event = first.unwrap_or(trace.events.len());
    Replay::Differs {
        failure,
        event: event + trace.left_out,
        saved: trace.events.get(event).cloned(),
        now: now.events.get(event).cloned(),
        builds: (trace.build.clone(), Build::this()),
        not_triggered: now.not_triggered,
    }
}

/// The same run. What explains it may be another thing than what was saved: this build may look closer.
fn reproduced(now: &Failure, saved: &Failure) -> Replay {
    let saved_causes = (now.causes != saved.causes).then(|| saved.causes.clone());
    Replay::Reproduced { failure: now.clone(), saved_causes }
}

/// Whether it is the same failure. The digest has the run; lines of the source may have moved since.
fn is_same(now: &Failure, saved: &Failure) -> bool {
    now.class == saved.class && now.property == saved.property
}
