//! The table's imports from the standard library. A test that explores interleavings replaces this module.

pub(super) use std::sync::{Mutex, PoisonError, atomic};
