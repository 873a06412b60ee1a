//! Makes a run and records it; twice, in two processes, where it must be known that both are the same run.

use crate::{
    engine::{Refusal, Workers, unexpected},
    event::{Event, Kind},
    job::{Answer, Job, Ran, Source},
    report::{self, Style},
    test::Test,
    trace::first_difference,
    verdict::{Class, Failure, Verdict},
    worker::Pool,
};

/// Makes one run and hears everything that happens in it.
pub(crate) fn record(pool: &mut Pool, source: Source, until: Option<usize>) -> Result<Ran, Refusal> {
    match pool.ask(&Job::Record { source, until })? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) | Answer::Searched(_) => Err(unexpected()),
    }
}

/// Records a run twice, the second time by a worker of its own; a failure if the two differ.
pub(crate) fn record_twice(test: &Test, pool: &mut Pool, source: Source) -> Result<Ran, Refusal> {
    let mut ran = record(pool, source, None)?;
    let mut other = super::pool(test, Some(1));
    for source in test.engine.again(&ran) {
        let again = record(&mut other, source, None)?;
        if let Some(failure) = difference(test, &ran, &again) {
            ran.verdict = Verdict::Failed(failure);
            break;
        }
    }
    Ok(ran)
}

fn difference(test: &Test, one: &Ran, two: &Ran) -> Option<Failure> {
    let first = first_difference(&one.events, &two.events);
    if first.is_none() && one.verdict == two.verdict && one.digest == two.digest {
        return None;
    }
    let at = first.unwrap_or(one.events.len());
    let show = |ran: &Ran| match ran.events.get(at) {
        // Its row, without the table's head.
        Some(event) => report::events(std::slice::from_ref(event), at, Style::default())
            .trim_end()
            .lines()
            .last()
            .map_or_else(String::new, |row| row.trim().to_owned()),
        None => match &ran.verdict {
            Verdict::Passed => "nothing more happened, and it passed".into(),
            Verdict::Failed(failure) => format!("nothing more happened, and it failed: {}", failure.message),
        },
    };
    let events = [one, two].into_iter().filter_map(|ran| ran.events.get(at));
    let place = events.map(place_of).find(|place| !place.is_empty());
    Some(Failure {
        class: Class::Nondeterminism,
        property: "two runs of one plan are the same run".into(),
        place: place.unwrap_or_default(),
        message: format!("two runs of one plan differ from event {at} on"),
        causes: vec![
            format!("one: {}", show(one)),
            format!("other: {}", show(two)),
            test.engine.words().nondeterminism.to_owned(),
        ],
    })
}

/// Where an operation of a model is, or a task was spawned: `src/link.rs:88` of `src/link.rs:88#2`.
fn place_of(event: &Event) -> String {
    let place = if event.kind == Kind::Step { &event.place } else { &event.task };
    place.split('#').next().unwrap_or_default().to_owned()
}
