//! tokio's `net` on the simulated network: TCP.

mod addr;
mod listener;
mod split;
mod stream;

pub use addr::{ToSocketAddrs, lookup_host};
pub use listener::TcpListener;
pub use stream::TcpStream;

/// Halves of a stream. As tokio's.
pub mod tcp {
    pub use super::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
}
