//! A connection that carries messages: reads and writes them, and reports when it opens and closes.

use crate::error::ChannelError;
use crate::wire::{self, Decoder, FRAME_BYTES_MAX, Message, REQUEST_BYTES_MAX};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long writing one message may take before the peer counts as not reading.
pub const WRITE_LIMIT: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 8 * 1024;

/// Number of connections of this process so far, from which each one gets its id in the log.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// A connection, over TCP, TLS or a Unix socket. Both halves are dropped before its end is reported.
#[derive(Debug)]
pub struct Channel {
    /// Reads the peer's messages.
    pub reader: Reader,
    /// Writes our messages.
    pub writer: Writer,
    /// Reports the end of the connection; must be dropped last.
    pub opened: Opened,
}

impl Channel {
    /// Wraps a connected stream. Its reader accepts what clients send, until it is told to [accept] more.
    ///
    /// [accept]: Reader::accept_answers
    ///
    /// # Errors
    /// If the peer is already gone.
    pub fn new(stream: TcpStream, opened: Opened) -> io::Result<Self> {
        // Messages are small and each is awaited: Nagle's algorithm would only delay them.
        stream.set_nodelay(true)?;
        Ok(Accepted { stream: Stream::Plain(stream), opened }.into())
    }

    /// Wraps a stream that is neither plain TCP nor needs its options: of TLS, or a Unix socket.
    pub fn over<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, opened: Opened) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self::from_halves(Box::new(read), Box::new(write), opened)
    }

    fn from_halves(read: ReadHalf, write: WriteHalf, opened: Opened) -> Self {
        let reader = Reader { half: read, decoder: Decoder::limited(REQUEST_BYTES_MAX) };
        Self { reader, writer: Writer { half: write }, opened }
    }
}

/// A connection that was accepted, of which nothing has been read.
#[derive(Debug)]
pub struct Accepted {
    /// Its bytes.
    pub stream: Stream,
    /// Reports its end; must be dropped last.
    pub opened: Opened,
}

/// The bytes of a connection that was accepted.
#[derive(Debug)]
pub enum Stream {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted; the handshake is complete.
    Secured(Box<TlsStream<TcpStream>>),
}

impl From<Accepted> for Channel {
    fn from(Accepted { stream, opened }: Accepted) -> Self {
        match stream {
            Stream::Plain(stream) => {
                let (read, write) = stream.into_split();
                Self::from_halves(Box::new(read), Box::new(write), opened)
            }
            Stream::Secured(stream) => Self::over(*stream, opened),
        }
    }
}

type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;
type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// Reports "opened" when created and "closed" when dropped, on every path.
#[derive(Debug)]
pub struct Opened {
    id: u64,
}

impl Opened {
    /// Reports a new connection: `how` it was established, and with which peer.
    pub fn report(how: &'static str, peer: &str) -> Self {
        let id = CONNECTIONS.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(kind = "calcon.connection", id, how, peer, "opened");
        Self { id }
    }

    /// Returns the connection's id in the log.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        tracing::info!(kind = "calcon.connection", id = self.id, "closed");
    }
}

/// The read half.
pub struct Reader {
    half: ReadHalf,
    decoder: Decoder,
}

impl Reader {
    /// Accepts answers from now on, which are longer than what clients send.
    pub fn accept_answers(&mut self) {
        self.decoder.limit(FRAME_BYTES_MAX);
    }

    /// Returns the next message, or `None` at the end of the stream. Cancel safe.
    ///
    /// # Errors
    /// If the bytes are not a message, or the connection failed.
    pub async fn next(&mut self) -> Result<Option<Message>, ChannelError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(Some(message));
            }
            let mut bytes = [0; READ_BYTES];
            match self.half.read(&mut bytes).await {
                Ok(0) => return self.ended(),
                // TLS misses the end that a peer announces before it closes. A frame that was cut is noticed without it, and
                // nothing else depends on where the stream ends.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return self.ended(),
                Ok(count) => self.decoder.push(&bytes[..count]),
                Err(error) => return Err(ChannelError::from_tls(error)),
            }
        }
    }

    fn ended(&self) -> Result<Option<Message>, ChannelError> {
        self.decoder.finish()?;
        Ok(None)
    }

    /// Returns the next message, which must arrive within `limit`.
    ///
    /// # Errors
    /// Like [`Reader::next`]; the end of the stream and a timeout are errors, too.
    pub async fn expect(&mut self, limit: Duration) -> Result<Message, ChannelError> {
        match timeout(limit, self.next()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(ChannelError::Closed),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ChannelError::Silent { limit_secs: limit.as_secs() }),
        }
    }
}

/// The write half.
pub struct Writer {
    half: WriteHalf,
}

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reader(..)")
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Writer(..)")
    }
}

impl Writer {
    /// Writes a message. Not cancel safe: a partial frame makes the connection unusable.
    ///
    /// # Errors
    /// If the message does not fit into a frame, the peer does not read, or the connection failed.
    pub async fn send(&mut self, message: &Message) -> Result<(), ChannelError> {
        let frame = wire::encode(message)?;
        let written = timeout(WRITE_LIMIT, async {
            self.half.write_all(&frame).await?;
            self.half.flush().await
        });
        match written.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ChannelError::WriteStuck { limit_secs: WRITE_LIMIT.as_secs() }),
        }
    }
}
