//! A model: a function with threads and its search options, as the attribute macro generates it.

/// A function with threads.
#[derive(Debug)]
pub struct Model {
    /// The function.
    pub body: fn(),
    /// The only searcher to use; `None` for both.
    pub searcher: Option<&'static str>,
    /// Maximum number of preemptions; `None` for none first, then gradually more, finally unlimited.
    pub preemptions: Option<u8>,
    /// Whether the exhaustive search must be complete.
    pub complete: bool,
}
