//! The heap of a model's executions: what is freed is kept until the next execution begins, so that a use of it is known by its address.

use crate::sim::interpose::{self, heap};

pub use heap::Freed;

/// Lets this thread allocate from a heap that keeps what is freed. No other thread of this process may have begun.
pub fn begin(freed: Freed) {
    interpose::link();
    heap::begin(freed);
    heap::keep();
}

/// Lets this thread allocate again what it has freed: an execution begins.
pub fn reuse() {
    heap::reuse();
}

/// Returns whether an address is in memory that this thread has freed. Always false where libc cannot be replaced.
#[inline]
pub fn is_freed(address: usize) -> bool {
    heap::is_freed(address)
}
