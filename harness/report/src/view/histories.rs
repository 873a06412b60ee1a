//! The histories of objects that a test records: what each client asked, from which event to which, and what it was answered.

use refrain_core::{
    escape::escaped,
    event::{Event, Kind},
    verdict::{Detail, Failure, Property},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The history of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct History {
    /// Its name.
    name: String,
    /// The clients, in the order in which they first call.
    clients: Vec<String>,
    /// The operations, in the order of their calls.
    operations: Vec<Operation>,
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
    /// Whether it is one of those that no order explains.
    fails: bool,
}

/// Returns the histories, by their names. The first event has the number `first`.
pub(super) fn histories(events: &[Event], first: usize, failure: Option<&Failure>) -> Vec<History> {
    let mut found: BTreeMap<&str, History> = BTreeMap::new();
    // The index of each operation among those of its history.
    let mut places: BTreeMap<(&str, u64), usize> = BTreeMap::new();
    for (n, event) in (first..).zip(events) {
        match &event.kind {
            Kind::Called { history: name, number, client, call } => {
                let empty = || History { name: escaped(name), clients: vec![], operations: vec![] };
                let history = found.entry(name).or_insert_with(empty);
                let client = index_of(&mut history.clients, escaped(client));
                let fails = failure.is_some_and(|failure| is_in(failure, name, *number));
                places.insert((name, *number), history.operations.len());
                history.operations.push(Operation { client, from: n, to: None, text: escaped(call), fails });
            }
            Kind::Answered { history: name, number, answer } => {
                let operation =
                    places.get(&(name.as_str(), *number)).and_then(|at| Some((*at, found.get_mut(name.as_str())?)));
                if let Some((at, history)) = operation {
                    history.operations[at].to = Some(n);
                    history.operations[at].text += &format!(" -> {}", escaped(answer));
                }
            }
            _ => {}
        }
    }
    found.into_values().collect()
}

fn index_of(all: &mut Vec<String>, name: String) -> usize {
    all.iter().position(|other| *other == name).unwrap_or_else(|| {
        all.push(name);
        all.len() - 1
    })
}

/// Returns whether a failure is about an operation.
fn is_in(failure: &Failure, history: &str, number: u64) -> bool {
    let (Property::Linearizable(name), Detail::NotLinearizable { operations, .. }) =
        (&failure.property, &failure.detail)
    else {
        return false;
    };
    name == history && operations.iter().any(|operation| operation.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::verdict::{Class, Recorded};
    use serde_json::{json, to_value};

    #[test]
    fn each_operation_lasts_from_its_call_to_its_answer() {
        let event = |kind| Event { at: 0, host: String::new(), task: None, kind };
        let called = |number, client: &str, call: &str| {
            event(Kind::Called { history: "register".into(), number, client: client.into(), call: call.into() })
        };
        let answered = |number| event(Kind::Answered { history: "register".into(), number, answer: "7".into() });
        let events = [
            called(0, "one", "Write(7)"),
            event(Kind::Heal),
            called(1, "other", "Read\u{1b}"),
            answered(0),
            answered(9),
        ];
        let failed = Recorded {
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
            "clients": ["one", "other"],
            "operations": [
                {"client": 0, "from": 10, "to": 13, "text": "Write(7) -> 7", "fails": false},
                {"client": 1, "from": 12, "to": null, "text": "Read\\u{1b}", "fails": true},
            ],
        }]);
        assert_eq!(to_value(histories(&events, 10, Some(&failure))).unwrap(), expected);
        assert!(histories(&events[1..2], 0, None).is_empty());
    }
}
