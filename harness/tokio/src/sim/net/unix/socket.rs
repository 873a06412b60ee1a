//! The simulated Unix socket, before it listens, connects or becomes a datagram socket.

use super::{UnixDatagram, UnixListener, UnixStream, address};
use crate::sim::kernel::{self, SocketKind, UnixId};
use std::{io, mem::ManuallyDrop, path::Path};

/// A Unix socket that is not connected yet.
#[derive(Debug)]
pub struct UnixSocket {
    id: UnixId,
}

impl UnixSocket {
    /// Creates a datagram socket.
    pub fn new_datagram() -> io::Result<UnixSocket> {
        UnixSocket::new(SocketKind::Datagram)
    }

    /// Creates a stream socket.
    pub fn new_stream() -> io::Result<UnixSocket> {
        UnixSocket::new(SocketKind::Stream)
    }

    fn new(kind: SocketKind) -> io::Result<UnixSocket> {
        let host = kernel::current_host();
        kernel::with(|k| k.unix_new(host, kind)).map(|id| UnixSocket { id })
    }

    /// Binds it to a path, or to an abstract name.
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let address = address(path)?;
        kernel::with(|k| k.unix_bind(self.id, &address))
    }

    /// Listens, with a queue of `backlog` plus one connections.
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.demand(SocketKind::Stream, "listen cannot be called on a datagram socket")?;
        kernel::with(|k| k.unix_listen(self.id, backlog))?;
        Ok(UnixListener::of(self.into_id()))
    }

    /// Connects to a path, or to an abstract name.
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        self.demand(SocketKind::Stream, "connect cannot be called on a datagram socket")?;
        let address = address(path)?;
        kernel::with(|k| k.unix_connect_socket(self.id, &address))?;
        Ok(UnixStream::of(self.into_id()))
    }

    /// Turns it into a datagram socket.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.demand(SocketKind::Datagram, "datagram cannot be called on a stream socket")?;
        Ok(UnixDatagram::of(self.into_id()))
    }

    fn demand(&self, kind: SocketKind, otherwise: &str) -> io::Result<()> {
        if kernel::with(|k| k.unix[self.id].kind) == kind { Ok(()) } else { Err(io::Error::other(otherwise)) }
    }

    /// Releases the socket without closing it.
    fn into_id(self) -> UnixId {
        ManuallyDrop::new(self).id
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        kernel::with(|k| k.unix_close(self.id));
    }
}
