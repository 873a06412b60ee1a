//! HTTP over tokio's streams: what both ends, which are hyper's, need of a connection and of time.

mod stream;

pub use stream::{Clock, Stream};
