//! The hosts and packets that a case refers to, on either network.

/// One of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the listener is.
    Server,
    /// Where connects come from.
    Client,
}

/// An impairment of packets, in both directions.
#[derive(Debug, Clone, Copy)]
pub enum Impaired {
    /// A fifth of them is lost.
    Lossy,
    /// Half of them are duplicated.
    Doubled,
    /// Half of them overtake the others.
    Shuffled,
    /// All of them are delayed, by a large base and a little jitter.
    Late,
}
