//! Where in the source a call was made.

use crate::place::Place;
use serde::{Deserialize, Serialize};

/// A backtrace, innermost frame first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Backtrace {
    /// Its frames.
    pub frames: Vec<Frame>,
}

impl Backtrace {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

/// A frame of a backtrace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The name of the function: `echo::serve::{{closure}}`.
    pub function: String,
    /// The line in the function; `None` without debug information.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}
