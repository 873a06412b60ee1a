//! Reads sentences back into plans and their parts.

use super::{SentenceError, words::Words};
use crate::plan::{Argument, Fault, Hold, Impairment, Link, Plan, Route, Trigger, Until, Way, What, When};
use crate::strict_json;
use std::str::FromStr;

/// A plan of these sentences, in any order of kinds; the order within a kind is kept.
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
        }
    }
    plan.seed = seed.ok_or(SentenceError::NoSeed)?;
    Ok(plan)
}

/// What one sentence of a plan says.
enum Sentence {
    Seed(u64),
    Argument(Argument),
    Fault(Fault),
    Hold(Hold),
}

/// Reads a whole text: words that are left over are an error.
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
    // An argument may be named like a sentence of another kind; none of these has `=` as its second word.
    if words.rest().split(' ').nth(1) == Some("=") {
        return Ok(Sentence::Argument(argument(words)?));
    }
    match words.peek() {
        "seed" => Ok(Sentence::Seed(seed(words)?)),
        "hold" => Ok(Sentence::Hold(hold(words)?)),
        verb if VERBS.contains(&verb) => Ok(Sentence::Fault(fault(words)?)),
        _ => Err(words.expected(&format!("\"seed\", \"NAME = JSON\", \"hold\" or {}", a_fault()))),
    }
}

/// What the sentences of faults begin with.
const VERBS: [&str; 17] = [
    "cut",
    "slow",
    "delay",
    "lose",
    "duplicate",
    "reorder",
    "limit",
    "drop",
    "refuse",
    "stretch",
    "stall",
    "shrink",
    "fail",
    "reset",
    "kill",
    "crash",
    "pause",
];

fn seed(words: &mut Words) -> Result<u64, SentenceError> {
    words.exactly("seed")?;
    words.word("a whole number, at most 18446744073709551615", |word| {
        word.parse().ok().filter(|seed: &u64| seed.to_string() == word)
    })
}

fn argument(words: &mut Words) -> Result<Argument, SentenceError> {
    let name = words.word("a parameter's name: letters, digits and `_`", |word| {
        let fits = |c: char| c.is_alphanumeric() || c == '_';
        (word.chars().all(fits) && !word.starts_with(|c: char| c.is_numeric()) && !word.is_empty()).then_some(word)
    })?;
    words.exactly("=")?;
    let json = words.rest();
    let value = strict_json::parse(json.as_bytes()).map_err(|error| words.expected(&format!("JSON: {error}")))?;
    words.skip(json.len());
    Ok(Argument { name: name.to_string(), value })
}

fn fault(words: &mut Words) -> Result<Fault, SentenceError> {
    let what = what(words)?;
    let when = when(words)?;
    let lasts = match &what {
        What::Reset(_) => None,
        What::Kill(_) => words.takes("and").then(|| words.exactly("restart it after").and_then(|()| words.span())),
        What::Crash(_) => words.takes("and").then(|| words.exactly("reboot it after").and_then(|()| words.span())),
        _ => words.takes("for").then(|| words.span()),
    };
    Ok(Fault { what, when, lasts: lasts.transpose()? })
}

fn what(words: &mut Words) -> Result<What, SentenceError> {
    let verb = words.word(&a_fault(), |word| VERBS.contains(&word).then_some(word))?;
    match verb {
        "reset" => words.link().map(What::Reset),
        "kill" => words.host().map(What::Kill),
        "crash" => words.host().map(What::Crash),
        "pause" => words.host().map(What::Pause),
        "fail" => fail(words),
        "cut" => Ok(What::Impair(words.way()?, Impairment::Cut)),
        "slow" => {
            let way = words.way()?;
            words.exactly("by")?;
            Ok(What::Impair(way, Impairment::Slow(words.span()?)))
        }
        "limit" => {
            let way = words.way()?;
            words.exactly("to")?;
            let rate = words.count(u64::MAX)?;
            words.exactly("B/s")?;
            Ok(What::Impair(way, Impairment::Limit(rate)))
        }
        "delay" | "lose" | "duplicate" | "reorder" => some_packets(verb, words),
        _ => handshakes_or_streams(verb, words),
    }
}

/// `a fault: "cut", "slow", ...`.
fn a_fault() -> String {
    format!("a fault: {}", VERBS.map(|verb| format!("{verb:?}")).join(", "))
}

/// `fail lookups on a`, `fail accepts on a`.
fn fail(words: &mut Words) -> Result<What, SentenceError> {
    let what: fn(String) -> What = words.word("\"lookups\" or \"accepts\"", |word| match word {
        "lookups" => Some(What::FailLookups as fn(String) -> What),
        "accepts" => Some(What::FailAccepts),
        _ => None,
    })?;
    words.exactly("on")?;
    words.host().map(what)
}

/// `lose 10 % of a -> b`.
fn some_packets(verb: &str, words: &mut Words) -> Result<What, SentenceError> {
    let percent = words.count(100u8)?;
    words.exactly("% of")?;
    let way = words.way()?;
    let how = match verb {
        "lose" => Impairment::Lose(percent),
        "duplicate" => Impairment::Duplicate(percent),
        "reorder" => Impairment::Reorder(percent),
        _ => {
            words.exactly("by")?;
            Impairment::Delay(percent, words.span()?)
        }
    };
    Ok(What::Impair(way, how))
}

/// `drop SYNs on a -> b`, `stretch reads on a -> b`, `shrink buffers on a -> b to 16 B`.
fn handshakes_or_streams(verb: &str, words: &mut Words) -> Result<What, SentenceError> {
    let how = match verb {
        "drop" => words.exactly("SYNs").map(|()| Impairment::DropSyns)?,
        "refuse" => words.exactly("SYNs").map(|()| Impairment::RefuseSyns)?,
        "stall" => words.exactly("reads").map(|()| Impairment::StallReads)?,
        "stretch" => words.word("\"reads\" or \"writes\"", |word| match word {
            "reads" => Some(Impairment::StretchReads),
            "writes" => Some(Impairment::StretchWrites),
            _ => None,
        })?,
        _ => {
            words.exactly("buffers on")?;
            let way = words.way()?;
            words.exactly("to")?;
            let bytes = words.count(u64::MAX)?;
            words.exactly("B")?;
            return Ok(What::Impair(way, Impairment::ShrinkBuffers(bytes)));
        }
    };
    words.exactly("on")?;
    Ok(What::Impair(words.way()?, how))
}

fn when(words: &mut Words) -> Result<When, SentenceError> {
    if words.takes("at") {
        return Ok(When::At(words.span()?));
    }
    if !words.takes("when") {
        return Err(words.expected("\"at\" or \"when\""));
    }
    let host = words.host()?;
    match words.peek() {
        "->" => on_route(host, words),
        "accepts" => {
            words.exactly("accepts its")?;
            let nth = words.nth()?;
            words.exactly("connection")?;
            Ok(When::On { trigger: Trigger::Accepts(host), nth })
        }
        "reads" => {
            words.exactly("reads from")?;
            let route = Route { from: words.host()?, to: host };
            Ok(When::On { trigger: Trigger::Reads(route), nth: time(words)? })
        }
        "closes" => {
            words.exactly("closes a connection with")?;
            let route = Route { from: host, to: words.host()? };
            Ok(When::On { trigger: Trigger::Closes(route), nth: time(words)? })
        }
        "receives" => {
            words.exactly("receives the")?;
            let nth = words.nth()?;
            words.exactly("byte from")?;
            Ok(When::On { trigger: Trigger::Receives(Route { from: words.host()?, to: host }), nth })
        }
        _ => Err(words.expected("\"->\", \"accepts\", \"reads\", \"receives\" or \"closes\"")),
    }
}

/// `-> b starts its 2nd connect`, `-> b makes its 2nd write`.
fn on_route(from: String, words: &mut Words) -> Result<When, SentenceError> {
    words.exactly("->")?;
    let route = Route { from, to: words.host()? };
    let (trigger, object) = match words.peek() {
        "starts" => (Trigger::Connects(route), "connect"),
        "makes" => (Trigger::Writes(route), "write"),
        _ => return Err(words.expected("\"starts\" or \"makes\"")),
    };
    words.skip(words.peek().len());
    words.exactly("its")?;
    let nth = words.nth()?;
    words.exactly(object)?;
    Ok(When::On { trigger, nth })
}

/// `the 2nd time`.
fn time(words: &mut Words) -> Result<u32, SentenceError> {
    words.exactly("the")?;
    let nth = words.nth()?;
    words.exactly("time")?;
    Ok(nth)
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

/// A place may hold spaces and ` at its ` itself: what follows it does not, so it ends at the last one.
fn place(words: &mut Words) -> Result<String, SentenceError> {
    let place = words.rest().rfind(" at its ").map(|end| &words.rest()[..end]);
    let place = place.filter(|place| !place.is_empty() && !place.contains(char::is_control));
    let place = place.ok_or_else(|| words.expected("a place like \"src/link.rs:88\", and then \"at its\""))?;
    words.skip(place.len());
    Ok(place.to_string())
}

fn until(words: &mut Words) -> Result<Until, SentenceError> {
    if words.takes("for") {
        return Ok(Until::For(words.span()?));
    }
    if words.peek() != "until" {
        return Err(words.expected("\"until nothing else can run\" or \"for\""));
    }
    words.exactly("until nothing else can run")?;
    Ok(Until::Idle)
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
    What, what;
    Way, Words::way;
    Link, Words::link;
    Route, Words::route;
    When, when;
    Hold, hold;
    Until, until;
    super::Span, |words| words.span().map(super::Span);
    super::Nth, |words| words.nth().map(super::Nth);
}
