//! Reading from and writing to any stream.

/// Implements tokio's methods and traits for reading and writing, on top of the stream's `poll_read_some`,
/// `poll_write_some`, `poll_until_ready` and `shut_down`.
macro_rules! stream_io {
    ($stream:ident) => {
        impl $stream {
            /// Waits for the requested readiness.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                let wanted = $crate::sim::net::ready_for(interest);
                poll_fn(|cx| self.poll_until_ready(cx.waker(), wanted).map(Ok)).await
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
                let wanted = $crate::sim::net::ready_for(Interest::READABLE);
                self.poll_until_ready(cx.waker(), wanted).map(|_| Ok(()))
            }

            /// Polls for write readiness. Unlike tokio, it wakes every waiting task, not only the last one.
            pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let wanted = $crate::sim::net::ready_for(Interest::WRITABLE);
                self.poll_until_ready(cx.waker(), wanted).map(|_| Ok(()))
            }

            /// Reads available bytes, or returns `WouldBlock`.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                let mut buf = ReadBuf::new(buf);
                match self.poll_read_some(None, &mut buf) {
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
                $crate::sim::net::fill(buf, |part| self.try_read(part))
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
                self.try_write(&$crate::sim::net::concat(bufs))
            }
        }

        impl AsyncRead for $stream {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                self.poll_read_some(Some(cx.waker()), buf)
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
                self.poll_write_some(Some(cx.waker()), data)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_some(Some(cx.waker()), &$crate::sim::net::concat(bufs))
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
    };
}

pub(super) use stream_io;
