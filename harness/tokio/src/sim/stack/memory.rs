//! The memory of a stack, at an address that depends on how many the run has made before, and on nothing else: some code takes the address of
//! a variable for chance.
#![allow(unsafe_code)]

use crate::sim::addresses;
use corosensei::stack::{Stack, StackPointer};
use std::{
    io, ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The usual size of a program's main stack.
const STACK_BYTES: usize = 8 << 20;
/// An access there is a stack overflow: a page of any machine.
pub(super) const GUARD_BYTES: usize = 64 << 10;
/// How far apart stacks are.
const APART: usize = 2 * STACK_BYTES;

/// How many stacks this process has made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// A stack and its guard, mapped until it is dropped.
#[derive(Debug)]
pub(super) struct Memory {
    limit: StackPointer,
}

impl Memory {
    /// Maps a stack. It lies elsewhere if its place is taken, or is beyond this machine's addresses.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new() -> io::Result<Memory> {
        let place = addresses::STACKS + MADE.fetch_add(1, Relaxed) * APART;
        let limit = map(place, libc::MAP_FIXED_NOREPLACE).or_else(|_| map(0, 0))?;
        let memory = Memory { limit };
        // SAFETY: what was mapped above ends there, and nobody uses it yet.
        match unsafe { libc::mprotect(ptr::with_exposed_provenance_mut(limit.get()), GUARD_BYTES, libc::PROT_NONE) } {
            0 => Ok(memory),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Maps a stack with its guard.
fn map(place: usize, flags: libc::c_int) -> io::Result<StackPointer> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, flags | libc::MAP_ANONYMOUS | libc::MAP_PRIVATE);
    // SAFETY: a new mapping, which replaces none.
    let mapped =
        unsafe { libc::mmap(ptr::without_provenance_mut(place), GUARD_BYTES + STACK_BYTES, access, flags, -1, 0) };
    match StackPointer::new(mapped.expose_provenance()) {
        Some(limit) if mapped != libc::MAP_FAILED => Ok(limit),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: this has mapped it, and whoever owns a stack runs on none of it.
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(self.limit.get()), GUARD_BYTES + STACK_BYTES) };
    }
}

// SAFETY: the lowest part of it is a guard which nobody can access, and the rest is much more than a stack needs at least. Its ends are
// multiples of a page.
unsafe impl Stack for Memory {
    fn base(&self) -> StackPointer {
        self.limit.saturating_add(GUARD_BYTES + STACK_BYTES)
    }

    fn limit(&self) -> StackPointer {
        self.limit
    }
}
