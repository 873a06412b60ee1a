//! A byte queue that preserves the boundaries of the pieces pushed into it.

use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(crate) struct Bytes {
    pieces: VecDeque<Vec<u8>>,
    /// Number of bytes of the first piece that have already been taken.
    offset: usize,
    len: usize,
}

impl Bytes {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of bytes left in the first piece.
    pub fn first_len(&self) -> usize {
        self.pieces.front().map_or(0, |first| first.len() - self.offset)
    }

    pub fn push(&mut self, piece: Vec<u8>) {
        self.len += piece.len();
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// Takes at most `max` bytes and never more than one piece, so that write boundaries are preserved where nothing
    /// splits them.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let Some(first) = self.pieces.front() else { return vec![] };
        let left = first.len() - self.offset;
        let n = left.min(max);
        self.len -= n;
        if self.offset == 0 && n == first.len() {
            return self.pieces.pop_front().expect("a first piece was seen");
        }
        let taken = first[self.offset..self.offset + n].to_vec();
        self.skip(n);
        taken
    }

    /// Fills `into` with up to `max` bytes, across piece boundaries, and removes them from the queue.
    pub fn read(&mut self, into: &mut real::io::ReadBuf<'_>, max: usize) -> usize {
        let mut total = 0;
        while let Some(first) = self.pieces.front() {
            let n = (first.len() - self.offset).min(into.remaining()).min(max - total);
            if n == 0 {
                break;
            }
            into.put_slice(&first[self.offset..self.offset + n]);
            self.skip(n);
            total += n;
        }
        self.len -= total;
        total
    }

    /// Fills `into` with up to `max` bytes without removing them.
    pub fn peek(&self, into: &mut real::io::ReadBuf<'_>, max: usize) -> usize {
        let mut offset = self.offset;
        let mut total = 0;
        for piece in &self.pieces {
            let n = (piece.len() - offset).min(into.remaining()).min(max - total);
            into.put_slice(&piece[offset..offset + n]);
            total += n;
            offset = 0;
        }
        total
    }

    pub fn clear(&mut self) {
        *self = Bytes::default();
    }

    fn skip(&mut self, n: usize) {
        self.offset += n;
        if self.pieces.front().is_some_and(|first| first.len() == self.offset) {
            self.pieces.pop_front();
            self.offset = 0;
        }
    }
}
