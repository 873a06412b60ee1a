//! tokio's `net` on the simulated network: TCP, UDP and, within a machine, Unix sockets.

use bytes::BufMut;
use real::io::{Interest, Ready};
use std::io;

mod addr;
mod fd;
mod halves;
mod listener;
mod socket;
mod split;
mod stream;
mod stream_io;
mod udp;
pub mod unix;

pub use addr::{ToSocketAddrs, lookup_host};
pub use listener::TcpListener;
pub use socket::TcpSocket;
pub use stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

/// The halves of a stream.
pub mod tcp {
    pub use super::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
}

/// Returns the readiness that an interest waits for.
fn ready_for(interest: Interest) -> Ready {
    let states = [
        (interest.is_readable(), Ready::READABLE | Ready::READ_CLOSED),
        (interest.is_writable(), Ready::WRITABLE | Ready::WRITE_CLOSED),
        (interest.is_error(), Ready::ERROR),
    ];
    states.iter().filter(|(wanted, _)| *wanted).fold(Ready::EMPTY, |ready, (_, states)| ready | *states)
}

/// Fills a buffer's spare capacity with one read.
fn fill<B: BufMut, T: Filled>(buf: &mut B, read: impl FnOnce(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
    let mut part = vec![0; buf.chunk_mut().len()];
    let read = read(&mut part)?;
    buf.put_slice(&part[..read.bytes()]);
    Ok(read)
}

/// The result of a read.
trait Filled {
    /// Returns the number of bytes read.
    fn bytes(&self) -> usize;
}

impl Filled for usize {
    fn bytes(&self) -> usize {
        *self
    }
}

impl<A> Filled for (usize, A) {
    fn bytes(&self) -> usize {
        self.0
    }
}

fn concat(bufs: &[io::IoSlice<'_>]) -> Vec<u8> {
    bufs.iter().flat_map(|buf| buf.iter().copied()).collect()
}
