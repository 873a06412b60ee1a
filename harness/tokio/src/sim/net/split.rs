//! The halves of a TCP stream.

use super::{TcpStream, halves::halves};
use bytes::BufMut;
use real::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use std::{
    error::Error,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

halves!(TcpStream, SocketAddr);

macro_rules! peeks {
    ($($half:ty),*) => {$(
        impl $half {
            /// Copies available bytes without removing them.
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.stream().peek(buf).await
            }

            /// Polls for available bytes without removing them.
            pub fn poll_peek(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
                self.stream().poll_peek(cx, buf)
            }
        }
    )*};
}

peeks!(ReadHalf<'_>, OwnedReadHalf);
