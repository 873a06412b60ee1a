//! A connection whose peer must read, and may end it without a word: HTTP says itself where a request ends.

use crate::channel::{Stream, WRITE_LIMIT};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

/// A connection that fails when a write is stuck for [`WRITE_LIMIT`].
pub(super) struct Patient {
    stream: Pin<Box<dyn Bytes>>,
    /// Ends when a write has been stuck for too long.
    stuck: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

trait Bytes: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Bytes for S {}

impl Patient {
    pub(super) fn new(stream: Stream) -> Self {
        let stream: Pin<Box<dyn Bytes>> = match stream {
            Stream::Plain(stream) => Box::pin(stream),
            Stream::Secured(stream) => Box::into_pin(stream),
        };
        Self { stream, stuck: None }
    }

    /// Returns what a step of writing has come to: an error if it is stuck for too long.
    fn step<T>(&mut self, context: &mut Context<'_>, step: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.stuck = None;
            return step;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(WRITE_LIMIT)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match ready!(self.get_mut().stream.as_mut().poll_read(context, buffer)) {
            // TLS misses the end that a peer announces before it closes.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let step = this.stream.as_mut().poll_write(context, bytes);
        this.step(context, step)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let step = this.stream.as_mut().poll_flush(context);
        this.step(context, step)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let step = this.stream.as_mut().poll_shutdown(context);
        this.step(context, step)
    }
}
