//! One connection that carries messages: reads and writes them, and reports when it opens and closes.

use crate::error::ChannelError;
use crate::wire::{self, Decoder, Message};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// How long one message may take to be written, before the peer counts as one that does not read.
pub const WRITE_LIMIT: Duration = Duration::from_secs(5);
const READ_BYTES: usize = 8 * 1024;

/// Connections of this process so far; it gives each one its number in the log.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// A connection. Both halves go before the report that it closed.
#[derive(Debug)]
pub struct Channel {
    /// What the peer says.
    pub reader: Reader,
    /// What we say.
    pub writer: Writer,
    /// Reports the end of the connection: to be dropped last.
    pub opened: Opened,
}

impl Channel {
    /// Takes over a connected stream.
    ///
    /// # Errors
    /// When the peer is gone already.
    pub fn new(stream: TcpStream, opened: Opened) -> io::Result<Self> {
        // Messages are small and each is waited for: nothing is gained by collecting them into fuller packets.
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let reader = Reader { half: read, decoder: Decoder::default() };
        Ok(Self { reader, writer: Writer { half: write }, opened })
    }
}

/// Reports "opened" when made and "closed" when dropped, on whatever path that is.
#[derive(Debug)]
pub struct Opened {
    id: u64,
}

impl Opened {
    /// Reports a new connection: `how` it came to be, and with whom.
    pub fn report(how: &'static str, peer: &str) -> Self {
        let id = CONNECTIONS.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(kind = "calcon.connection", id, how, peer, "opened");
        Self { id }
    }

    /// The connection's number in the log.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        tracing::info!(kind = "calcon.connection", id = self.id, "closed");
    }
}

/// The half that the peer's messages come from.
#[derive(Debug)]
pub struct Reader {
    half: OwnedReadHalf,
    decoder: Decoder,
}

impl Reader {
    /// The next message, or `None` at the end of the stream. Cancelling it loses nothing.
    ///
    /// # Errors
    /// When the bytes are no message, or the connection broke.
    pub async fn next(&mut self) -> Result<Option<Message>, ChannelError> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(Some(message));
            }
            let mut bytes = [0; READ_BYTES];
            match self.half.read(&mut bytes).await? {
                0 => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
                count => self.decoder.push(&bytes[..count]),
            }
        }
    }

    /// The next message, which must arrive within `limit`.
    ///
    /// # Errors
    /// As [`Reader::next`]; an end of the stream and a silence are errors too.
    pub async fn expect(&mut self, limit: Duration) -> Result<Message, ChannelError> {
        match timeout(limit, self.next()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(ChannelError::Closed),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ChannelError::Silent { limit_secs: limit.as_secs() }),
        }
    }
}

/// The half that our messages go to.
#[derive(Debug)]
pub struct Writer {
    half: OwnedWriteHalf,
}

impl Writer {
    /// Writes one message. Cancelling it may leave half a frame behind: the connection is then of no more use.
    ///
    /// # Errors
    /// When the message does not fit into a frame, the peer does not read, or the connection broke.
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
