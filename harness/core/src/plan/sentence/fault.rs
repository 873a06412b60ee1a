//! Reads what goes wrong: a verb, where, when and for how long.

use super::{SentenceError, words::Words};
use crate::plan::{Fault, Impairment, Route, Trigger, TriggerEvent, What};

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

/// Whether a sentence that begins so is about a fault.
pub(super) fn begins_fault(word: &str) -> bool {
    VERBS.contains(&word)
}

/// What goes wrong, where, when and for how long.
pub(super) fn fault(words: &mut Words) -> Result<Fault, SentenceError> {
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

/// What goes wrong, and where.
pub(super) fn what(words: &mut Words) -> Result<What, SentenceError> {
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

/// What is expected where a fault could stand: `a fault: "cut", "slow", ...`.
pub(super) fn a_fault() -> String {
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

/// When it begins.
pub(super) fn when(words: &mut Words) -> Result<Trigger, SentenceError> {
    if words.takes("at") {
        return Ok(Trigger::At(words.span()?));
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
            Ok(Trigger::On { trigger: TriggerEvent::Accepts(host), nth })
        }
        "reads" => {
            words.exactly("reads from")?;
            let route = Route { from: words.host()?, to: host };
            Ok(Trigger::On { trigger: TriggerEvent::Reads(route), nth: time(words)? })
        }
        "closes" => {
            words.exactly("closes a connection with")?;
            let route = Route { from: host, to: words.host()? };
            Ok(Trigger::On { trigger: TriggerEvent::Closes(route), nth: time(words)? })
        }
        "receives" => {
            words.exactly("receives the")?;
            let nth = words.nth()?;
            words.exactly("byte from")?;
            Ok(Trigger::On { trigger: TriggerEvent::Receives(Route { from: words.host()?, to: host }), nth })
        }
        _ => Err(words.expected("\"->\", \"accepts\", \"reads\", \"receives\" or \"closes\"")),
    }
}

/// `-> b starts its 2nd connect`, `-> b makes its 2nd write`.
fn on_route(from: String, words: &mut Words) -> Result<Trigger, SentenceError> {
    words.exactly("->")?;
    let route = Route { from, to: words.host()? };
    let (trigger, object) = match words.peek() {
        "starts" => (TriggerEvent::Connects(route), "connect"),
        "makes" => (TriggerEvent::Writes(route), "write"),
        _ => return Err(words.expected("\"starts\" or \"makes\"")),
    };
    words.skip(words.peek().len());
    words.exactly("its")?;
    let nth = words.nth()?;
    words.exactly(object)?;
    Ok(Trigger::On { trigger, nth })
}

/// `the 2nd time`.
fn time(words: &mut Words) -> Result<u32, SentenceError> {
    words.exactly("the")?;
    let nth = words.nth()?;
    words.exactly("time")?;
    Ok(nth)
}
