//! A simulated listening socket.

use super::{TcpStream, ToSocketAddrs};
use crate::sim::kernel::{self, HostId, ListenerId, Wait};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

/// Accepts connections. As tokio's.
#[derive(Debug)]
pub struct TcpListener {
    id: ListenerId,
    addr: SocketAddr,
    host: HostId,
}

impl TcpListener {
    /// Listens on an address of this host.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            match kernel::with(|k| k.listen(host, addr, kernel::BACKLOG)) {
                Ok(id) => return Ok(TcpListener { id, addr: kernel::with(|k| k.listeners[id].addr), host }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The next connection and where it comes from.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for the next connection.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        kernel::with(|k| match k.accept(self.id)? {
            Some(conn) => Poll::Ready(Ok((TcpStream::of(conn, 1), k.conns[conn].ends[0].addr))),
            None => {
                let surplus = k.listeners[self.id].waiters.add(cx.waker());
                k.wake(surplus);
                k.wait(Wait::Accept(self.id));
                Poll::Pending
            }
        })
    }

    /// The address on which it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        kernel::with(|k| {
            if k.listeners[self.id].host == self.host {
                k.unlisten(self.id);
            }
        });
    }
}
