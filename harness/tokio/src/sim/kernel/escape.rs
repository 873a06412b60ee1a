//! What code of a run does that is outside of its simulation.

use refrain_core::verdict::Outside;

/// What is about to leave the simulation.
#[derive(Debug)]
pub struct Escape {
    /// The function of libc, or the system call.
    pub call: &'static str,
    /// To what, if it says so.
    pub to: String,
    /// What it reaches for.
    pub outside: Outside,
}
