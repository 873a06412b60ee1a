//! Reads lines of limited length from untrusted sources.

use std::io::{self, BufRead, Read};

/// Why there is no next line.
#[derive(Debug)]
pub enum LineError {
    /// The source failed.
    Read(io::Error),
    /// The line exceeds the limit. The rest cannot be read.
    TooLong,
}

/// An iterator-like reader of lines with limited length.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    bytes_max: usize,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// Creates a reader of lines with at most this many bytes, without the `\n`.
    pub fn new(source: R, bytes_max: usize) -> Self {
        Lines { source, bytes_max, line: Vec::new(), number: 0 }
    }

    /// Returns the next complete line without its `\n`; `None` if no `\n` follows.
    ///
    /// # Errors
    /// Fails if the line is too long or the source fails.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.line.clear();
        let limit = self.bytes_max as u64 + 1;
        self.source.by_ref().take(limit).read_until(b'\n', &mut self.line).map_err(LineError::Read)?;
        self.number += 1;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if self.line.len() > self.bytes_max => Err(LineError::TooLong),
            None => Ok(None),
        }
    }

    /// Returns what was read last: after an error or at the end, the beginning of a line.
    pub fn last(&self) -> &[u8] {
        &self.line
    }

    /// Returns the number of the last line read, counted from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns whether the source has ended.
    ///
    /// # Errors
    /// Fails if the source fails.
    pub fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.source.fill_buf()?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_in_a_line_feed_and_is_no_longer_than_it_may_be() {
        let mut lines = Lines::new(&b"1234\n\n12345\n"[..], 4);
        assert_eq!(lines.next_line().unwrap(), Some(&b"1234"[..]));
        assert_eq!(lines.next_line().unwrap(), Some(&b""[..]));
        assert_eq!(lines.number(), 2);
        assert!(!lines.at_end().unwrap());
        assert!(matches!(lines.next_line(), Err(LineError::TooLong)));
        assert_eq!((lines.last(), lines.number()), (&b"12345"[..], 3));
    }

    #[test]
    fn what_no_line_feed_ends_is_no_line() {
        let mut lines = Lines::new(&b"a\nbc"[..], 4);
        assert_eq!(lines.next_line().unwrap(), Some(&b"a"[..]));
        assert_eq!(lines.next_line().unwrap(), None);
        assert_eq!(lines.last(), b"bc");
        assert!(lines.at_end().unwrap());
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_its_limit() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x')), 1 << 10);
        assert!(matches!(lines.next_line(), Err(LineError::TooLong)));
        assert!(lines.line.capacity() <= 4 << 10);
    }
}
