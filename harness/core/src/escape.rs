//! Makes untrusted text safe to print: it cannot move the cursor, forge a line, or hide characters.
//!
//! Traces, test executables and services choose the names and messages that refrain prints. All of them are escaped
//! here.

use std::fmt::{self, Display, Write};
use unicode_width::UnicodeWidthChar;

/// Maximum number of combining marks per letter. Vietnamese and Hebrew need three; dozens would cover the adjacent
/// lines.
const MARKS_MAX: usize = 4;

/// Displays one line of text. Every character that is not displayed as itself is escaped: `\n`, `\u{1b}`.
///
/// Escaped are control characters, line and paragraph separators, characters that change the text direction or have no
/// width, and every combining mark after the fourth on a letter.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

/// Like [`Escaped`], for text of several lines.
#[derive(Debug, Clone, Copy)]
pub struct EscapedLines<'a>(pub &'a str);

/// Returns one line of text with every character escaped that is not displayed as itself.
pub fn escaped(text: &str) -> String {
    Escaped(text).to_string()
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut rest, mut marks) = (self.0, 0);
        loop {
            // Nearly all text is plain ASCII, and traces have a lot of it.
            let plain = rest.bytes().position(|byte| !matches!(byte, b' '..=b'~')).unwrap_or(rest.len());
            f.write_str(&rest[..plain])?;
            let mut chars = rest[plain..].chars();
            let Some(c) = chars.next() else { return Ok(()) };
            rest = chars.as_str();
            marks = if c.width() != Some(0) || plain > 0 { 0 } else { marks };
            marks += usize::from(c.width() == Some(0));
            match marks <= MARKS_MAX && shows_as_itself(c) {
                true => f.write_char(c)?,
                false => write!(f, "{}", c.escape_default())?,
            }
        }
    }
}

impl Display for EscapedLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, line) in self.0.split('\n').enumerate() {
            let end = if nth == 0 { "" } else { "\n" };
            write!(f, "{end}{}", Escaped(line))?;
        }
        Ok(())
    }
}

fn shows_as_itself(c: char) -> bool {
    // Default-ignorable characters that `escape_debug` treats as printable.
    let blank = matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}');
    // `char::escape_debug` escapes every combining mark, `str::escape_debug` only one at the beginning.
    let mut buffer = [b'a'; 5];
    c.encode_utf8(&mut buffer[1..]);
    let text = str::from_utf8(&buffer[..1 + c.len_utf8()]).expect("two characters");
    matches!(c, '"' | '\'' | '\\') || !blank && text.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_shows_as_itself_is_kept() {
        for text in ["", r#"C:\a "b" 'c'"#, "ålice, 漢字, e\u{301}, ệ, שָׁלוֹם, ไทย", "🦀 ⚠\u{fe0f} 👍🏽"]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn what_moves_the_cursor_turns_the_line_or_hides_is_shown() {
        for c in nasty() {
            assert_eq!(escaped(&format!("a{c}b")), format!("a{}b", c.escape_default()), "{:x}", u32::from(c));
        }
    }

    /// One of each kind: C0, DEL, C1, bidirectional, zero-width, separators, fillers, tags, private use.
    fn nasty() -> impl Iterator<Item = char> {
        let ranges = [('\0', '\u{1f}'), ('\u{7f}', '\u{a0}'), ('\u{200b}', '\u{200f}'), ('\u{2028}', '\u{202f}')];
        let more = [('\u{2060}', '\u{206f}'), ('\u{e0001}', '\u{e007f}'), ('\u{180b}', '\u{180e}')];
        let single = "\u{ad}\u{34f}\u{61c}\u{115f}\u{3164}\u{feff}\u{fff9}\u{e000}\u{e0100}\u{10ffff}";
        ranges.into_iter().chain(more).flat_map(|(first, last)| first..=last).chain(single.chars())
    }

    #[test]
    fn a_letter_has_few_marks() {
        let text = format!("a{}b", "\u{301}".repeat(1_000));
        let kept = format!("a{}", "\u{301}".repeat(MARKS_MAX));
        assert!(escaped(&text).starts_with(&format!("{kept}\\u{{301}}")), "{}", escaped(&text));
        assert_eq!(escaped(&text).matches('\u{301}').count(), MARKS_MAX);
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(EscapedLines("a\n\u{1b}[2J\r\nb\n").to_string(), "a\n\\u{1b}[2J\\r\nb\n");
    }
}
