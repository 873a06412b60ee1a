//! The simulated Unix datagram socket.

use super::{
    SocketAddr,
    descriptor::{self, Descriptor, descriptor},
    known,
};
use crate::sim::{
    kernel::{self, SocketKind, UnixId, os_error},
    net::{fill, ready_for},
};
use bytes::BufMut;
use real::io::{Interest, ReadBuf, Ready};
use std::{
    future::poll_fn,
    io,
    net::Shutdown,
    os::unix::net,
    path::Path,
    task::{Context, Poll, Waker, ready},
};

/// A Unix datagram socket.
#[derive(Debug)]
pub struct UnixDatagram {
    id: UnixId,
    fd: Descriptor,
}

impl UnixDatagram {
    pub(super) fn of(id: UnixId) -> UnixDatagram {
        UnixDatagram { id, fd: Descriptor::default() }
    }

    /// Binds a socket to a path. As in tokio, an abstract name takes a [`UnixSocket`](super::UnixSocket).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        UnixDatagram::open(Some(net::SocketAddr::from_pathname(path)?))
    }

    /// Creates an unbound socket.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::open(None)
    }

    fn open(address: Option<net::SocketAddr>) -> io::Result<UnixDatagram> {
        let host = kernel::current_host();
        kernel::with(|k| k.unix_datagrams(host, address.as_ref())).map(UnixDatagram::of)
    }

    /// Creates two connected sockets.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let host = kernel::current_host();
        let [one, other] = kernel::with(|k| k.unix_pair(host, SocketKind::Datagram))?;
        Ok((UnixDatagram::of(one), UnixDatagram::of(other)))
    }

    /// Connects the socket: it sends to this address by default, and receives only from it.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let address = net::SocketAddr::from_pathname(path)?;
        kernel::with(|k| k.unix_datagram_connect(self.id, &address))
    }

    /// Returns the local address, which is unnamed for an unbound socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        known(kernel::with(|k| k.unix[self.id].address.clone()))
    }

    /// Returns the peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        let peer = kernel::with(|k| k.unix[self.id].peer.map(|peer| k.unix[peer].address.clone()));
        known(peer.ok_or_else(|| os_error(io::ErrorKind::NotConnected))?)
    }

    /// Returns and clears the socket's error.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(kernel::with(|k| k.unix_take_error(self.id)))
    }

    /// Shuts the socket down. The peer gets an error when it sends.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        kernel::with(|k| k.unix_datagram_shutdown(self.id, how))
    }

    /// Waits for the requested readiness.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let wanted = ready_for(interest);
        poll_fn(|cx| self.poll_until_ready(cx, wanted).map(Ok)).await
    }

    /// Waits until a datagram or an error can be received.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_recv_ready(cx)).await
    }

    /// Waits until a datagram can be sent.
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_send_ready(cx)).await
    }

    /// Polls for read readiness.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_until_ready(cx, ready_for(Interest::READABLE)).map(|_| Ok(()))
    }

    /// Polls for write readiness.
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_until_ready(cx, ready_for(Interest::WRITABLE)).map(|_| Ok(()))
    }

    /// Sends a datagram to the peer.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send(cx, buf)).await
    }

    /// Polls sending a datagram to the peer.
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_give(Some(cx.waker()), buf, None)
    }

    /// Sends a datagram to the peer, or returns `WouldBlock`.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        would_block(self.poll_give(None, buf, None))
    }

    /// Sends a datagram to an address.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send_to(cx, buf, target.as_ref())).await
    }

    /// Polls sending a datagram to an address.
    pub fn poll_send_to<P: AsRef<Path>>(&self, cx: &mut Context<'_>, buf: &[u8], target: P) -> Poll<io::Result<usize>> {
        self.poll_give(Some(cx.waker()), buf, Some(&net::SocketAddr::from_pathname(target)?))
    }

    /// Sends a datagram to an address, or returns `WouldBlock`.
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        would_block(self.poll_give(None, buf, Some(&net::SocketAddr::from_pathname(target)?)))
    }

    /// Receives a datagram; excess bytes are dropped.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(n, _)| n)
    }

    /// Polls for a datagram.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_recv_from(cx, buf).map_ok(|_| ())
    }

    /// Receives a datagram, or returns `WouldBlock`.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_recv_from(buf).map(|(n, _)| n)
    }

    /// Receives a datagram into spare capacity.
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.recv_buf_from(buf).await.map(|(n, _)| n)
    }

    /// Receives a datagram into spare capacity, or returns `WouldBlock`.
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.try_recv_buf_from(buf).map(|(n, _)| n)
    }

    /// Receives a datagram and its sender's address.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_take(Some(cx.waker()), buf)).await
    }

    /// Polls for a datagram and its sender's address.
    pub fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let (n, from) = ready!(self.poll_take(Some(cx.waker()), buf.initialize_unfilled()))?;
        buf.advance(n);
        Poll::Ready(Ok(from))
    }

    /// Receives a datagram and its sender's address, or returns `WouldBlock`.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        would_block(self.poll_take(None, buf))
    }

    /// Receives a datagram into spare capacity, and its sender's address.
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        loop {
            self.readable().await?;
            match self.try_recv_buf_from(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// Receives a datagram into spare capacity, or returns `WouldBlock`.
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        fill(buf, |part| self.try_recv_from(part))
    }

    fn poll_give(&self, waiter: Option<&Waker>, buf: &[u8], to: Option<&net::SocketAddr>) -> Poll<io::Result<usize>> {
        kernel::with(|k| k.unix_poll_send(waiter, self.id, buf, to))
    }

    fn poll_take(&self, waiter: Option<&Waker>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let (n, from) = ready!(kernel::with(|k| k.unix_poll_receive(waiter, self.id, buf)))?;
        Poll::Ready(Ok((n, known(from)?)))
    }

    fn poll_until_ready(&self, cx: &mut Context<'_>, wanted: Ready) -> Poll<Ready> {
        kernel::with(|k| k.unix_poll_ready(cx.waker(), self.id, wanted))
    }
}

fn would_block<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(os_error(io::ErrorKind::WouldBlock)),
    }
}

descriptor!(UnixDatagram, DGRAM, Datagram);

impl Drop for UnixDatagram {
    fn drop(&mut self) {
        kernel::with(|k| k.unix_close(self.id));
    }
}
