//! What the table takes from the standard library. A test that explores interleavings puts its own in this place.

pub(super) use std::sync::{Mutex, PoisonError, atomic};
