//! A TCP stream's descriptor, and the stream of std that stands for it.

use super::{TcpStream, fd};
use crate::sim::{interpose::Bound, kernel};
use real::io::Interest;
use socket2::{Socket, Type};
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
};

impl TcpStream {
    /// A stream of std that [`TcpStream::into_std`] gave, with the options that were set on it meanwhile.
    ///
    /// # Errors
    /// One that is connected on the machine's network is refused.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        let (conn, side) = match fd::bound(&stream, "a std::net::TcpStream that tokio has not made")? {
            Bound::Stream(conn, side) => (conn, side),
            other => return Err(fd::refuse(&stream, other, "a socket that is not connected, as a stream")),
        };
        let this = TcpStream::of(conn, side);
        let mut options = this.option(|options| *options)?;
        fd::adopt(&Socket::from(stream), &mut options);
        kernel::with(|k| k.set_options(conn, side, options));
        Ok(this)
    }

    /// A stream of std that stands for it: options may be set on it until it comes back by [`TcpStream::from_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        let std = std::net::TcpStream::from(self.as_fd().try_clone_to_owned()?);
        fd::bind(&std, Bound::Stream(self.conn, self.side));
        std::mem::forget(self);
        Ok(std)
    }

    /// Tries an operation of the caller's, which is to be one of this stream's.
    pub fn try_io<R>(&self, _: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        f()
    }

    /// Calls an operation of the caller's until it no longer returns `WouldBlock`.
    pub async fn async_io<R>(&self, interest: Interest, f: impl FnMut() -> io::Result<R>) -> io::Result<R> {
        fd::retry(async || self.ready(interest).await.map(drop), f).await
    }
}

impl TryFrom<std::net::TcpStream> for TcpStream {
    type Error = io::Error;

    fn try_from(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(stream)
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.lend(Type::STREAM, &kernel::with(|k| k.conns[self.conn].ends[self.side].options))
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
