//! Models that depend on something other than their threads.

use super::threads;
use refrain::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::{
    collections::HashMap,
    sync::{Arc, atomic},
    time::{SystemTime, UNIX_EPOCH},
};

#[refrain::model(expect = "nondeterminism")]
fn the_order_of_a_hash_map_is_noticed() {
    let map: HashMap<usize, usize> = (0..16).map(|n| (n, n)).collect();
    let sum = Arc::new(AtomicUsize::new(0));
    let own = sum.clone();
    threads(1, move |_| {
        for n in map.keys() {
            sum.store(*n, Relaxed);
        }
    });
    own.load(Relaxed);
}

#[refrain::model(expect = "nondeterminism")]
fn a_clock_is_noticed() {
    let at = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    at.store(since.as_nanos() as u64, Relaxed);
}

#[refrain::model(expect = "nondeterminism")]
fn a_static_that_outlives_an_execution_is_noticed() {
    static RUNS: atomic::AtomicUsize = atomic::AtomicUsize::new(0);
    let seen = AtomicUsize::new(0);
    seen.store(RUNS.fetch_add(1, Relaxed), Relaxed);
}
