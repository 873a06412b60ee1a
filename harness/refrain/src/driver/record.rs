//! Records a run; twice, in two processes, where it must be known that it is deterministic.

use super::origin::origin;
use crate::{
    engine::{Logs, Refusal, Workers, unexpected},
    event::{Event, Kind},
    job::{Answer, Job, Ran, Source},
    place::Place,
    test::Test,
    trace::first_difference,
    verdict::{Cause, Class, Detail, Failure, Origin, Property, Unseen, Verdict},
    worker::Pool,
};

/// Executes one run and records every event.
pub(crate) fn record(workers: &mut dyn Workers, source: Source, until: Option<usize>) -> Result<Ran, Refusal> {
    ask(workers, &Job::Record { source, until, locate: None })
}

/// The same, with the backtrace of the nth call of its log.
fn record_call(workers: &mut dyn Workers, source: Source, nth: usize) -> Result<Ran, Refusal> {
    ask(workers, &Job::Record { source, until: None, locate: Some(nth as u64) })
}

fn ask(workers: &mut dyn Workers, job: &Job) -> Result<Ran, Refusal> {
    match workers.ask(job)? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) | Answer::Stopped(_) => Err(unexpected()),
    }
}

/// Records a run twice, the second time in a different worker. A difference between the two is a failure.
pub(crate) fn record_twice(test: &Test, workers: &mut dyn Workers, source: Source) -> Result<Ran, Refusal> {
    let mut ran = record(workers, source, None)?;
    let mut other = super::pool(test, Some(1));
    for source in test.engine.repeats(&ran) {
        let two = record(&mut other, source, None)?;
        if let Some(at) = difference(&ran, &two) {
            let logs = logs(test, &other);
            let mut again = |nth| record_call(&mut other, Source::Plan(Box::new(ran.plan.clone())), nth);
            let origin = logs.map(|logs| origin(logs, [&ran, &two], event(&ran, at), &mut again)).transpose()?;
            ran.verdict = Verdict::Failed(differs([&ran, &two], at, origin));
            break;
        }
    }
    Ok(ran)
}

/// Returns which logs the runs of a test have on this machine.
fn logs(test: &Test, pool: &Pool) -> Option<Logs> {
    let addresses = pool.machine().randomises_addresses.then_some(Unseen::Addresses);
    test.engine.logs().map(|logs| match logs {
        Logs::Without(unseen) => Logs::Without(addresses.into_iter().chain(unseen).collect()),
        none => none,
    })
}

/// Returns the first recorded event that differs; the number of events if only the ends differ.
fn difference(one: &Ran, two: &Ran) -> Option<usize> {
    let first = first_difference(&one.events, &two.events);
    let ends_differ = one.verdict != two.verdict || one.digest != two.digest;
    first.or(ends_differ.then_some(one.events.len()))
}

/// Returns the number of a recorded event in its run.
fn event(ran: &Ran, at: usize) -> u64 {
    (at + ran.left_out) as u64
}

fn differs(runs: [&Ran; 2], at: usize, origin: Option<Origin>) -> Failure {
    let shows = |(run, ran): (u8, &Ran)| match ran.events.get(at) {
        Some(event) => Cause::RunShows { run, event: Box::new(event.clone()) },
        None => Cause::RunEnds { run, failure: ran.verdict.failure().map(Failure::signature) },
    };
    let of_event = || runs.into_iter().filter_map(|ran| ran.events.get(at)).find_map(place_of);
    let [one, two] = runs;
    Failure {
        class: Class::Nondeterminism,
        property: Property::Deterministic,
        place: origin.as_ref().and_then(Origin::place).cloned().or_else(of_event),
        detail: Detail::RunsDiffer { event: event(one, at), origin: origin.map(Box::new) },
        causes: [(1, one), (2, two)].map(shows).into(),
    }
}

/// Returns the place of an event: of a model's operation, or where a task was spawned.
pub(crate) fn place_of(event: &Event) -> Option<Place> {
    match &event.kind {
        Kind::Step(step) => step.place.clone(),
        _ => event.task.as_ref().map(|task| task.place.clone()),
    }
}
