//! Splits what comes in pieces into lines, so that nobody has to hold all of it.

/// A longer line is not one of ours: the rest of it is dropped.
const LINE_BYTES_MAX: usize = 64 << 20;

/// The line that is not complete yet.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes a piece, and hands on every line that it completes, without its end.
    pub fn push(&mut self, mut piece: &[u8], line: &mut dyn FnMut(&[u8])) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            if self.rest.is_empty() {
                line(&piece[..end]);
            } else {
                self.keep(&piece[..end]);
                line(&std::mem::take(&mut self.rest));
            }
            piece = &piece[end + 1..];
        }
        self.keep(piece);
    }

    /// Hands on the last line, if it has no end.
    pub fn finish(self, line: &mut dyn FnMut(&[u8])) {
        if !self.rest.is_empty() {
            line(&self.rest);
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_BYTES_MAX - self.rest.len();
        self.rest.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pieces: &[&str], expected: &[&str]) {
        let (mut lines, mut got) = (Lines::default(), vec![]);
        let mut line = |line: &[u8]| got.push(String::from_utf8_lossy(line).into_owned());
        for piece in pieces {
            lines.push(piece.as_bytes(), &mut line);
        }
        lines.finish(&mut line);
        assert_eq!(got, expected);
    }

    #[test]
    fn a_piece_may_hold_many_lines_or_a_part_of_one() {
        check(&[], &[]);
        check(&["a\nb\n"], &["a", "b"]);
        check(&["a", "b\nc", "\n\n", "d"], &["ab", "c", "", "d"]);
    }

    #[test]
    fn a_line_without_end_takes_no_more_than_the_limit() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            lines.push(&piece, &mut |_| panic!("the line has no end"));
        }
        assert_eq!(lines.rest.len(), LINE_BYTES_MAX);
    }
}
