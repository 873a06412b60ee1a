//! Bodies of replies that end, stall, are cut off, or never end.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

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
    Cut,
    More,
}

impl Pieces {
    pub fn of(text: impl Into<Bytes>) -> Self {
        Self { first: text.into(), then: Then::Whole }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let first = std::mem::take(&mut self.first);
        if !first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match self.then {
            Then::Whole | Then::End => Poll::Ready(None),
            Then::Stall => Poll::Pending,
            Then::Cut => Poll::Ready(Some(Err(io::Error::other("cut")))),
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
