//! A simulated TCP stream.

use super::ToSocketAddrs;
use crate::sim::kernel::{self, ConnId, Side, SocketOptions, Wait, os_error};
use bytes::BufMut;
use real::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

/// A TCP stream.
#[derive(Debug)]
pub struct TcpStream {
    conn: ConnId,
    side: Side,
}

impl TcpStream {
    pub(super) fn of(conn: ConnId, side: Side) -> TcpStream {
        TcpStream { conn, side }
    }

    /// Connects to the first address that accepts the connection.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            let begun = kernel::with(|k| k.connect(host, addr));
            let connected = match begun {
                Ok(conn) => TcpStream::connected(conn).await,
                Err(error) => Err(error),
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Waits until a connection is established. Dropping this future cancels the attempt.
    pub(super) async fn connected(conn: ConnId) -> io::Result<TcpStream> {
        let stream = TcpStream::of(conn, 0);
        poll_fn(|cx| stream.poll_connected(cx)).await.map(|()| stream)
    }

    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        kernel::with(|k| {
            if let Some(error) = k.take_error(self.conn, self.side) {
                return Poll::Ready(Err(error));
            }
            if k.conns[self.conn].ends[0].established {
                k.tcp_event(kernel::Kind::Connect, (self.conn, 0), 1, kernel::Tcp::Connected);
                return Poll::Ready(Ok(()));
            }
            let surplus = k.conns[self.conn].connecting.add(cx.waker());
            k.wake(surplus);
            k.wait(Wait::Connect(self.conn));
            Poll::Pending
        })
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| k.shown_address(self.conn, self.side, self.side)))
    }

    /// Returns the peer's address, while connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        kernel::with(|k| match k.is_over(self.conn, self.side) {
            true => Err(os_error(io::ErrorKind::NotConnected)),
            false => Ok(k.shown_address(self.conn, self.side, 1 - self.side)),
        })
    }

    /// Returns `TCP_NODELAY`. Writes are always sent at once, whatever its value.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.option(|options| options.nodelay)
    }

    /// Sets `TCP_NODELAY`, without effect: writes are always sent at once.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.option(|options| options.nodelay = nodelay)
    }

    /// Returns `TCP_QUICKACK`. Acknowledgements take no time, whatever its value.
    pub fn quickack(&self) -> io::Result<bool> {
        self.option(|options| options.quickack)
    }

    /// Sets `TCP_QUICKACK`, without effect: acknowledgements take no time.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.option(|options| options.quickack = quickack)
    }

    /// Returns the value of `SO_LINGER`.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.option(|options| options.linger)
    }

    /// Sets `SO_LINGER`. With zero, dropping the stream resets the connection. Other values are stored without effect;
    /// on a real system the drop would block.
    #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.option(|options| options.linger = linger)
    }

    /// Makes dropping the stream reset the connection.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.option(|options| options.linger = Some(Duration::ZERO))
    }

    /// Returns the TTL. The simulated network does not count hops.
    pub fn ttl(&self) -> io::Result<u32> {
        self.option(|options| options.ttl)
    }

    /// Sets the TTL, without effect on the simulated network.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.option(|options| options.ttl = ttl)
    }

    fn option<T>(&self, look: impl FnOnce(&mut SocketOptions) -> T) -> io::Result<T> {
        Ok(kernel::with(|k| look(&mut k.conns[self.conn].ends[self.side].options)))
    }

    /// Takes the pending error.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(kernel::with(|k| k.take_error(self.conn, self.side)))
    }

    /// Copies available bytes without removing them.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        poll_fn(|cx| self.poll_peek(cx, &mut buf)).await
    }

    /// Polls for available bytes without removing them.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let before = buf.filled().len();
        ready!(self.poll_read_or_peek(Some(cx.waker()), buf, true))?;
        Poll::Ready(Ok(buf.filled().len() - before))
    }

    /// Waits for the requested readiness.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let wanted = super::ready_for(interest);
        poll_fn(|cx| kernel::with(|k| k.poll_ready(cx.waker(), self.conn, self.side, wanted)).map(Ok)).await
    }

    /// Waits until data, the end of the stream or an error can be read.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_read_ready(cx)).await
    }

    /// Waits until a write makes progress.
    pub async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_write_ready(cx)).await
    }

    /// Polls for read readiness. Unlike tokio, it wakes every waiting task, not only the last one.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wanted = super::ready_for(Interest::READABLE);
        kernel::with(|k| k.poll_ready(cx.waker(), self.conn, self.side, wanted)).map(|_| Ok(()))
    }

    /// Polls for write readiness. Unlike tokio, it wakes every waiting task, not only the last one.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wanted = super::ready_for(Interest::WRITABLE);
        kernel::with(|k| k.poll_ready(cx.waker(), self.conn, self.side, wanted)).map(|_| Ok(()))
    }

    /// Reads available bytes, or returns `WouldBlock`.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        match self.poll_read_or_peek(None, &mut buf, false) {
            Poll::Ready(done) => done.map(|()| buf.filled().len()),
            Poll::Pending => Err(os_error(io::ErrorKind::WouldBlock)),
        }
    }

    /// Reads available bytes into several buffers, or returns `WouldBlock`.
    pub fn try_read_vectored(&self, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
        let mut all = vec![0; bufs.iter().map(|buf| buf.len()).sum()];
        let n = self.try_read(&mut all)?;
        let mut rest = &all[..n];
        for buf in bufs {
            let part = rest.split_off(..rest.len().min(buf.len())).unwrap_or_default();
            buf[..part.len()].copy_from_slice(part);
        }
        Ok(n)
    }

    /// Reads available bytes into spare capacity, or returns `WouldBlock`.
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        super::fill(buf, |part| self.try_read(part))
    }

    /// Writes what the send buffer takes, or returns `WouldBlock`.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        match self.poll_write_some(None, buf) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(os_error(io::ErrorKind::WouldBlock)),
        }
    }

    /// Writes from several buffers what the send buffer takes, or returns `WouldBlock`.
    pub fn try_write_vectored(&self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.try_write(&super::concat(bufs))
    }

    pub(super) fn poll_read_or_peek(
        &self,
        waiter: Option<&Waker>,
        buf: &mut ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        kernel::with(|k| k.poll_read(waiter, self.conn, self.side, buf, peek))
    }

    pub(super) fn poll_write_some(&self, waiter: Option<&Waker>, data: &[u8]) -> Poll<io::Result<usize>> {
        kernel::with(|k| k.poll_write(waiter, self.conn, self.side, data))
    }

    /// Shuts down the write direction. As in tokio, a connection that has ended counts as shut down.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        match kernel::with(|k| k.shutdown(self.conn, self.side)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_or_peek(Some(cx.waker()), buf, false)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_some(Some(cx.waker()), data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_some(Some(cx.waker()), &super::concat(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shut_down())
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        kernel::with(|k| k.close(self.conn, self.side));
    }
}
