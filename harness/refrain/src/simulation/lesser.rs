//! Plans that lack a part of a failing one, or have a simpler or another one in its place: some of them may pass.

use super::scenario::Scenario;
use crate::{
    plan::{Argument, Plan},
    seed::seed_of,
    shrink::simplify::{simpler_faults, simpler_holds},
};
use serde_json::Value;

/// How many other workloads are drawn, and how many other schedules.
const WORKLOADS: u64 = 24;
const SEEDS: u64 = 16;

/// Returns such plans, those that differ the least first.
pub(super) fn lesser(scenario: &Scenario, plan: &Plan, max: usize) -> Vec<Plan> {
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut lesser = plan.clone();
        change(&mut lesser);
        lesser
    };
    let mut all = vec![];
    // What comes last is removed first: a run without it goes the same way for the longest.
    all.extend((0..plan.faults.len()).rev().map(|at| with(&|plan| drop(plan.faults.remove(at)))));
    all.extend((0..plan.holds.len()).rev().map(|at| with(&|plan| drop(plan.holds.remove(at)))));
    for (at, fault) in plan.faults.iter().enumerate() {
        all.extend(simpler_faults(fault).into_iter().map(|fault| with(&|plan| plan.faults[at] = fault.clone())));
    }
    for (at, hold) in plan.holds.iter().enumerate() {
        all.extend(simpler_holds(hold).into_iter().map(|hold| with(&|plan| plan.holds[at] = hold.clone())));
    }
    for (at, argument) in plan.workload.iter().enumerate() {
        let smaller = smaller(&argument.value).into_iter();
        all.extend(smaller.map(|value| with(&|plan| plan.workload[at].value = value.clone())));
    }
    if plan.faults.len() + plan.holds.len() > 1 {
        all.push(Plan { faults: vec![], holds: vec![], ..plan.clone() });
    }
    let drawn = (0..WORKLOADS).filter_map(|nth| scenario.workload(seed_of(plan.seed, nth)).ok());
    all.extend(drawn.flat_map(|workload| others(plan, workload.current())));
    all.extend((0..SEEDS).map(|nth| Plan { seed: seed_of(plan.seed, nth), ..plan.clone() }));
    all.retain(|lesser| lesser != plan);
    all.truncate(max);
    all
}

/// The next smaller values of an argument.
fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => (0..values.len())
            .rev()
            .map(|at| {
                let mut fewer = values.clone();
                fewer.remove(at);
                fewer.into()
            })
            .collect(),
        Value::Number(number) => {
            let number = number.as_u64().filter(|number| *number > 0);
            number.into_iter().flat_map(|number| [number - 1, number / 2, 0]).map(Value::from).collect()
        }
        _ => vec![],
    }
}

/// The plan with each of its arguments in turn as it was drawn for another run.
fn others(plan: &Plan, drawn: Vec<Argument>) -> impl Iterator<Item = Plan> {
    let plan = plan.clone();
    drawn.into_iter().enumerate().map(move |(at, argument)| {
        let mut other = plan.clone();
        if let Some(of_plan) = other.workload.get_mut(at) {
            *of_plan = argument;
        }
        other
    })
}
