//! The simulated Unix stream.

use super::{
    SocketAddr, UCred, address,
    descriptor::{self, Descriptor, descriptor},
    known,
};
use crate::sim::{
    kernel::{self, SocketKind, UnixId, os_error},
    net::stream_io::stream_io,
};
use bytes::BufMut;
use real::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use std::{
    future::poll_fn,
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// A Unix stream.
#[derive(Debug)]
pub struct UnixStream {
    id: UnixId,
    fd: Descriptor,
}

impl UnixStream {
    pub(super) fn of(id: UnixId) -> UnixStream {
        UnixStream { id, fd: Descriptor::default() }
    }

    /// Connects to a path, or to an abstract name. It does not wait: if the listener's queue is full it fails with `WouldBlock`,
    /// as on Linux.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&address(path)?.into()).await
    }

    /// Connects to an address.
    pub async fn connect_addr(socket_addr: &SocketAddr) -> io::Result<UnixStream> {
        let host = kernel::current_host();
        kernel::with(|k| k.unix_connect(host, &socket_addr.clone().into())).map(UnixStream::of)
    }

    /// Creates two connected streams.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let host = kernel::current_host();
        let [one, other] = kernel::with(|k| k.unix_pair(host, SocketKind::Stream))?;
        Ok((UnixStream::of(one), UnixStream::of(other)))
    }

    /// Returns the local address, which is unnamed for an unbound socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        known(kernel::with(|k| k.unix[self.id].address.clone()))
    }

    /// Returns the peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        known(kernel::with(|k| k.unix[self.id].peer.and_then(|peer| k.unix[peer].address.clone())))
    }

    /// Returns the credentials of the peer's process at the time of the connect.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        let pid = kernel::with(|k| k.unix[self.id].peer_pid);
        UCred::of(pid.ok_or_else(|| os_error(io::ErrorKind::NotConnected))?)
    }

    /// Returns and clears the socket's error.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(kernel::with(|k| k.unix_take_error(self.id)))
    }

    pub(super) fn poll_read_some(&self, waiter: Option<&Waker>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        kernel::with(|k| k.unix_poll_read(waiter, self.id, buf))
    }

    pub(super) fn poll_write_some(&self, waiter: Option<&Waker>, data: &[u8]) -> Poll<io::Result<usize>> {
        kernel::with(|k| k.unix_poll_write(waiter, self.id, data))
    }

    fn poll_until_ready(&self, waiter: &Waker, wanted: Ready) -> Poll<Ready> {
        kernel::with(|k| k.unix_poll_ready(waiter, self.id, wanted))
    }

    pub(super) fn shut_down(&self) -> io::Result<()> {
        kernel::with(|k| k.unix_shutdown(self.id))
    }
}

stream_io!(UnixStream);

impl AsRef<UnixStream> for UnixStream {
    fn as_ref(&self) -> &UnixStream {
        self
    }
}

descriptor!(UnixStream, STREAM, Stream);

impl Drop for UnixStream {
    fn drop(&mut self) {
        kernel::with(|k| k.unix_close(self.id));
    }
}
