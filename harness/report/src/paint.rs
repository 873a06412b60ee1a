//! Makes text fit for a terminal: colours, widths, broken lines, escaped control characters.

use super::Style;
use anstyle::{AnsiColor, Color};
use unicode_width::UnicodeWidthStr;

/// Below this a column is not broken into lines: a word a line reads worse than a line that wraps.
const COLUMN_WIDTH_MIN: usize = 24;

pub(super) const PLAIN: anstyle::Style = anstyle::Style::new();
pub(super) const DIM: anstyle::Style = anstyle::Style::new().dimmed();
pub(super) const BOLD: anstyle::Style = anstyle::Style::new().bold();

pub(super) const fn ink(colour: AnsiColor) -> anstyle::Style {
    anstyle::Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// The text in these colours, if colours are asked for.
pub(super) fn paint(text: &str, ink: anstyle::Style, style: Style) -> String {
    if !style.colour || text.is_empty() || ink == PLAIN {
        return text.to_string();
    }
    format!("{ink}{text}{ink:#}")
}

/// How many columns of a terminal a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The text in these colours, and so many spaces that it takes this many columns.
pub(super) fn padded(text: &str, width: usize, ink: anstyle::Style, style: Style) -> String {
    format!("{}{}", paint(text, ink, style), " ".repeat(width.saturating_sub(columns(text))))
}

/// The text with the characters shown that move a cursor or turn the direction of writing: it stays one line.
pub(super) fn escaped(text: &str) -> String {
    let show = |c: char| match c {
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => c.escape_default().to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// The lines of a text in a column that begins at `indent`, broken between words where the style has a width.
pub(super) fn lines(text: &str, indent: usize, style: Style) -> Vec<String> {
    let width = style.width.and_then(|width| width.checked_sub(indent)).filter(|width| *width >= COLUMN_WIDTH_MIN);
    let lines = text.split('\n').map(escaped).flat_map(|line| match width {
        None => vec![line],
        Some(width) => broken(&line, width),
    });
    lines.map(|line| line.trim_end_matches(' ').to_string()).collect()
}

/// One line, broken between words; a word that is wider than the column stays whole, so that it can be copied.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut broken = vec![String::new()];
    for (nth, word) in line.split(' ').enumerate() {
        let last = broken.last_mut().expect("it begins with one");
        if nth > 0 && !last.is_empty() && columns(last) + 1 + columns(word) > width {
            broken.push(word.to_string());
        } else {
            last.push_str(if nth == 0 { "" } else { " " });
            last.push_str(word);
        }
    }
    broken
}
