//! Looks for a plan of a model that fails in the same way with fewer preemptions.
//!
//! What was sampled loses the deviations that it does not need; then the exhaustive search looks for the same failure
//! with no preemption, with one, and so on, up to as many as the plan has.

use super::{
    exhaust,
    explore::{Budget, is_possible},
};
use crate::{
    driver::{ProgressSink, Refusal, refused},
    job::{Answer, Job},
    plan::{Deviation, Plan, Threads},
    protocol::Progress,
    report::plan_summary,
    shrink::minimize::ddmin,
    simulation::{explore::Limit, shrink::Smaller},
    test::Model,
    verdict::Signature,
    worker::Pool,
};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// How long the exhaustive search may look for one number of preemptions, if nothing else says.
const LOOK: Duration = Duration::from_secs(10);

/// Shrinks a plan that fails with this signature.
pub(crate) fn shrink(
    model: &Model,
    pool: &mut Pool,
    plan: &Plan,
    signature: &Signature,
    deadline: Option<Instant>,
    asker: ProgressSink<'_>,
) -> Result<Smaller, Refusal> {
    let mut smaller = Smaller { plan: plan.clone(), runs: 0, interrupted: false };
    let late = || asker.stops() || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    if let Some(Threads::Deviations(deviations)) = &plan.threads {
        let mut refusal = None;
        let minimum = ddmin(deviations.clone(), &mut |deviations| {
            if late() {
                return ControlFlow::Break(());
            }
            smaller.runs += 1;
            let note = plan_summary(&smaller.plan, 0);
            asker.tell(Progress { doing: "shrinking".into(), runs: smaller.runs, of: None, note });
            match fails(pool, &of(deviations), signature) {
                Ok(Some(plan)) => {
                    smaller.plan = plan;
                    ControlFlow::Continue(true)
                }
                Ok(None) => ControlFlow::Continue(false),
                Err(why) => {
                    refusal = Some(why);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(why) = refusal {
            return Err(why);
        }
        smaller.interrupted = minimum.interrupted;
    }
    if model.engine == Some("shuttle") || model.preemptions.is_some() {
        return Ok(smaller);
    }
    let (preemptions, mut total_order) = match smaller.plan.threads.as_ref() {
        Some(Threads::Choices { choices: _, total_order }) => (preemptions(&smaller.plan), *total_order),
        // It is found again with as many, so that it is told in full.
        _ => (preemptions(&smaller.plan) + 1, false),
    };
    let mut bound = 0;
    while bound < preemptions.min(usize::from(u8::MAX)) {
        if late() {
            smaller.interrupted = true;
            break;
        }
        let started = Instant::now();
        let end = deadline.map_or(started + LOOK, |deadline| deadline.min(started + LOOK));
        let budget = Budget::new(Limit::Time(end), ProgressSink { progress: &|_| {}, ..asker });
        let share = exhaust::Share { budget: &budget, up_to: 1.0, started, unlimited: false };
        let part = exhaust::exhaust(pool, Some(bound as u8), total_order, share)?;
        smaller.runs += part.searched.executions;
        if let Some(found) = part.failed
            && let Some(found) = fails(pool, &found, signature)?
        {
            if is_possible(pool, &found, signature)? {
                smaller.plan = found;
                break;
            }
            // Once more, without what is impossible.
            total_order = true;
            continue;
        }
        bound += 1;
    }
    Ok(smaller)
}

fn of(deviations: &[Deviation]) -> Plan {
    Plan { threads: Some(Threads::Deviations(deviations.to_vec())), ..Plan::default() }
}

fn preemptions(plan: &Plan) -> usize {
    plan.threads.as_ref().map_or(0, Threads::preemptions)
}

/// What a plan came to, if it fails with the same signature.
fn fails(pool: &mut Pool, plan: &Plan, signature: &Signature) -> Result<Option<Plan>, Refusal> {
    match pool.ask(&Job::Try(plan.clone())).map_err(refused)? {
        Answer::Ran(ran) => {
            let same = ran.verdict.failure().is_some_and(|failure| failure.signature() == *signature);
            Ok(same.then_some(ran.plan))
        }
        _ => Ok(None),
    }
}
