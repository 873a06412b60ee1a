//! A simulated UDP socket.

use super::{ToSocketAddrs, fd};
use crate::sim::kernel::{self, UdpId, os_error};
use bytes::BufMut;
use real::io::{Interest, ReadBuf, Ready};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    task::{Context, Poll, Waker, ready},
};

mod descriptor;

/// A UDP socket.
#[derive(Debug)]
pub struct UdpSocket {
    id: UdpId,
    fd: fd::Token,
}

impl UdpSocket {
    fn of(id: UdpId) -> UdpSocket {
        UdpSocket { id, fd: fd::Token::default() }
    }

    /// Binds a socket to an address of this host.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            match kernel::with(|k| k.udp_bind(host, addr)) {
                Ok(id) => return Ok(UdpSocket::of(id)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Connects the socket: it sends to this address and receives only from it.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let addr = first(addr)?;
        kernel::with(|k| k.udp_connect(self.id, addr))
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| kernel::presented(k.udp[self.id].addr, k.udp[self.id].v6)))
    }

    /// Returns the peer's address, if connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        kernel::with(|k| Some(kernel::presented(k.udp[self.id].peer?, k.udp[self.id].v6)))
            .ok_or_else(|| os_error(io::ErrorKind::NotConnected))
    }

    /// Takes the pending error: a connected socket's datagram went to a closed port.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(kernel::with(|k| k.udp_take_error(self.id)))
    }

    /// Returns the TTL. The simulated network does not count hops.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(kernel::with(|k| k.udp[self.id].ttl))
    }

    /// Sets the TTL, without effect on the simulated network.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        kernel::with(|k| k.udp[self.id].ttl = ttl);
        Ok(())
    }

    /// Returns the type of service, which has no effect.
    pub fn tos_v4(&self) -> io::Result<u32> {
        Ok(kernel::with(|k| k.udp[self.id].tos))
    }

    /// Sets the type of service, without effect.
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        kernel::with(|k| k.udp[self.id].tos = tos);
        Ok(())
    }

    /// Waits for the requested readiness; the socket is always writable.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let wanted = super::ready_for(interest);
        let readable = || if kernel::with(|k| k.udp_is_readable(self.id)) { Ready::READABLE } else { Ready::EMPTY };
        if (wanted & (readable() | Ready::WRITABLE)).is_empty() {
            self.readable().await?;
        }
        Ok(wanted & (readable() | Ready::WRITABLE))
    }

    /// Waits until a datagram or an error is pending.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_recv_ready(cx)).await
    }

    /// Completes immediately: the socket is always writable.
    pub async fn writable(&self) -> io::Result<()> {
        Ok(())
    }

    /// Polls until a datagram or an error is pending.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        kernel::with(|k| k.udp_poll_ready(cx.waker(), self.id)).map(Ok)
    }

    /// Returns `Ready`: the socket is always writable.
    pub fn poll_send_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Sends to the connected peer.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_send(buf)
    }

    /// Sends to the connected peer; always ready.
    pub fn poll_send(&self, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.try_send(buf))
    }

    /// Sends to the connected peer.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        kernel::with(|k| k.udp_send(self.id, buf, None))
    }

    /// Sends to an address.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        self.try_send_to(buf, first(addr)?)
    }

    /// Sends to an address; always ready.
    pub fn poll_send_to(&self, _: &mut Context<'_>, buf: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        Poll::Ready(self.try_send_to(buf, target))
    }

    /// Sends to an address.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        kernel::with(|k| k.udp_send(self.id, buf, Some(target)))
    }

    /// Receives a datagram; what exceeds the buffer is discarded.
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
        poll_fn(|cx| self.poll_take(Some(cx.waker()), buf, false)).await
    }

    /// Polls for a datagram and its sender's address.
    pub fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_take_into(cx, buf, false)
    }

    /// Receives a datagram and its sender's address, or returns `WouldBlock`.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        would_block(self.poll_take(None, buf, false))
    }

    /// Receives a datagram into spare capacity, with its sender's address.
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        loop {
            self.readable().await?;
            match self.try_recv_buf_from(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// Receives a datagram into spare capacity, with its sender's address, or returns `WouldBlock`.
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        super::fill(buf, |part| self.try_recv_from(part))
    }

    /// Peeks at the next datagram.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek_from(buf).await.map(|(n, _)| n)
    }

    /// Polls to peek at the next datagram.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_peek_from(cx, buf).map_ok(|_| ())
    }

    /// Peeks at the next datagram, or returns `WouldBlock`.
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_peek_from(buf).map(|(n, _)| n)
    }

    /// Peeks at the next datagram, with its sender's address.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_take(Some(cx.waker()), buf, true)).await
    }

    /// Polls to peek at the next datagram, with its sender's address.
    pub fn poll_peek_from(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_take_into(cx, buf, true)
    }

    /// Peeks at the next datagram, with its sender's address, or returns `WouldBlock`.
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        would_block(self.poll_take(None, buf, true))
    }

    /// Returns the sender of the next datagram, without receiving it.
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.peek_from(&mut []).await.map(|(_, from)| from)
    }

    /// Polls for the sender of the next datagram.
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_take(Some(cx.waker()), &mut [], true).map_ok(|(_, from)| from)
    }

    /// Returns the sender of the next datagram, or `WouldBlock`.
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.try_peek_from(&mut []).map(|(_, from)| from)
    }

    fn poll_take(&self, waiter: Option<&Waker>, buf: &mut [u8], peek: bool) -> Poll<io::Result<(usize, SocketAddr)>> {
        kernel::with(|k| k.udp_poll_receive(waiter, self.id, buf, peek))
    }

    fn poll_take_into(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, peek: bool) -> Poll<io::Result<SocketAddr>> {
        let (n, from) = ready!(self.poll_take(Some(cx.waker()), buf.initialize_unfilled(), peek))?;
        buf.advance(n);
        Poll::Ready(Ok(from))
    }
}

fn first<A: ToSocketAddrs>(addr: A) -> io::Result<SocketAddr> {
    let none = || io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to");
    addr.resolve()?.into_iter().next().ok_or_else(none)
}

fn would_block<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(os_error(io::ErrorKind::WouldBlock)),
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        kernel::with(|k| k.udp_close(self.id));
    }
}
