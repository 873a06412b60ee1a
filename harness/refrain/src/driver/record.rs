//! Records a run; twice, in two processes, where it must be known that it is deterministic.

use crate::{
    engine::{Refusal, Workers, unexpected},
    event::{Event, Kind},
    job::{Answer, Job, Ran, Source},
    place::Place,
    test::Test,
    trace::first_difference,
    verdict::{Cause, Class, Detail, Failure, Property, Verdict},
};

/// Executes one run and records every event.
pub(crate) fn record(workers: &mut dyn Workers, source: Source, until: Option<usize>) -> Result<Ran, Refusal> {
    match workers.ask(&Job::Record { source, until })? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) => Err(unexpected()),
    }
}

/// Records a run twice, the second time in a different worker. A difference between the two is a failure.
pub(crate) fn record_twice(test: &Test, workers: &mut dyn Workers, source: Source) -> Result<Ran, Refusal> {
    let mut ran = record(workers, source, None)?;
    let mut other = super::pool(test, Some(1));
    for source in test.engine.repeats(&ran) {
        let again = record(&mut other, source, None)?;
        if let Some(failure) = difference(&ran, &again) {
            ran.verdict = Verdict::Failed(failure);
            break;
        }
    }
    Ok(ran)
}

fn difference(one: &Ran, two: &Ran) -> Option<Failure> {
    let first = first_difference(&one.events, &two.events);
    if first.is_none() && one.verdict == two.verdict && one.digest == two.digest {
        return None;
    }
    let at = first.unwrap_or(one.events.len());
    let shows = |(run, ran): (u8, &Ran)| match ran.events.get(at) {
        Some(event) => Cause::RunShows { run, event: Box::new(event.clone()) },
        None => Cause::RunEnds { run, failure: ran.verdict.failure().map(Failure::signature) },
    };
    Some(Failure {
        class: Class::Nondeterminism,
        property: Property::Deterministic,
        place: [one, two].into_iter().filter_map(|ran| ran.events.get(at)).find_map(place_of),
        detail: Detail::RunsDiffer { event: (at + one.left_out) as u64 },
        causes: [(1, one), (2, two)].map(shows).into(),
    })
}

/// Returns the place of an event: of a model's operation, or where a task was spawned.
pub(crate) fn place_of(event: &Event) -> Option<Place> {
    match &event.kind {
        Kind::Step(step) => step.place.clone(),
        _ => event.task.as_ref().map(|task| task.place.clone()),
    }
}
