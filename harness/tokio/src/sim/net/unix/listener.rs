//! The simulated Unix listener.

use super::{
    SocketAddr, UnixStream, address,
    descriptor::{self, Descriptor, descriptor},
    known,
};
use crate::sim::kernel::{self, SocketKind, UnixId};
use std::{
    future::poll_fn,
    io,
    path::Path,
    task::{Context, Poll},
};

/// A Unix listener.
#[derive(Debug)]
pub struct UnixListener {
    id: UnixId,
    fd: Descriptor,
}

impl UnixListener {
    pub(super) fn of(id: UnixId) -> UnixListener {
        UnixListener { id, fd: Descriptor::default() }
    }

    /// Listens at a path, or at an abstract name. The path of an earlier listener must be removed first.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&address(path)?.into())
    }

    /// Listens at an address.
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        let host = kernel::current_host();
        kernel::with(|k| k.unix_listen_on(host, &socket_addr.clone().into())).map(UnixListener::of)
    }

    /// Accepts the next connection, and returns its peer's address.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for the next connection.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let Some(accepted) = kernel::with(|k| k.unix_accept(self.id, cx.waker())) else { return Poll::Pending };
        let stream = UnixStream::of(accepted?);
        let peer = stream.peer_addr()?;
        Poll::Ready(Ok((stream, peer)))
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        known(kernel::with(|k| k.unix[self.id].address.clone()))
    }

    /// Returns the socket's error. A listener has none.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }
}

descriptor!(UnixListener, STREAM, Stream, listens: true);

impl Drop for UnixListener {
    fn drop(&mut self) {
        kernel::with(|k| k.unix_close(self.id));
    }
}
