//! `std::hint`.

pub use ::std::hint::*;

use crate::model;
use std::panic::Location;

/// Like `std::hint::spin_loop`. In a model it lets other threads run.
#[inline]
#[track_caller]
pub fn spin_loop() {
    match model::current() {
        Some(model) => model.spin_loop(Location::caller()),
        None => ::std::hint::spin_loop(),
    }
}
