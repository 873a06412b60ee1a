//! `dashmap`: a value is read and then inserted, or inserted while a reference to it exists; its entry is updated.

use super::both;
use dashmap::DashMap;
use std::sync::Arc;

fn counts() -> Arc<DashMap<&'static str, u32>> {
    Arc::new(DashMap::with_shard_amount(2))
}

/// Each call locks the shard by itself.
#[refrain::model(expect = "panic")]
fn a_get_and_an_insert_are_two_steps() {
    let map = counts();
    let shared = map.clone();
    both(move || {
        let was = shared.get("visits").map_or(0, |count| *count);
        shared.insert("visits", was + 1);
    });
    assert_eq!(*map.get("visits").unwrap(), 2);
}

#[refrain::model(complete)]
fn an_entry_is_updated_in_one_step() {
    let map = counts();
    let shared = map.clone();
    both(move || *shared.entry("visits").or_insert(0) += 1);
    assert_eq!(*map.get("visits").unwrap(), 2);
}

/// A reference holds the shard's lock.
#[refrain::model(expect = "deadlock")]
fn an_insert_under_a_reference_deadlocks() {
    let map = counts();
    map.insert("visits", 0);
    both(move || {
        let count = map.get("visits").unwrap();
        map.insert("visits", *count + 1);
    });
}
