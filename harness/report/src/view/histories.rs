//! The histories of objects that a test records: what each client asked, from which event to which, what it was answered, and the order that
//! explains the answers.

use refrain_core::{
    escape::escaped,
    event::{Event, Kind, Ordered},
    verdict::{Detail, Failure, Property},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The history of an object, or of the part of it that a key has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct History {
    /// Its name.
    name: String,
    /// The key, if it was checked for each key alone.
    key: Option<String>,
    /// The clients, in the order in which they first call.
    clients: Vec<String>,
    /// The operations, in the order of their calls.
    operations: Vec<Operation>,
    /// The state before all operations, if the history was checked.
    begin: Option<String>,
    /// The longest order that explains the answers.
    order: Vec<Effect>,
    /// The operations of which one would have to be next in it, and none can be.
    stuck: Vec<Stuck>,
}

/// What a client asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Operation {
    /// The index of the client.
    client: usize,
    /// The event of the call.
    from: usize,
    /// The event of the answer, if there is one.
    to: Option<usize>,
    /// `Write(1) -> Done`.
    text: String,
    /// Whether the failure is about it.
    fails: bool,
}

/// An operation that takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Effect {
    /// Its index.
    operation: usize,
    /// The state after it.
    state: String,
}

/// An operation that has another answer than it would have next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Stuck {
    /// Its index.
    operation: usize,
    /// The answer that it would have.
    would_answer: String,
}

/// What was recorded of an operation.
struct Recorded<'a> {
    client: &'a str,
    from: usize,
    to: Option<usize>,
    call: &'a str,
    answer: Option<&'a str>,
}

/// The operations of a history, by their numbers.
type Operations<'a> = BTreeMap<u64, Recorded<'a>>;

/// Returns the histories, by their names and keys. The first event has the number `first`.
pub(super) fn histories(events: &[Event], first: usize, failure: Option<&Failure>) -> Vec<History> {
    let mut recorded: BTreeMap<&str, Operations<'_>> = BTreeMap::new();
    // What was checked last counts.
    let mut checked: BTreeMap<(&str, Option<&str>), &Ordered> = BTreeMap::new();
    for (n, event) in (first..).zip(events) {
        match &event.kind {
            Kind::Called { history, number, client, call } => {
                let operation = Recorded { client, from: n, to: None, call, answer: None };
                recorded.entry(history).or_default().insert(*number, operation);
            }
            Kind::Answered { history, number, answer } => {
                let of = recorded.get_mut(history.as_str()).and_then(|operations| operations.get_mut(number));
                if let Some(operation) = of {
                    (operation.to, operation.answer) = (Some(n), Some(answer.as_str()));
                }
            }
            Kind::Ordered(ordered) => {
                checked.insert((&ordered.history, ordered.key.as_deref()), ordered);
            }
            _ => {}
        }
    }
    let mut found = vec![];
    for (name, operations) in &recorded {
        let of_history = || checked.iter().filter(|((history, _), _)| history == name);
        let mut rest: BTreeSet<u64> = operations.keys().copied().collect();
        for ((_, key), ordered) in of_history() {
            let numbers: BTreeSet<u64> = ordered.operations.iter().copied().collect();
            rest.retain(|number| !numbers.contains(number));
            found.push(part(name, *key, &numbers, operations, Some(ordered), failure));
        }
        if !rest.is_empty() {
            found.push(part(name, None, &rest, operations, None, failure));
        }
    }
    found
}

/// Returns the history of some operations.
fn part(
    name: &str,
    key: Option<&str>,
    numbers: &BTreeSet<u64>,
    operations: &Operations<'_>,
    ordered: Option<&Ordered>,
    failure: Option<&Failure>,
) -> History {
    let mut clients = vec![];
    let mut indices = BTreeMap::new();
    let mut of_part = vec![];
    for (number, operation) in operations.iter().filter(|(number, _)| numbers.contains(number)) {
        let answer = operation.answer.map(|answer| format!(" -> {}", escaped(answer))).unwrap_or_default();
        indices.insert(*number, of_part.len());
        of_part.push(Operation {
            client: index_of(&mut clients, escaped(operation.client)),
            from: operation.from,
            to: operation.to,
            text: escaped(operation.call) + &answer,
            fails: failure.is_some_and(|failure| is_in(failure, name, *number)),
        });
    }
    let index = |number: &u64| indices.get(number).copied();
    let (order, stuck) = ordered.map_or((&[][..], &[][..]), |ordered| (&ordered.order, &ordered.stuck));
    History {
        name: escaped(name),
        key: key.map(escaped),
        clients,
        operations: of_part,
        begin: ordered.map(|ordered| escaped(&ordered.begin)),
        order: order
            .iter()
            .filter_map(|of| Some(Effect { operation: index(&of.number)?, state: escaped(&of.state) }))
            .collect(),
        stuck: stuck
            .iter()
            .filter_map(|of| Some(Stuck { operation: index(&of.number)?, would_answer: escaped(&of.would_answer) }))
            .collect(),
    }
}

fn index_of(all: &mut Vec<String>, name: String) -> usize {
    all.iter().position(|other| *other == name).unwrap_or_else(|| {
        all.push(name);
        all.len() - 1
    })
}

/// Returns whether a failure is about an operation.
fn is_in(failure: &Failure, history: &str, number: u64) -> bool {
    match (&failure.property, &failure.detail) {
        (Property::Linearizable(name), Detail::NotLinearizable { operations, .. }) => {
            name == history && operations.iter().any(|operation| operation.number == number)
        }
        // The last one has the answer that is not the model's.
        (Property::AgreesWithModel(name), Detail::Disagrees { operations, .. }) => {
            name == history && operations.last().is_some_and(|operation| operation.number == number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::{
        event,
        verdict::{self, Class},
    };
    use serde_json::{json, to_value};

    fn of(kind: Kind) -> Event {
        Event { at: 0, host: String::new(), task: None, kind }
    }

    fn called(number: u64, client: &str, call: &str) -> Event {
        of(Kind::Called { history: "register".into(), number, client: client.into(), call: call.into() })
    }

    fn answered(number: u64) -> Event {
        of(Kind::Answered { history: "register".into(), number, answer: "7".into() })
    }

    #[test]
    fn each_operation_lasts_from_its_call_to_its_answer() {
        let events =
            [called(0, "one", "Write(7)"), of(Kind::Heal), called(1, "other", "Read\u{1b}"), answered(0), answered(9)];
        let failed = verdict::Recorded {
            number: 1,
            client: "other".into(),
            call: "Read".into(),
            answer: None,
            called: 0,
            answered: None,
        };
        let failure = Failure {
            class: Class::Safety,
            property: Property::Linearizable("register".into()),
            place: None,
            detail: Detail::NotLinearizable { key: None, begins: [].into(), operations: [failed].into() },
            causes: vec![],
        };
        let expected = json!([{
            "name": "register",
            "key": null,
            "clients": ["one", "other"],
            "operations": [
                {"client": 0, "from": 10, "to": 13, "text": "Write(7) -> 7", "fails": false},
                {"client": 1, "from": 12, "to": null, "text": "Read\\u{1b}", "fails": true},
            ],
            "begin": null,
            "order": [],
            "stuck": [],
        }]);
        assert_eq!(to_value(histories(&events, 10, Some(&failure))).unwrap(), expected);
        assert!(histories(&events[1..2], 0, None).is_empty());
    }

    #[test]
    fn each_key_has_its_operations_and_its_order() {
        let ordered = |key: &str, operations: &[u64], order: &[u64], stuck: &[u64]| {
            of(Kind::Ordered(Box::new(Ordered {
                history: "register".into(),
                key: Some(key.into()),
                begin: "0".into(),
                operations: operations.into(),
                order: order.iter().map(|number| event::Effect { number: *number, state: "7".into() }).collect(),
                stuck: stuck
                    .iter()
                    .map(|number| event::Stuck { number: *number, would_answer: "\u{1b}".into() })
                    .collect(),
            })))
        };
        let calls = ["one", "other", "one", "one"];
        let mut events: Vec<Event> = (0..).zip(calls).map(|(number, client)| called(number, client, "Read")).collect();
        // A trace may say anything.
        events.extend([ordered("b", &[0], &[0], &[]), ordered("a", &[1, 2, 90], &[2, 90], &[1, 91])]);
        let found = to_value(histories(&events, 0, None)).unwrap();
        let parts: Vec<_> = found.as_array().unwrap().iter().collect();
        assert_eq!(parts.iter().map(|part| part["key"].as_str()).collect::<Vec<_>>(), [Some("a"), Some("b"), None]);
        assert_eq!(parts[0]["clients"], json!(["other", "one"]));
        assert_eq!(parts[0]["order"], json!([{"operation": 1, "state": "7"}]));
        assert_eq!(parts[0]["stuck"], json!([{"operation": 0, "would_answer": "\\u{1b}"}]));
        assert_eq!(parts[2]["operations"].as_array().unwrap().len(), 1);
    }
}
