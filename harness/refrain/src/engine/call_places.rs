//! The lines of the service that start threads, or block. To find one takes a backtrace and the executable's debug information, which is
//! slow; so a run tells its worker, and the runs that are forked later know it.

use crate::place::Place;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::control::CallPlace;

/// The known lines, by the number of the calls that lead there.
static KNOWN: Mutex<BTreeMap<u64, &'static CallPlace>> = Mutex::new(BTreeMap::new());

fn known() -> MutexGuard<'static, BTreeMap<u64, &'static CallPlace>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a known line.
pub(crate) fn get(path: u64) -> Option<&'static CallPlace> {
    known().get(&path).copied()
}

/// Returns how many lines are known.
pub(crate) fn count() -> usize {
    known().len()
}

/// Keeps a line for good.
pub(crate) fn learn(path: u64, place: Place) -> &'static CallPlace {
    known().entry(path).or_insert_with(|| Box::leak(Box::new(CallPlace { path, place })))
}
