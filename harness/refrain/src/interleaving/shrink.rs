//! Looks for a plan of a model that fails in the same way with fewer preemptions.
//!
//! What was sampled loses the deviations that it does not need; then the exhaustive search looks for the same failure
//! with no preemption, with one, and so on, up to as many as the plan has.

use super::{budget::Budget, exhaust, explore::is_possible, model::Model};
use crate::{
    engine::{Limit, ProgressSink, Refusal, Smaller, Trials},
    job::Job,
    plan::{Deviation, Plan, Threads},
    shrink::minimize::ddmin,
};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// How long the exhaustive search may look for one number of preemptions, if nothing else says.
const LOOK: Duration = Duration::from_secs(10);

/// Shrinks a plan.
pub(super) fn shrink(model: &Model, mut trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
    let mut best = plan.clone();
    let mut interrupted = fewer_deviations(&mut trials, &mut best);
    if model.searcher != Some("shuttle") && model.preemptions.is_none() {
        interrupted |= fewer_preemptions(&mut trials, &mut best)?;
    }
    trials.end(best, interrupted)
}

/// Removes deviations that the failure does not need; whether it was interrupted.
fn fewer_deviations(trials: &mut Trials<'_>, best: &mut Plan) -> bool {
    let Some(Threads::Deviations(deviations)) = best.threads.clone() else { return false };
    let minimum = ddmin(deviations, &mut |deviations| {
        let found = trials.ask(&Job::Try(of(deviations)), best)?;
        let fails = found.is_some();
        if let Some(found) = found {
            *best = found.plan;
        }
        ControlFlow::Continue(fails)
    });
    minimum.interrupted
}

/// Searches for the same failure with fewer and fewer preemptions; whether it was interrupted.
fn fewer_preemptions(trials: &mut Trials<'_>, best: &mut Plan) -> Result<bool, Refusal> {
    let (preemptions, mut total_order) = match best.threads.as_ref() {
        Some(Threads::Choices { choices: _, total_order }) => (preemptions(best), *total_order),
        // It is found again with as many, so that it is told in full.
        _ => (preemptions(best) + 1, false),
    };
    let mut bound = 0;
    while bound < preemptions.min(usize::from(u8::MAX)) {
        if trials.go_on().is_break() {
            return Ok(true);
        }
        let started = Instant::now();
        let end = trials.deadline.map_or(started + LOOK, |deadline| deadline.min(started + LOOK));
        let budget = Budget::new(Limit::Time(end), ProgressSink { progress: &|_| {}, ..trials.sink }, started);
        let part = exhaust::exhaust(trials.workers, Some(bound as u8), total_order, budget.up_to(1.0))?;
        trials.runs += part.searched.executions;
        if let Some(found) = part.failed
            && let ControlFlow::Continue(Some(found)) = trials.ask(&Job::Try(found), best)
        {
            if is_possible(trials.workers, &found.plan, &trials.signature)? {
                *best = found.plan;
                break;
            }
            // Once more, without what is impossible.
            total_order = true;
            continue;
        }
        bound += 1;
    }
    Ok(false)
}

fn of(deviations: &[Deviation]) -> Plan {
    Plan { threads: Some(Threads::Deviations(deviations.to_vec())), ..Plan::default() }
}

fn preemptions(plan: &Plan) -> usize {
    plan.threads.as_ref().map_or(0, Threads::preemptions)
}
