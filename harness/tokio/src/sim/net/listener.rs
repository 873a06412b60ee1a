//! A simulated listening socket.

use super::{TcpStream, ToSocketAddrs};
use crate::sim::kernel::{self, ListenerId};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

/// A TCP listener.
#[derive(Debug)]
pub struct TcpListener {
    id: ListenerId,
}

impl TcpListener {
    pub(super) fn of(id: ListenerId) -> TcpListener {
        TcpListener { id }
    }

    /// Listens on an address of this host, with tokio's default backlog.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            match kernel::with(|k| k.listen_on(host, addr)) {
                Ok(id) => return Ok(TcpListener { id }),
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

impl Drop for TcpListener {
    fn drop(&mut self) {
        kernel::with(|k| k.close_listener(self.id));
    }
}
