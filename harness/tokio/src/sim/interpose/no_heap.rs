//! Where libc cannot be replaced, a run allocates from its heap.

/// Is told what the thread of the heap frees.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)]
pub struct Freed {
    /// Something at this address is freed that is not allocated.
    pub again: fn(usize) -> !,
    /// Something is freed and kept: its address and its length.
    pub kept: fn(usize, usize),
}

pub(crate) fn begin(_: Freed) {}

pub(super) fn join() {}

pub(super) fn leave() {}

pub(crate) fn keep() {}

pub(crate) fn reuse() {}

#[inline]
pub(crate) fn is_freed(_: usize) -> bool {
    false
}

pub(super) fn symbols() -> [*const (); 0] {
    []
}
