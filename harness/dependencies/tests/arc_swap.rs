//! `arc-swap`: a value is loaded and then stored; it is updated with `rcu`.

use super::both;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Another thread may store in between.
#[refrain::model(expect = "panic")]
fn a_load_and_a_store_are_two_steps() {
    let value = Arc::new(ArcSwap::from_pointee(0));
    let shared = value.clone();
    both(move || {
        let was = **shared.load();
        shared.store(Arc::new(was + 1));
    });
    assert_eq!(**value.load(), 2);
}

#[refrain::model]
fn an_update_is_one_step() {
    let value = Arc::new(ArcSwap::from_pointee(0));
    let shared = value.clone();
    both(move || {
        shared.rcu(|was| **was + 1);
    });
    assert_eq!(**value.load(), 2);
}
