//! A simulated TCP stream.

use super::{
    ToSocketAddrs,
    tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf},
};
use crate::sim::kernel::{self, ConnId, Side, Wait};
use real::io::{AsyncRead, AsyncWrite, ReadBuf};
use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

/// A connection. As tokio's.
#[derive(Debug)]
pub struct TcpStream {
    conn: ConnId,
    side: Side,
}

impl TcpStream {
    pub(super) fn of(conn: ConnId, side: Side) -> TcpStream {
        TcpStream { conn, side }
    }

    /// Connects to the first address that answers.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
        let host = kernel::current_host();
        for addr in addr.resolve()? {
            // Dropped before it is established, the stream gives the attempt up.
            let stream = TcpStream::of(kernel::with(|k| k.connect(host, addr))?, 0);
            match poll_fn(|cx| stream.poll_connected(cx)).await {
                Ok(()) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        kernel::with(|k| {
            if let Some(error) = k.take_error(self.conn, self.side) {
                return Poll::Ready(Err(error));
            }
            if k.conns[self.conn].ends[0].established {
                k.event(kernel::Kind::Connect, self.conn, 1, |k| format!("is connected {}", k.describe(self.conn, 0)));
                return Poll::Ready(Ok(()));
            }
            let surplus = k.conns[self.conn].connecting.add(cx.waker());
            k.wake(surplus);
            k.wait(Wait::Connect(self.conn));
            Poll::Pending
        })
    }

    /// This end's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| k.conns[self.conn].ends[self.side].addr))
    }

    /// The other end's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| k.conns[self.conn].ends[1 - self.side].addr))
    }

    /// Whether small writes are sent at once. They always are here.
    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(kernel::with(|k| k.conns[self.conn].ends[self.side].nodelay))
    }

    /// Notes the wish. Writes are always sent at once here.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        kernel::with(|k| k.conns[self.conn].ends[self.side].nodelay = nodelay);
        Ok(())
    }

    /// The socket's error, once.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(kernel::with(|k| k.take_error(self.conn, self.side)))
    }

    /// Copies what has arrived without taking it.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        poll_fn(|cx| self.poll_read_or_peek(Some(cx.waker()), &mut buf, true)).await?;
        Ok(buf.filled().len())
    }

    /// Reads what has arrived, or says that it would have to wait.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        match self.poll_read_or_peek(None, &mut buf, false) {
            Poll::Ready(done) => done.map(|()| buf.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what the buffer takes, or says that it would have to wait.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        match self.poll_write_some(None, buf) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Borrows the two halves.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }

    /// Takes the two halves apart; dropping the writing one shuts it down.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Arc::new(self);
        (OwnedReadHalf(stream.clone()), OwnedWriteHalf::new(stream))
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

    pub(super) fn shut_down(&self) {
        kernel::with(|k| k.shutdown(self.conn, self.side));
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
        let all = bufs.iter().flat_map(|buf| buf.iter().copied()).collect::<Vec<_>>();
        let n = ready!(self.poll_write_some(Some(cx.waker()), &all))?;
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down();
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        kernel::with(|k| k.close(self.conn, self.side));
    }
}
