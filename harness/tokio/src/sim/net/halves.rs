//! The borrowed and owned halves of any stream.

/// Defines the halves of a stream, with tokio's methods.
macro_rules! halves {
    ($stream:ident, $address:ident) => {
        /// The borrowed read half.
        #[derive(Debug)]
        pub struct ReadHalf<'a>(pub(super) &'a $stream);

        /// The borrowed write half.
        #[derive(Debug)]
        pub struct WriteHalf<'a>(pub(super) &'a $stream);

        /// The owned read half.
        #[derive(Debug)]
        pub struct OwnedReadHalf(pub(super) Arc<$stream>);

        /// The owned write half. Dropping it shuts down the write direction.
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            stream: Arc<$stream>,
            shutdown_on_drop: bool,
        }

        /// Error: the halves belong to different streams.
        #[derive(Debug)]
        pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

        impl fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tried to reunite halves that are not from the same socket")
            }
        }

        impl Error for ReuniteError {}

        impl $stream {
            /// Splits the stream into borrowed halves.
            pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
                (ReadHalf(self), WriteHalf(self))
            }

            /// Splits the stream into owned halves. Dropping the write half shuts it down.
            pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                let stream = Arc::new(self);
                (OwnedReadHalf(stream.clone()), OwnedWriteHalf::new(stream))
            }
        }

        impl OwnedReadHalf {
            /// Reunites the halves.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$stream, ReuniteError> {
                if !Arc::ptr_eq(&self.0, &other.stream) {
                    return Err(ReuniteError(self, other));
                }
                other.forget();
                Ok(Arc::try_unwrap(self.0).expect("two halves hold a stream and one is gone"))
            }
        }

        impl OwnedWriteHalf {
            fn new(stream: Arc<$stream>) -> OwnedWriteHalf {
                OwnedWriteHalf { stream, shutdown_on_drop: true }
            }

            /// Reunites the halves.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$stream, ReuniteError> {
                other.reunite(self)
            }

            /// Drops the half without shutting down the write direction.
            pub fn forget(mut self) {
                self.shutdown_on_drop = false;
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                if self.shutdown_on_drop {
                    let _ = self.stream.shut_down();
                }
            }
        }

        impl AsRef<$stream> for ReadHalf<'_> {
            fn as_ref(&self) -> &$stream {
                self.0
            }
        }

        impl AsRef<$stream> for WriteHalf<'_> {
            fn as_ref(&self) -> &$stream {
                self.0
            }
        }

        impl AsRef<$stream> for OwnedReadHalf {
            fn as_ref(&self) -> &$stream {
                &self.0
            }
        }

        impl AsRef<$stream> for OwnedWriteHalf {
            fn as_ref(&self) -> &$stream {
                &self.stream
            }
        }

        $crate::sim::net::halves::delegate!($stream, $address: ReadHalf<'_>, WriteHalf<'_>, OwnedReadHalf, OwnedWriteHalf);
        $crate::sim::net::halves::reads!(ReadHalf<'_>, OwnedReadHalf);
        $crate::sim::net::halves::writes!(WriteHalf<'_>, OwnedWriteHalf);
    };
}

/// Implements what every half delegates to its stream.
macro_rules! delegate {
    ($stream:ident, $address:ident: $($half:ty),*) => {$(
        impl $half {
            /// Returns the local address.
            pub fn local_addr(&self) -> io::Result<$address> {
                self.stream().local_addr()
            }

            /// Returns the peer's address, while connected.
            pub fn peer_addr(&self) -> io::Result<$address> {
                self.stream().peer_addr()
            }

            /// Waits for the requested readiness.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.stream().ready(interest).await
            }

            fn stream(&self) -> &$stream {
                self.as_ref()
            }
        }
    )*};
}

/// Implements reading for a half.
macro_rules! reads {
    ($($half:ty),*) => {$(
        impl $half {
            /// Waits until data, the end of the stream or an error can be read.
            pub async fn readable(&self) -> io::Result<()> {
                self.stream().readable().await
            }

            /// Reads available bytes, or returns `WouldBlock`.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.stream().try_read(buf)
            }

            /// Reads available bytes into several buffers, or returns `WouldBlock`.
            pub fn try_read_vectored(&self, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
                self.stream().try_read_vectored(bufs)
            }

            /// Reads available bytes into spare capacity, or returns `WouldBlock`.
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.stream().try_read_buf(buf)
            }
        }

        impl AsyncRead for $half {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                self.stream().poll_read_some(Some(cx.waker()), buf)
            }
        }
    )*};
}

/// Implements writing for a half.
macro_rules! writes {
    ($($half:ty),*) => {$(
        impl $half {
            /// Waits until a write makes progress.
            pub async fn writable(&self) -> io::Result<()> {
                self.stream().writable().await
            }

            /// Writes what the send buffer takes, or returns `WouldBlock`.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.stream().try_write(buf)
            }

            /// Writes from several buffers what the send buffer takes, or returns `WouldBlock`.
            pub fn try_write_vectored(&self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
                self.stream().try_write_vectored(bufs)
            }
        }

        impl AsyncWrite for $half {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
                self.stream().poll_write_some(Some(cx.waker()), data)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_write_some(Some(cx.waker()), &$crate::sim::net::concat(bufs))
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.stream().shut_down())
            }
        }
    )*};
}

pub(super) use {delegate, halves, reads, writes};
