//! `std::thread`.

mod handle;
mod local;

pub use ::std::thread::*;
pub use handle::{Builder, JoinHandle, Thread, ThreadId, current, spawn};
pub use local::{AccessError, LocalKey, begin, end, thread_local_of_std};

use crate::model;
use std::{panic::Location, time::Duration};

/// Like `std::thread::park`.
#[track_caller]
pub fn park() {
    match model::current() {
        Some(model) => model.park(Location::caller()),
        None => ::std::thread::park(),
    }
}

/// Like `std::thread::park_timeout`. Rejected under the exhaustive engine.
#[track_caller]
pub fn park_timeout(time: Duration) {
    match model::current() {
        Some(model) => model.park_timeout(time, Location::caller()),
        None => ::std::thread::park_timeout(time),
    }
}

/// Like `std::thread::yield_now`.
#[track_caller]
pub fn yield_now() {
    match model::current() {
        Some(model) => model.yield_now(Location::caller()),
        None => ::std::thread::yield_now(),
    }
}

/// Like `std::thread::sleep`. In a model it takes no time.
#[track_caller]
pub fn sleep(time: Duration) {
    match model::current() {
        Some(model) => model.sleep_for(time, Location::caller()),
        None => ::std::thread::sleep(time),
    }
}
