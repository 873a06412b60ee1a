//! What a test waits for while all slots of the machine for runs are taken.

use serde::{Deserialize, Serialize};

/// A wait for a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotWait {
    /// The processes that hold slots.
    pub holders: Vec<SlotHolder>,
    /// After how many seconds the test continues without a slot: 0 if it does so now.
    pub goes_on_after_s: u64,
}

/// A process that holds one slot or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotHolder {
    /// The number of the process.
    pub process: u32,
    /// Its name, or nothing if it cannot be read.
    pub name: String,
    /// Whether it is stopped, by Ctrl-Z or in a debugger.
    pub is_stopped: bool,
}
