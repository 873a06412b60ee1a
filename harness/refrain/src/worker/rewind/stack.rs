//! Two stacks at fixed addresses.

use corosensei::stack::{Stack, StackPointer};
use nix::libc;
use std::{io, ops::Range, ptr};

/// Nothing else is here: the memory of runs lies behind it.
const START: usize = 0x1f00_0000_0000;
/// The usual size of a program's main stack.
const BYTES: usize = 8 << 20;
/// An access there is a stack overflow: a page of any machine.
const GUARD_BYTES: usize = 64 << 10;

/// A stack, mapped for good.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    limit: StackPointer,
}

impl Fixed {
    /// Maps both.
    ///
    /// # Errors
    /// If there is no memory, or something else is there.
    pub fn both() -> io::Result<[Fixed; 2]> {
        Ok([Fixed::map(START)?, Fixed::map(START + 2 * BYTES)?])
    }

    fn map(at: usize) -> io::Result<Fixed> {
        let (access, length) = (libc::PROT_READ | libc::PROT_WRITE, GUARD_BYTES + BYTES);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let to = ptr::without_provenance_mut(at);
        // SAFETY: a new mapping, which replaces none.
        let mapped = unsafe { libc::mmap(to, length, access, flags, -1, 0) };
        if mapped != to {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was mapped just now, and nobody uses it yet.
        match (
            unsafe { libc::mprotect(mapped, GUARD_BYTES, libc::PROT_NONE) },
            StackPointer::new(mapped.expose_provenance()),
        ) {
            (0, Some(limit)) => Ok(Fixed { limit }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Its addresses.
    pub fn range(&self) -> Range<usize> {
        self.limit.get()..self.limit.get() + GUARD_BYTES + BYTES
    }
}

// SAFETY: the lowest part of it is a guard which nobody can access, and the rest is much more than a stack needs at least. Its ends are multiples of a
// page. It is never unmapped.
unsafe impl Stack for Fixed {
    fn base(&self) -> StackPointer {
        self.limit.saturating_add(GUARD_BYTES + BYTES)
    }

    fn limit(&self) -> StackPointer {
        self.limit
    }
}
