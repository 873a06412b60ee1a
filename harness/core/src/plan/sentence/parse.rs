//! Parses sentences into plans and their parts.

use super::trigger::trigger;
use crate::plan::{
    Argument, Deviation, Direction, DisplayDuration, Fault, FaultKind, Hold, HoldUntil, Link, Ordinal, Plan, Route,
    SentenceError, Threads, Trigger,
    fault::{a_fault, begins_fault},
    threads::{TOTAL_ORDER, run_of},
    words::Words,
};
use crate::strict_json::{self, VALUES_MAX};
use std::str::FromStr;

/// Maximum number of choices in a plan, so that a damaged one does not exhaust memory.
const CHOICES_MAX: usize = 1_000_000;

/// Parses a plan. Sentences of different kinds may be in any order; the order within a kind is kept.
pub(super) fn plan<'a>(sentences: impl Iterator<Item = &'a str>) -> Result<Plan, SentenceError> {
    let mut seed = None;
    let mut plan = Plan::default();
    for (nth, text) in (1..).zip(sentences) {
        let twice = |what| Err(SentenceError::Twice { sentence: nth, what });
        match whole(text, sentence).map_err(|error| error.in_sentence(nth))? {
            Sentence::Seed(_) if seed.is_some() => return twice("the seed".to_string()),
            Sentence::Seed(value) => seed = Some(value),
            Sentence::Argument(Argument { name, .. }) if plan.workload.iter().any(|known| known.name == name) => {
                return twice(format!("the argument {name:?}"));
            }
            Sentence::Argument(argument) => plan.workload.push(argument),
            Sentence::Fault(fault) => plan.faults.push(fault),
            Sentence::Hold(hold) => plan.holds.push(hold),
            Sentence::Threads(_) if plan.threads.is_some() => return twice("which thread goes on".to_string()),
            Sentence::Threads(threads) => plan.threads = Some(threads),
            Sentence::TotalOrder => match &mut plan.threads {
                Some(Threads::Choices { total_order: total_order @ false, .. }) => *total_order = true,
                _ => return Err(misplaced(nth, text, "after \"threads choose\", once")),
            },
            Sentence::Deviation(deviation) => match &mut plan.threads {
                Some(Threads::Deviations(deviations)) => deviations.push(deviation),
                _ => return Err(misplaced(nth, text, "after \"threads go in turn\"")),
            },
        }
    }
    if plan.threads.is_some() {
        let alone = seed.is_none() && plan == Plan { threads: plan.threads.clone(), ..Plan::default() };
        return if alone { Ok(plan) } else { Err(SentenceError::Mixed) };
    }
    plan.seed = seed.ok_or(SentenceError::NoSeed)?;
    Ok(plan)
}

/// Returns the error for a sentence that is only valid after another one.
fn misplaced(nth: usize, text: &str, expected: &str) -> SentenceError {
    Words::new(text).expected(&format!("such a sentence {expected}")).in_sentence(nth)
}

/// A parsed sentence of a plan.
enum Sentence {
    Seed(u64),
    Argument(Argument),
    Fault(Fault),
    Hold(Hold),
    Threads(Threads),
    TotalOrder,
    Deviation(Deviation),
}

/// Parses a whole text: remaining words are an error.
fn whole<'a, T>(
    text: &'a str,
    part: impl FnOnce(&mut Words<'a>) -> Result<T, SentenceError>,
) -> Result<T, SentenceError> {
    let mut words = Words::new(text);
    let value = part(&mut words)?;
    words.end()?;
    Ok(value)
}

fn sentence(words: &mut Words) -> Result<Sentence, SentenceError> {
    // An argument may have the same name as the keyword of another sentence, but no other sentence has `=` as its
    // second word.
    if words.rest().split(' ').nth(1) == Some("=") {
        return Ok(Sentence::Argument(argument(words)?));
    }
    match words.peek() {
        "seed" => Ok(Sentence::Seed(seed(words)?)),
        "hold" => Ok(Sentence::Hold(hold(words)?)),
        "threads" => Ok(Sentence::Threads(threads(words)?)),
        "thread" => Ok(Sentence::Deviation(thread(words)?)),
        "load" => Ok(Sentence::Deviation(load(words)?)),
        "SeqCst" => words.exactly(TOTAL_ORDER).map(|()| Sentence::TotalOrder),
        verb if begins_fault(verb) => Ok(Sentence::Fault(fault(words)?)),
        _ => Err(words.expected(&format!("\"seed\", \"NAME = JSON\", \"hold\" or {}", a_fault()))),
    }
}

fn seed(words: &mut Words) -> Result<u64, SentenceError> {
    words.exactly("seed")?;
    words.word("a whole number, at most 18446744073709551615", |word| {
        word.parse().ok().filter(|seed: &u64| seed.to_string() == word)
    })
}

fn argument(words: &mut Words) -> Result<Argument, SentenceError> {
    let name = words.name()?;
    words.exactly("=")?;
    let json = words.rest();
    let mut values_max = VALUES_MAX;
    let value = strict_json::parse(json.as_bytes(), &mut values_max);
    let value = value.map_err(|refused| words.expected(&format!("JSON: {refused}")))?;
    words.skip(json.len());
    Ok(Argument { name, value })
}

fn threads(words: &mut Words) -> Result<Threads, SentenceError> {
    words.exactly("threads")?;
    if words.takes("go") {
        words.exactly("in turn")?;
        return Ok(Threads::Deviations(vec![]));
    }
    if !words.takes("choose") {
        return Err(words.expected("\"choose\" or \"go in turn\""));
    }
    let mut choices = vec![];
    while words.end().is_err() {
        let (choice, times) = words.word("a choice like \"t0\", \"p1\", \"v2\", \"w1\" or \"t0*7\"", run_of)?;
        choices.extend(std::iter::repeat_n(choice, times));
        if choices.len() > CHOICES_MAX {
            return Err(words.expected(&format!("at most {CHOICES_MAX} choices")));
        }
    }
    Ok(Threads::Choices { choices, total_order: false })
}

fn number(words: &mut Words) -> Result<usize, SentenceError> {
    words.word("a whole number", |word| word.parse().ok().filter(|n: &usize| n.to_string() == word))
}

fn load(words: &mut Words) -> Result<Deviation, SentenceError> {
    words.exactly("load")?;
    let nth = number(words)?;
    words.exactly("reads the store")?;
    let before = number(words)?;
    words.exactly("before the newest")?;
    Ok(Deviation::Load { nth, before })
}

fn thread(words: &mut Words) -> Result<Deviation, SentenceError> {
    words.exactly("thread")?;
    let thread = number(words)?;
    let preempts = words.takes("preempts");
    if !preempts {
        if words.peek() != "goes" {
            return Err(words.expected("\"preempts\" or \"goes on\""));
        }
        words.exactly("goes on")?;
    }
    words.exactly("at step")?;
    Ok(Deviation::Thread { step: number(words)?, thread, preempts })
}

/// Parses a fault: what it does, where, when and for how long.
fn fault(words: &mut Words) -> Result<Fault, SentenceError> {
    let kind = FaultKind::parse(words)?;
    let trigger = trigger(words)?;
    let duration = kind.lasts().parse(words)?;
    Ok(Fault { kind, trigger, duration })
}

fn hold(words: &mut Words) -> Result<Hold, SentenceError> {
    words.exactly("hold the")?;
    let nth = words.nth()?;
    words.exactly("task spawned on")?;
    let host = words.host()?;
    words.exactly("at")?;
    let place = place(words)?;
    words.exactly("at its")?;
    let poll = words.nth()?;
    words.exactly("poll")?;
    Ok(Hold { host, place, nth, poll, until: until(words)? })
}

/// Parses a place. It may contain spaces and ` at its ` itself, but what follows it does not, so it ends at the last
/// one.
fn place(words: &mut Words) -> Result<String, SentenceError> {
    let place = words.rest().rfind(" at its ").map(|end| &words.rest()[..end]);
    let place = place.filter(|place| !place.is_empty() && !place.contains(char::is_control));
    let place = place.ok_or_else(|| words.expected("a place like \"src/link.rs:88\", and then \"at its\""))?;
    words.skip(place.len());
    Ok(place.to_string())
}

fn until(words: &mut Words) -> Result<HoldUntil, SentenceError> {
    if words.takes("for") {
        return Ok(HoldUntil::For(words.duration()?));
    }
    if words.peek() != "until" {
        return Err(words.expected("\"until nothing else can run\" or \"for\""));
    }
    words.exactly("until nothing else can run")?;
    Ok(HoldUntil::Idle)
}

impl FromStr for Plan {
    type Err = SentenceError;

    fn from_str(text: &str) -> Result<Plan, SentenceError> {
        plan(text.lines())
    }
}

macro_rules! from_str {
    ($($part:ty, $parse:expr;)*) => {$(
        impl FromStr for $part {
            type Err = SentenceError;

            fn from_str(text: &str) -> Result<$part, SentenceError> {
                whole(text, $parse)
            }
        }
    )*};
}

from_str! {
    Argument, argument;
    Fault, fault;
    FaultKind, FaultKind::parse;
    Direction, Words::direction;
    Link, Words::link;
    Route, Words::route;
    Trigger, trigger;
    Hold, hold;
    HoldUntil, until;
    DisplayDuration, |words| words.duration().map(DisplayDuration);
    Ordinal, |words| words.nth().map(Ordinal);
}
