//! Looks for a plan that fails in the same way and is easier to understand: without old values, with fewer preemptions,
//! with fewer operations, in this order.
//!
//! A sampled plan loses the deviations that it does not need. Then two searches look for the same failure without
//! preemption, with one, and so on: one without old values and for any number of threads, and the exhaustive one.

use super::{budget::Budget, exhaust, explore::is_possible, model::Model, shuttle::PREEMPTIONS_MAX};
use crate::{
    engine::{Limit, ProgressSink, Refusal, Smaller, Trials, unexpected},
    job::{Answer, Job, Search, Source},
    plan::{Deviation, Plan, Threads},
    protocol::{Fewest, Sampler},
    shrink::minimize::ddmin,
    verdict::Cause,
};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// Default time limit of the exhaustive search per number of preemptions.
const LOOK: Duration = Duration::from_secs(10);

/// Maximum number of executions with few preemptions and without old values.
const FEW: u64 = 20_000;

/// Shrinks a plan.
pub(super) fn shrink(model: &Model, mut trials: Trials<'_>, plan: &Plan) -> Result<Smaller, Refusal> {
    let (mut best, mut fewest) = (plan.clone(), None);
    let mut interrupted = fewer_deviations(&mut trials, &mut best);
    let mut plans = vec![];
    if model.searcher != Some("loom") && model.preemptions.is_none() && trials.go_on().is_continue() {
        plans.extend(few_preemptions(&mut trials, &best, &mut fewest)?);
    }
    plans.push(best.clone());
    if model.searcher != Some("shuttle") && model.preemptions.is_none() {
        interrupted |= fewer_preemptions(&mut trials, &mut best)?;
        plans.push(best.clone());
    }
    // A single plan needs no comparison.
    if plans.iter().any(|plan| *plan != best) {
        best = simplest(&mut trials, plans, best)?;
    }
    Ok(Smaller { fewest, ..trials.end(best, interrupted)? })
}

/// Returns the plan that is easiest to understand, of those that fail in the same way.
fn simplest(trials: &mut Trials<'_>, plans: Vec<Plan>, best: Plan) -> Result<Plan, Refusal> {
    let mut ranked = vec![];
    for plan in plans {
        let job = Job::Record { source: Source::Plan(Box::new(plan)), until: None, locate: None };
        trials.runs += 1;
        let Answer::Ran(ran) = trials.workers.ask(&job)? else { continue };
        let Some(failure) = ran.verdict.failure().filter(|failure| failure.signature() == trials.signature) else {
            continue;
        };
        let reads_old = failure.causes.iter().any(|cause| matches!(cause, Cause::StaleRead(_)));
        // The exhaustive search logs everything that a thread does.
        let is_sampled = matches!(ran.plan.threads, Some(Threads::Deviations(_)));
        ranked.push(((reads_old, preemptions(&ran.plan), is_sampled, ran.events.len()), ran.plan));
    }
    let simplest = ranked.into_iter().min_by_key(|(rank, _)| *rank);
    Ok(simplest.map_or(best, |(_, plan)| plan))
}

/// Searches for the same failure with few preemptions and without old values.
fn few_preemptions(trials: &mut Trials<'_>, best: &Plan, fewest: &mut Option<Fewest>) -> Result<Option<Plan>, Refusal> {
    let search = Search::Sample { by: Sampler::Few, seed: 0, executions: FEW, turn: 0 };
    let Answer::Searched(searched) = trials.workers.ask(&Job::Search(search))? else { return Err(unexpected()) };
    trials.runs += searched.executions;
    let found = match searched.failed {
        Some(plan) => trials.ask(&Job::Try(plan), best).continue_value().flatten().map(|found| found.plan),
        None => None,
    };
    *fewest = match &found {
        Some(plan) => Some(Fewest::Needed(preemptions(plan))),
        None if searched.limit.is_none() && searched.executions > 0 => Some(Fewest::NotFound {
            executions: searched.executions,
            preemptions: searched.stands_at.unwrap_or(PREEMPTIONS_MAX),
            all: searched.stands_at.is_none(),
        }),
        None => None,
    };
    Ok(found)
}

/// Removes deviations that the failure does not need; returns whether it was interrupted.
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

/// Searches for the same failure with fewer and fewer preemptions; returns whether it was interrupted.
fn fewer_preemptions(trials: &mut Trials<'_>, best: &mut Plan) -> Result<bool, Refusal> {
    let (preemptions, mut total_order) = match best.threads.as_ref() {
        Some(Threads::Choices { choices: _, total_order }) => (preemptions(best), *total_order),
        // Searches with as many preemptions, too, so that the result is in the exhaustive search's detail.
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
            // Again, excluding impossible executions.
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
