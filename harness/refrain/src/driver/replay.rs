//! Replays: runs a saved plan again and says whether it is the same run.

use super::{
    record::{record, record_twice},
    save,
};
use crate::{
    engine::Refusal,
    event::Event,
    job::{Ran, Source},
    protocol::Replay,
    report::{self, Style},
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
    let timeline = report::events(&now.events, 0, Style::default());
    Ok((Replay::Stopped { timeline, waits: now.waits }, now.printed))
}

fn compare(trace: &Trace, now: Ran) -> Replay {
    let failure = now.verdict.failure().cloned();
    if let Some(failure) = &failure
        && save::digest(&now) == trace.digest
        && is_same(failure, &trace.failure)
    {
        return Replay::Reproduced(failure.clone());
    }
    let first = trace::first_difference(&trace.events, &now.events);
    if now.verdict == Verdict::Passed {
        return Replay::PassesNow { never_began: now.never_began };
    }
    // Of these no two runs are the same run, so the same failure must do: what was read from outside is another each
    // time, and a run that had to be killed was killed at another event.
    let never_the_same = matches!(trace.failure.class, Class::Nondeterminism | Class::EndlessLoop);
    if never_the_same && failure.as_ref().is_some_and(|now| is_same(now, &trace.failure)) {
        return Replay::Reproduced(trace.failure.clone());
    }
    let event = first.unwrap_or(trace.events.len());
    let number = event + trace.left_out;
    let show = |events: &[Event]| {
        events.get(event).map(|event| report::events(std::slice::from_ref(event), number, Style::default()))
    };
    let mut note = note(trace);
    for what in &now.never_began {
        note += &format!("\nnever began: {what}");
    }
    Replay::Differs { failure, event: number, saved: show(&trace.events), now: show(&now.events), note }
}

/// Whether it is the same failure. The digest has the run; lines of the source may have moved since.
fn is_same(now: &Failure, saved: &Failure) -> bool {
    now.class == saved.class && now.property == saved.property
}

fn note(trace: &Trace) -> String {
    let (saved, this) = (&trace.build, Build::this());
    if *saved == this {
        return "the build is of the same kind as the one that saved it: the service has changed, or it reads something \
                from outside the simulation"
            .into();
    }
    format!(
        "saved by refrain {} on {} ({}), this is {} on {} ({})",
        saved.refrain, saved.platform, saved.profile, this.refrain, this.platform, this.profile
    )
}
