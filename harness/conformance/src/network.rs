//! What a case says of the two hosts and of the packets between them, on either network.

/// One of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the listener is.
    Server,
    /// Where connects come from.
    Client,
}

/// What is wrong with packets, each way.
#[derive(Debug, Clone, Copy)]
pub enum Impaired {
    /// A fifth of them is lost.
    Lossy,
    /// Half of them arrive twice.
    Doubled,
    /// Half of them overtake the others.
    Shuffled,
    /// All of them are late, by much and a little.
    Late,
}
