//! What lies outside of a simulation.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// What code that runs in a simulation reaches for, and no simulation has. A test allows it by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Outside {
    /// The machine's network.
    #[default]
    Network,
    /// Other processes: a program, a fork, a signal to another process.
    Processes,
    /// Threads of the kernel.
    Threads,
    /// Files outside of the package.
    Files,
    /// What no other name covers, such as io_uring.
    SystemCalls,
}

impl Outside {
    /// All of them, in the order of their documentation.
    pub const ALL: &[Outside] = Outside::VARIANTS;

    /// Returns its name, as in `allow = ["files"]`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
