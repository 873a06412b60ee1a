//! Strategies for the parts of sentences, for tests.

use super::{Direction, Link, Route};
use proptest::{collection, prelude::*};
use serde_json::{Map, Value};
use std::time::Duration;

/// Generates durations over the whole range that a plan can express.
pub fn durations() -> BoxedStrategy<Duration> {
    one_of![
        (0u64..100_000).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        (0u64..10_000_000).prop_map(Duration::from_nanos),
        (any::<u64>(), 0u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        Just(Duration::ZERO),
        Just(Duration::MAX),
    ]
}

/// Generates byte counts of at least 1.
pub(super) fn counts() -> BoxedStrategy<u64> {
    one_of![1u64..100_000, 1..=u64::MAX]
}

pub(super) fn directions() -> BoxedStrategy<Direction> {
    one_of![links().prop_map(Direction::Both), routes().prop_map(Direction::One)]
}

pub(super) fn links() -> BoxedStrategy<Link> {
    (hosts(), hosts()).prop_map(|(one, other)| Link(one, other)).boxed()
}

pub(super) fn routes() -> BoxedStrategy<Route> {
    (hosts(), hosts()).prop_map(|(from, to)| Route { from, to }).boxed()
}

pub(super) fn hosts() -> BoxedStrategy<String> {
    one_of!["[A-Za-z0-9_.-]{1,8}", "exchange|notes|for|when|at|its|-|and"]
}

/// Generates any text, including control characters, which proptest's own strings lack.
pub fn texts() -> BoxedStrategy<String> {
    one_of![any::<String>(), "(?s).{0,16}", "[\u{0}-\u{a0}\u{2028}\u{202e}\"\\\\ =]{0,8}"]
}

/// Generates any JSON of limited depth.
pub fn values() -> BoxedStrategy<Value> {
    let leaf = one_of![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let members = collection::vec((texts(), inner.clone()), 0..5);
        one_of![
            collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
    .boxed()
}

/// Generates names of parameters and rules.
pub(super) fn names() -> BoxedStrategy<String> {
    one_of!["[a-z_][a-z0-9_]{0,8}", "[a-zäßé_]{1,4}", Just("seed".to_string()), Just("cut".to_string())]
}
