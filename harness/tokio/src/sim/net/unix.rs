//! Unix sockets: refused, for they are files, and every simulated host would have the same ones.

use real::io::{AsyncRead, AsyncWrite, ReadBuf};
use std::{
    convert::Infallible,
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

fn refuse<T>(what: &str, path: impl AsRef<Path>) -> io::Result<T> {
    let path = path.as_ref().display();
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "cannot {what} {path}: refrain simulates no Unix sockets; let the service use TCP on 127.0.0.1 in tests"
        ),
    ))
}

/// Stands where tokio's stands; none can be had.
#[derive(Debug)]
pub struct UnixStream(Infallible);

impl UnixStream {
    /// Refuses, and says why.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        refuse("connect to", path)
    }

    /// Refuses, and says why.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        refuse("pair", "two sockets")
    }
}

impl AsyncRead for UnixStream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for UnixStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

/// Stands where tokio's stands; none can be had.
#[derive(Debug)]
pub struct UnixListener(Infallible);

impl UnixListener {
    /// Refuses, and says why.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        refuse("listen on", path)
    }

    /// As tokio's; never reached.
    pub async fn accept(&self) -> io::Result<(UnixStream, real::net::unix::SocketAddr)> {
        match self.0 {}
    }
}

/// Stands where tokio's stands; none can be had.
#[derive(Debug)]
pub struct UnixDatagram(Infallible);

impl UnixDatagram {
    /// Refuses, and says why.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        refuse("bind", path)
    }

    /// Refuses, and says why.
    pub fn unbound() -> io::Result<UnixDatagram> {
        refuse("open", "a datagram socket")
    }

    /// As tokio's; never reached.
    pub async fn recv(&self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }

    /// As tokio's; never reached.
    pub async fn send(&self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }
}
