//! Draws what sentences are made of, for tests.

use super::{Direction, Link, Route};
use proptest::prelude::*;
use std::time::Duration;

/// Durations, from the least to the largest that a plan can say.
pub fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0u64..100_000).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        (0u64..10_000_000).prop_map(Duration::from_nanos),
        (any::<u64>(), 0u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        Just(Duration::ZERO),
        Just(Duration::MAX),
    ]
}

/// How many bytes, at least 1.
pub(super) fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![1u64..100_000, 1..=u64::MAX]
}

pub(super) fn directions() -> impl Strategy<Value = Direction> {
    prop_oneof![links().prop_map(Direction::Both), routes().prop_map(Direction::One)]
}

pub(super) fn links() -> impl Strategy<Value = Link> {
    (hosts(), hosts()).prop_map(|(one, other)| Link(one, other))
}

pub(super) fn routes() -> impl Strategy<Value = Route> {
    (hosts(), hosts()).prop_map(|(from, to)| Route { from, to })
}

pub(super) fn hosts() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9_.-]{1,8}", "exchange|notes|for|when|at|its|-|and"]
}
