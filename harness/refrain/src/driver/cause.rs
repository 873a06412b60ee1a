//! When a failure became inevitable: continues its run in other ways from some of its events on, and counts how many fail.
//!
//! A continuation counts if it began with the very same events. It leaves the plan between two polls, so it may have more of them than it was to
//! have. First events between the last one from which a continuation was saved and the first one from which none was are looked at, until these
//! are neighbours; then some that are evenly spread.

mod team;

use super::{anchors, record::record, save};
use crate::{
    engine::{Continuations, ProgressSink, Refusal},
    event::{Event, Kind},
    job::{Job, Ran, Source},
    plan::Plan,
    protocol::{Beginning, Inevitable},
    seed::seed_of,
    test::Test,
    trace::{Trace, first_difference},
    verdict::Signature,
    worker::Pool,
};
use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};
use team::Team;

/// In how many parts the events are divided evenly, and how many are looked at at most.
const EVENLY: usize = 9;
const EVENTS_MAX: usize = 20;
/// For how long: `cargo refrain cause` is to take half a minute at most, with all that comes before.
const TIME_MAX: Duration = Duration::from_secs(18);
/// How many continuations of each beginning there are at least and at most, and how many measure the time that one takes.
const FEWEST: u64 = 10;
const MOST: u64 = 100;

/// Continues the run of a trace in other ways.
pub(crate) fn cause(test: &Test, pool: &mut Pool, path: &Path, sink: ProgressSink<'_>) -> Result<Inevitable, Refusal> {
    let started = Instant::now();
    let trace = save::read(test, path)?;
    let plan = anchors::found(test, &trace.plan, &trace.anchors);
    let failing = failing_run(pool, &trace, &plan, path)?;
    // The last event is that the run fails.
    let events = match failing.events.split_last() {
        Some((Event { kind: Kind::Verdict, .. }, before)) => before,
        _ => &failing.events[..],
    };
    let signature = trace.failure.signature();
    let mut found = Search { events, signature, beginnings: vec![], asked: BTreeMap::new(), runs: 0, not_counted: 0 };
    let mut team = Team { workers: pool, sink, until: None, done: 0 };
    match test.engine.continuations(&plan) {
        Continuations::Plans(plans) => found.plans(&mut team, plans)?,
        Continuations::Drawn => found.drawn(&mut team, &plan)?,
    }
    Ok(Inevitable {
        events: failing.events.len(),
        beginnings: found.beginnings,
        runs: found.runs,
        not_counted: found.not_counted,
        took_ms: started.elapsed().as_millis() as u64,
        interrupted: sink.stops(),
    })
}

/// Executes the plan of the trace, which must still fail in the same way.
fn failing_run(pool: &mut Pool, trace: &Trace, plan: &Plan, path: &Path) -> Result<Ran, Refusal> {
    let ran = record(pool, Source::Plan(Box::new(plan.clone())), None)?;
    let (class, property) = (trace.failure.class, &trace.failure.property);
    if !ran.verdict.failure().is_some_and(|failure| failure.class == class && failure.property == *property) {
        return Err(format!(
            "{} does not fail in this way any more: `cargo refrain replay` says what became of it",
            path.display()
        ));
    }
    if ran.left_out > 0 {
        return Err(format!(
            "{} has more events than can be compared, and the first {} are unknown: shrink it first",
            path.display(),
            ran.left_out
        ));
    }
    Ok(ran)
}

struct Search<'a> {
    events: &'a [Event],
    signature: Signature,
    beginnings: Vec<Beginning>,
    /// After how many events the plan was to be left, and how often.
    asked: BTreeMap<usize, u64>,
    runs: u64,
    not_counted: u64,
}

impl Search<'_> {
    /// Executes plans that leave the failing one somewhere. Each counts for every beginning that it has.
    fn plans(&mut self, team: &mut Team<'_>, plans: Vec<Plan>) -> Result<(), Refusal> {
        let record = |plan| Job::Record { source: Source::Plan(Box::new(plan)), until: None, locate: None };
        let ran = team.all(plans.into_iter().map(record).collect())?;
        self.runs += ran.len() as u64;
        let mut continued: Vec<(usize, Ran)> = vec![];
        for ran in ran {
            let common = first_difference(self.events, &ran.events).unwrap_or(self.events.len());
            // What fails in another way may be a choice that cannot be made.
            let counts = ran.not_triggered.is_empty() && ran.verdict.failure().is_none_or(|_| self.is_same(&ran));
            if counts {
                continued.push((common, ran));
            } else {
                self.not_counted += 1;
            }
        }
        let mut all: Vec<usize> = continued.iter().map(|(common, _)| *common).chain([0]).collect();
        all.sort_unstable();
        all.dedup();
        for events in all {
            let of = continued.iter().filter(|(common, _)| *common >= events).map(|(_, ran)| ran);
            let beginning = self.counted(events, of);
            self.beginnings.push(beginning);
        }
        // From here on nothing is left to choose.
        if self.beginnings.last().is_some_and(|last| last.events < self.events.len() && last.saved() > 0) {
            let whole = self.counted(self.events.len(), std::iter::empty());
            self.beginnings.push(Beginning { fails: 1, ..whole });
        }
        Ok(())
    }

    /// Leaves the plan at some of the events, each time with several seeds.
    fn drawn(&mut self, team: &mut Team<'_>, plan: &Plan) -> Result<(), Refusal> {
        let last = self.events.len();
        // However long these wait for others of the machine: without them nothing is known.
        self.look(team, plan, 0, FEWEST)?;
        let started = Instant::now();
        self.look(team, plan, last, FEWEST)?;
        let each = started.elapsed().as_secs_f64() / FEWEST as f64;
        team.until = Some(Instant::now() + TIME_MAX);
        let each = (TIME_MAX.as_secs_f64() / each.max(1e-6) / EVENTS_MAX as f64) as u64;
        let each = each.clamp(FEWEST, MOST);
        self.look(team, plan, 0, each)?;
        while let Some(between) = self.turning_point().filter(|_| team.goes_on()) {
            self.look(team, plan, between, each)?;
        }
        for events in (1..EVENLY).map(|nth| last * nth / EVENLY) {
            if team.goes_on() {
                self.look(team, plan, events, each)?;
            }
        }
        while self.beginnings.len() < EVENTS_MAX && team.goes_on() {
            let Some(between) = self.turning_point().or_else(|| self.largest_rise()) else { break };
            self.look(team, plan, between, each)?;
        }
        // What was not saved in a few continuations may be in many.
        while let Some(none) = self.first_without_saved().filter(|_| team.goes_on()) {
            let (events, of) = (self.beginnings[none].events, self.beginnings[none].of());
            if of >= MOST {
                break;
            }
            self.look(team, plan, events, each)?;
            if self.beginnings[none].of() == of {
                break;
            }
        }
        Ok(())
    }

    /// Returns the middle between the last beginning of which a continuation was saved and the next one, unless they are neighbours.
    fn turning_point(&self) -> Option<usize> {
        let last = self.beginnings.iter().rposition(|beginning| beginning.saved() > 0)?;
        self.middle(self.beginnings[last].events, self.beginnings.get(last + 1)?.events)
    }

    /// Returns the middle of where the share of continuations that fail rises most, unless that is between neighbours.
    fn largest_rise(&self) -> Option<usize> {
        let share = |beginning: &Beginning| beginning.fails * 1_000 / beginning.of().max(1);
        let rises = self
            .beginnings
            .windows(2)
            .map(|pair| (share(&pair[1]).saturating_sub(share(&pair[0])), (pair[0].events, pair[1].events)));
        let (_, (from, to)) = rises.max_by_key(|(rise, _)| *rise).filter(|(rise, _)| *rise > 0)?;
        self.middle(from, to)
    }

    /// Returns the middle between two beginnings that are neighbours, unless there is none that leads to another one.
    fn middle(&self, from: usize, to: usize) -> Option<usize> {
        // What was asked for between them has left the plan at the second one.
        let to = self.asked.range(from + 1..to).next().map_or(to, |(events, _)| *events);
        (to - from > 1).then(|| from + (to - from) / 2)
    }

    /// Returns the first beginning from which on no continuation was saved.
    fn first_without_saved(&self) -> Option<usize> {
        let last = self.beginnings.iter().rposition(|beginning| beginning.saved() > 0);
        Some(last.map_or(0, |last| last + 1)).filter(|first| *first < self.beginnings.len())
    }

    /// Continues the first events of the run in this many ways, others than before.
    fn look(&mut self, team: &mut Team<'_>, plan: &Plan, events: usize, each: u64) -> Result<(), Refusal> {
        let made = self.asked.get(&events).copied().unwrap_or_default();
        self.asked.insert(events, made + each);
        let branch = |nth| {
            let seed = seed_of(seed_of(plan.seed, events as u64), nth);
            let source = Source::Branch { plan: Box::new(plan.clone()), after: events, seed };
            Job::Record { source, until: None, locate: None }
        };
        let ran = team.all((made..made + each).map(branch).collect())?;
        self.runs += ran.len() as u64;
        // They have all left it at the same event: until then they are one run.
        let common = |ran: &Ran| first_difference(self.events, &ran.events).unwrap_or(self.events.len());
        let (counted, others): (Vec<&Ran>, Vec<&Ran>) =
            ran.iter().partition(|ran| common(ran) == ran.events.len().min(self.events.len()) && common(ran) >= events);
        self.not_counted += others.len() as u64;
        let Some(left) = counted.first().map(|ran| common(ran)) else { return Ok(()) };
        let beginning = self.counted(left, counted.into_iter());
        match self.beginnings.binary_search_by_key(&left, |other| other.events) {
            Ok(at) => self.beginnings[at].add(&beginning),
            Err(at) => self.beginnings.insert(at, beginning),
        }
        Ok(())
    }

    fn is_same(&self, ran: &Ran) -> bool {
        let Signature { class, property, .. } = &self.signature;
        ran.verdict.failure().is_some_and(|failure| failure.class == *class && failure.property == *property)
    }

    fn counted<'r>(&self, events: usize, ran: impl Iterator<Item = &'r Ran>) -> Beginning {
        let last = events.checked_sub(1).map(|last| self.events[last].clone());
        let mut beginning = Beginning { events, last, fails: 0, fails_otherwise: 0, passes: 0 };
        for ran in ran {
            match ran.verdict.failure() {
                None => beginning.passes += 1,
                Some(_) if self.is_same(ran) => beginning.fails += 1,
                Some(_) => beginning.fails_otherwise += 1,
            }
        }
        beginning
    }
}
