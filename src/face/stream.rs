//! What hyper needs of a connection and of time, which are tokio's: in a simulation those of the simulated host.

use crate::channel::{Stream, WRITE_LIMIT};
use hyper::rt::{Read, ReadBufCursor, Sleep, Timer, Write};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

const READ_BYTES: usize = 8 * 1024;

/// A connection whose peer must read: it fails when a write is stuck for [`WRITE_LIMIT`].
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
            Stream::Secured(stream) => Box::pin(*stream),
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

impl Read for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; READ_BYTES];
        let room = buffer.remaining().min(READ_BYTES);
        let mut read = ReadBuf::new(&mut bytes[..room]);
        match ready!(self.get_mut().stream.as_mut().poll_read(context, &mut read)) {
            Ok(()) => buffer.put_slice(read.filled()),
            // TLS misses the end that a peer announces before it closes. HTTP says itself where a request ends.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Patient {
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

/// tokio's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock;

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Sleeping(Box::pin(sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(Instant::now()))
    }
}

struct Sleeping(Pin<Box<tokio::time::Sleep>>);

impl Future for Sleeping {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.get_mut().0.as_mut().poll(context)
    }
}

impl Sleep for Sleeping {}
