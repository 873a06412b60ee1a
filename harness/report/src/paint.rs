//! Terminal formatting: colours, widths, line breaking, escaped control characters.

use super::Style;
use anstyle::{AnsiColor, Color};
use refrain_core::escape::EscapedLines;
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// A narrower column is not broken into lines, which would be harder to read than lines wrapped by the terminal.
const COLUMN_WIDTH_MIN: usize = 24;

pub(super) const PLAIN: anstyle::Style = anstyle::Style::new();
pub(super) const DIM: anstyle::Style = anstyle::Style::new().dimmed();
pub(super) const BOLD: anstyle::Style = anstyle::Style::new().bold();

pub(super) const fn ink(colour: AnsiColor) -> anstyle::Style {
    anstyle::Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// Returns the text in these colours, if colours are enabled.
pub(super) fn paint(text: &str, ink: anstyle::Style, style: Style) -> String {
    if !style.colour || text.is_empty() || ink == PLAIN {
        return text.to_string();
    }
    format!("{ink}{text}{ink:#}")
}

/// Returns the width of a text in terminal columns.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Returns the text in these colours, padded to this width.
pub(super) fn padded(text: &str, width: usize, ink: anstyle::Style, style: Style) -> String {
    format!("{}{}", paint(text, ink, style), " ".repeat(width.saturating_sub(columns(text))))
}

/// Returns the lines of a text in a column that begins at `indent`, broken between words if the style has a width.
pub(super) fn lines(text: &str, indent: usize, style: Style) -> Vec<String> {
    let width = style.width.and_then(|width| width.checked_sub(indent)).filter(|width| *width >= COLUMN_WIDTH_MIN);
    // A word wider than the column is not broken, so that it can be copied.
    let options = textwrap::Options::new(width.unwrap_or(usize::MAX))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&EscapedLines(text).to_string(), options).into_iter().map(Cow::into_owned).collect()
}
