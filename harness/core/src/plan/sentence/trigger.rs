//! Parses when a fault starts: at a time, or at an event.

use crate::plan::{Route, SentenceError, Trigger, TriggerEvent, words::Words};

/// Parses when a fault starts.
pub(super) fn trigger(words: &mut Words) -> Result<Trigger, SentenceError> {
    if words.takes("at") {
        return Ok(Trigger::At(words.duration()?));
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
            Ok(Trigger::On { event: TriggerEvent::Accepts(host), nth })
        }
        "reads" => {
            words.exactly("reads from")?;
            let route = Route { from: words.host()?, to: host };
            Ok(Trigger::On { event: TriggerEvent::Reads(route), nth: time(words)? })
        }
        "closes" => {
            words.exactly("closes a connection with")?;
            let route = Route { from: host, to: words.host()? };
            Ok(Trigger::On { event: TriggerEvent::Closes(route), nth: time(words)? })
        }
        "receives" => {
            words.exactly("receives the")?;
            let nth = words.nth()?;
            words.exactly("byte from")?;
            Ok(Trigger::On { event: TriggerEvent::Receives(Route { from: words.host()?, to: host }), nth })
        }
        _ => Err(words.expected("\"->\", \"accepts\", \"reads\", \"receives\" or \"closes\"")),
    }
}

/// Parses `-> b starts its 2nd connect`, `-> b makes its 2nd write`.
fn on_route(from: String, words: &mut Words) -> Result<Trigger, SentenceError> {
    words.exactly("->")?;
    let route = Route { from, to: words.host()? };
    let (event, object) = match words.peek() {
        "starts" => (TriggerEvent::Connects(route), "connect"),
        "makes" => (TriggerEvent::Writes(route), "write"),
        _ => return Err(words.expected("\"starts\" or \"makes\"")),
    };
    words.skip(words.peek().len());
    words.exactly("its")?;
    let nth = words.nth()?;
    words.exactly(object)?;
    Ok(Trigger::On { event, nth })
}

/// Parses `the 2nd time`.
fn time(words: &mut Words) -> Result<u32, SentenceError> {
    words.exactly("the")?;
    let nth = words.nth()?;
    words.exactly("time")?;
    Ok(nth)
}
