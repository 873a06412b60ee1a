//! A simulated listening socket.

use super::{TcpStream, ToSocketAddrs, fd};
use crate::sim::{
    interpose::Bound,
    kernel::{self, ListenerId},
};
use socket2::Type;
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    task::{Context, Poll},
};

/// A TCP listener.
#[derive(Debug)]
pub struct TcpListener {
    id: ListenerId,
    fd: fd::Token,
}

impl TcpListener {
    pub(super) fn of(id: ListenerId) -> TcpListener {
        TcpListener { id, fd: fd::Token::default() }
    }

    /// Listens on an address of this host, with tokio's default backlog.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            match kernel::with(|k| k.listen_on(host, addr)) {
                Ok(id) => return Ok(TcpListener::of(id)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Accepts a connection and returns it with the peer's address.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls to accept a connection.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        kernel::with(|k| match k.accept(self.id, cx.waker()) {
            Some(Ok(conn)) => Poll::Ready(Ok((TcpStream::of(conn, 1), k.shown_address(conn, 1, 0)))),
            Some(Err(error)) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        })
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| kernel::presented(k.listeners[self.id].addr, k.listeners[self.id].options.v6)))
    }

    /// Returns the TTL. The simulated network does not count hops.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(kernel::with(|k| k.listeners[self.id].options.ttl))
    }

    /// Sets the TTL, without effect on the simulated network.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        kernel::with(|k| k.listeners[self.id].options.ttl = ttl);
        Ok(())
    }
}

impl TcpListener {
    /// A listener of std that was bound within the simulation, as `axum` and others are given one.
    ///
    /// # Errors
    /// One of the machine is refused.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        match fd::bound(&listener, "a std::net::TcpListener that was not bound by the current host")? {
            Bound::Listener(id) => Ok(TcpListener::of(id)),
            Bound::Socket(socket) => kernel::with(|k| k.listen(socket, kernel::BACKLOG)).map(TcpListener::of),
            other => Err(fd::refuse(&listener, other, "a socket that does not listen, as one that does")),
        }
    }

    /// A listener of std that stands for it; it goes back by [`TcpListener::from_std`].
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        let std = std::net::TcpListener::from(self.as_fd().try_clone_to_owned()?);
        fd::bind(&std, Bound::Listener(self.id));
        std::mem::forget(self);
        Ok(std)
    }
}

impl TryFrom<std::net::TcpListener> for TcpListener {
    type Error = io::Error;

    fn try_from(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(listener)
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.lend(Type::STREAM, &kernel::with(|k| k.listeners[self.id].options))
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        kernel::with(|k| k.close_listener(self.id));
    }
}
