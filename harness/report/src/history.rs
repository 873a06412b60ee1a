//! Formats what clients asked of an object, if no order of it explains the answers, or a model answers otherwise.

use super::words::clock;
use refrain_core::verdict::{Property, Recorded};

/// Formats that no order explains operations, as a sentence.
pub(super) fn message(property: &Property, key: Option<&str>, operations: &[Recorded]) -> String {
    let what = if let Property::Linearizable(what) = property { what } else { "a history" };
    let key = key.map(|key| format!(" of key {key}")).unwrap_or_default();
    let why = match operations.len() {
        1 => "nothing explains an answer".to_owned(),
        several => format!("no order of {several} operations explains their answers"),
    };
    format!("`{what}`{key} is not linearizable: {why}")
}

/// Formats that a service answers otherwise than its model, as a sentence.
pub(super) fn disagrees(property: &Property, operations: &[Recorded], expected: &[String]) -> String {
    let what = if let Property::AgreesWithModel(what) = property { what } else { "a service" };
    let (call, answer) = operations.last().map_or(("", None), |last| (&*last.call, last.answer.as_deref()));
    let (answer, expected) = (answer.unwrap_or("nothing"), expected.join(" or "));
    format!("`{what}` does not agree with its model: it answers {call} with {answer}, and the model with {expected}")
}

/// Formats operations, one per line, and what the object may be before them.
pub(super) fn lines(when: &str, begins: &[String], operations: &[Recorded]) -> Vec<String> {
    let before = format!("{when} it is {}", begins.join(" or "));
    let line = |of: &Recorded| {
        let Recorded { number, client, call, answer, called, answered } = of;
        let from = clock(*called);
        match answered.map(clock).zip(answer.as_ref()) {
            Some((to, answer)) => format!("{client}: {call} -> {answer}, from {from} to {to} (operation {number})"),
            None => format!("{client}: {call}, from {from}, never answered (operation {number})"),
        }
    };
    [before].into_iter().chain(operations.iter().map(line)).collect()
}
