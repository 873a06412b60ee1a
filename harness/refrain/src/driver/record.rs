//! Makes a run and records it; twice, in two processes, where it must be known that both are the same run.

use super::{Refusal, refused};
use crate::{
    report::{self, Style},
    test::Test,
    trace::first_difference,
    verdict::{Class, Failure, Verdict},
    worker::{
        Pool,
        job::{Answer, Job, Ran, Source},
    },
};

/// Makes one run and hears everything that happens in it.
pub(crate) fn record(pool: &mut Pool, source: Source, until: Option<usize>) -> Result<Ran, Refusal> {
    match pool.ask(&Job::Record { source, until }).map_err(refused)? {
        Answer::Ran(ran) => Ok(*ran),
        Answer::Refused(why) => Err(why),
        Answer::Explored(_) => Err("a worker answered another question than it was asked".into()),
    }
}

/// Records a run twice, the second time by a worker of its own; a failure if the two differ.
pub(crate) fn record_twice(test: &Test, pool: &mut Pool, source: Source) -> Result<Ran, Refusal> {
    let mut ran = record(pool, source, None)?;
    let mut other = super::pool(test, Some(1))?;
    let again = record(&mut other, Source::Plan(Box::new(ran.plan.clone())), None)?;
    if let Some(failure) = difference(&ran, &again) {
        ran.verdict = Verdict::Failed(failure);
    }
    Ok(ran)
}

fn difference(one: &Ran, two: &Ran) -> Option<Failure> {
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
        None => "nothing more happened".into(),
    };
    let tasks = [one, two].into_iter().filter_map(|ran| ran.events.get(at)).map(|event| event.task.as_str());
    let place = tasks.map(spawn_place).find(|place| !place.is_empty());
    Some(Failure {
        class: Class::Nondeterminism,
        property: "two runs of one plan are the same run".into(),
        place: place.unwrap_or_default(),
        message: format!("two runs of one plan differ from event {at} on"),
        causes: vec![
            format!("one: {}", show(one)),
            format!("other: {}", show(two)),
            "the service reads something from outside the simulation: a process number, /dev/urandom, getrandom 0.2 \
             (rand 0.8), a file, the environment"
                .into(),
        ],
    })
}

/// `src/link.rs:88` of `src/link.rs:88#2`.
fn spawn_place(task: &str) -> String {
    task.split('#').next().unwrap_or_default().to_owned()
}
