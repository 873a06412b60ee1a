//! A model: a fn with threads, and how it is searched, as the attribute leaves it.

/// A fn with threads.
#[derive(Debug)]
pub struct Model {
    /// What it does.
    pub body: fn(),
    /// The one searcher that is used; `None`: both are.
    pub searcher: Option<&'static str>,
    /// The most preemptions that are tried; `None`: first none, then more and more, at last any number.
    pub preemptions: Option<u8>,
    /// Whether the exhaustive search goes on until it is complete.
    pub complete: bool,
}
