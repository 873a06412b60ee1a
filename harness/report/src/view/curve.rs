//! When a failure became inevitable, as a curve: the share of continuations that fail, by the event that they go on from.

use serde::Serialize;

/// A curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Curve {
    /// Its points, from the left.
    pub(crate) points: Vec<Point>,
    /// The event after which no continuation was saved; `None` if there is none, or if no event had to happen.
    pub(crate) inevitable_after: Option<usize>,
    /// What the numbers mean.
    pub(crate) sentences: Vec<String>,
}

/// What came of runs that begin with the same events and go on in other ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Point {
    /// The last of these events; `None` at the start of the run.
    pub(crate) after: Option<usize>,
    /// How many runs fail in the same way.
    pub(crate) fails: u64,
    /// The number of runs.
    pub(crate) of: u64,
}
