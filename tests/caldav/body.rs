//! Bodies of replies that end, stall, are cut off, or never end.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How long sending the first piece takes, or more.
const SENT: Duration = Duration::from_millis(100);

/// A body: its first piece, and what comes then.
pub struct Pieces {
    pub first: Bytes,
    pub then: Then,
}

/// What comes after the first piece.
pub enum Then {
    /// The body is whole, and its length is known.
    Whole,
    End,
    Stall,
    /// The connection ends when the first piece has been sent.
    Cut(Pin<Box<Sleep>>),
    More,
}

impl Pieces {
    /// Returns a body that is cut off behind its first piece.
    pub fn cut(first: impl Into<Bytes>) -> Self {
        Self { first: first.into(), then: Then::Cut(Box::pin(sleep(SENT))) }
    }

    pub fn of(text: impl Into<Bytes>) -> Self {
        Self { first: text.into(), then: Then::Whole }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let first = std::mem::take(&mut self.first);
        if !first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match &mut self.then {
            Then::Whole | Then::End => Poll::Ready(None),
            Then::Stall => Poll::Pending,
            // Hyper drops what it has not sent yet.
            Then::Cut(sent) => sent.as_mut().poll(context).map(|()| Some(Err(io::Error::other("cut")))),
            Then::More => Poll::Ready(Some(Ok(Frame::data(vec![b'\n'; 1 << 20].into())))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.then {
            Then::Whole => SizeHint::with_exact(self.first.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
