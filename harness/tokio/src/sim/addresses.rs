//! Where the memory of a run is: at addresses that nothing else uses, because programs, libraries and stacks are mapped at either end of the address
//! space.

use std::ops::Range;

/// Where its heap begins.
pub const HEAP: usize = 0x2000_0000_0000;
/// Where the stacks of its polls begin.
pub const STACKS: usize = 0x3800_0000_0000;
const END: usize = 0x4000_0000_0000;

/// Returns the addresses at which only runs have memory.
pub fn of_runs() -> Range<usize> {
    HEAP..END
}
