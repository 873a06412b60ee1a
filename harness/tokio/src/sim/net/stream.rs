//! A simulated TCP stream.

use super::{ToSocketAddrs, fd, stream_io::stream_io};
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

mod descriptor;

/// A TCP stream.
#[derive(Debug)]
pub struct TcpStream {
    conn: ConnId,
    side: Side,
    fd: fd::Token,
}

impl TcpStream {
    pub(super) fn of(conn: ConnId, side: Side) -> TcpStream {
        TcpStream { conn, side, fd: fd::Token::default() }
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
        self.read_back();
        let (value, options) = kernel::with(|k| {
            let options = &mut k.conns[self.conn].ends[self.side].options;
            (look(options), *options)
        });
        self.fd.write(&options)?;
        Ok(value)
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

    pub(super) fn poll_read_or_peek(
        &self,
        waiter: Option<&Waker>,
        buf: &mut ReadBuf<'_>,
        peek: bool,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.read_back();
        kernel::with(|k| k.poll_read(waiter, self.conn, self.side, buf, peek))
    }

    pub(super) fn poll_read_some(&self, waiter: Option<&Waker>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_or_peek(waiter, buf, false)
    }

    pub(super) fn poll_write_some(&self, waiter: Option<&Waker>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.read_back();
        kernel::with(|k| k.poll_write(waiter, self.conn, self.side, data))
    }

    fn poll_until_ready(&self, waiter: &Waker, wanted: Ready) -> Poll<Ready> {
        kernel::with(|k| k.poll_ready(waiter, self.conn, self.side, wanted))
    }

    /// Shuts down the write direction. As in tokio, a connection that has ended counts as shut down.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        match kernel::with(|k| k.shutdown(self.conn, self.side)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl TcpStream {
    /// What somebody has set on its descriptor since the last time.
    fn read_back(&self) {
        if self.fd.is_lent() {
            kernel::with(|k| {
                let mut options = k.conns[self.conn].ends[self.side].options;
                self.fd.read_back(&mut options);
                k.set_options(self.conn, self.side, options);
            });
        }
    }
}

stream_io!(TcpStream);

impl Drop for TcpStream {
    fn drop(&mut self) {
        kernel::with(|k| k.close(self.conn, self.side));
    }
}
